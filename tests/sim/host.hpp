// SPDX-License-Identifier: BSD-2-Clause
// One host of the simulation: associates, keeps commands of all kinds out, lets go of its
// association in every way there is, begins again, and judges every answer.
#pragma once

#include <nvmf/host.hpp>

#include "memory.hpp"
#include "model.hpp"
#include "network.hpp"

namespace nvmf::sim {

inline constexpr std::string_view subsystem_nqn = "nqn.2026-11.io.example:sim";
inline constexpr std::uint32_t device_blocks = 1024;
inline constexpr std::uint32_t largest_command = 64;  // blocks

// What all of one run share.
struct scene {
  network& net;
  block_model& model;
  const transport_registry& registry;
  std::deque<user_memory>& retired;  // until the end of the run
  std::uint64_t& last_id;            // of commands; also the versions that writes write

  journal& log() const { return net.log; }
  chance& luck() const { return net.luck; }
  saboteur& sabotage() const { return net.sabotage; }
};

struct host_shape {
  association_options options;
  std::uint32_t depth = 1;
  std::uint64_t commands = 0;        // until it has done its work
  std::uint64_t mischief_every = 0;  // one in so many commands it lets go of its association
  bool planned = false;              // it or its controller has a fault plan
};

struct epoch;    // of one association
struct command;  // and what it was: commands.hpp

class sim_host {
 public:
  sim_host(scene& in, executor& on, std::size_t number, host_shape shape);
  ~sim_host();
  sim_host(const sim_host&) = delete;
  sim_host& operator=(const sim_host&) = delete;

  void start();
  bool finished() const { return sent_ >= shape_.commands && !busy(); }
  bool busy() const { return in_flight_ != 0; }
  bool up() const { return association_ != nullptr && association_->up() && !restarting_; }
  std::uint64_t commands() const { return commands_; }
  std::uint64_t failed() const { return failed_; }
  std::uint64_t associations() const { return associations_; }

  // When its work is done: a fresh association unless this one has seen nothing but good.
  void settle_down();
  // Reads these blocks once more; to be judged as ever.
  void read(std::uint32_t first, std::uint32_t count);
  void shut_down(std::function<void(std::error_code)> done);
  void let_go();

 private:
  void say(std::string_view what);
  void wrong(std::string what);
  void associate();
  void on_up(std::expected<void, host_failure> r);
  void again();
  void replace();
  void tear_down(bool within_callback);
  void torn_down(std::shared_ptr<epoch> old);
  bool excused() const;
  bool told(const command_result& r) const;
  void mischief();

  void pump();
  std::unique_ptr<command> make(bool admin);
  void send(std::unique_ptr<command> c);
  void ended(std::unique_ptr<command> c, const command_result& r);
  void judge(command& c, const command_result& r);
  void answered(command& c, const command_result& r);

  scene& in_;
  executor& on_;
  host_luck& luck_;
  const std::size_t number_;
  host_shape shape_;
  std::unique_ptr<association> association_;
  std::shared_ptr<epoch> epoch_;
  std::uint64_t sent_ = 0, in_flight_ = 0;
  std::uint64_t commands_ = 0, failed_ = 0, associations_ = 0;
  bool working_ = true;      // commands are still to be sent
  bool restarting_ = false;  // another association is due
  bool pausing_ = false;
};

}  // namespace nvmf::sim
