// SPDX-License-Identifier: BSD-2-Clause
// What the contract tests stand on: a transport under test, a connected pair of qpairs with
// everything they call back recorded, and time that moves only as far as a test needs.
//
//   CONTRACT("capsules arrive in order") {   // runs once per transport
//     rig r(p);
//     capsule a = r.send(0x00);
//     REQUIRE(r.until([&] { return !r.controller.got.empty(); }));
//   }
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <nvmf/transport.hpp>
#include <string>
#include <vector>

#include "loop/loop.hpp"

namespace nvmf::test {

// Opcodes whose low bits say which way data goes, as everywhere in NVMe.
inline constexpr std::uint8_t op_none = 0x00, op_write = 0x01, op_read = 0x02;

// The executors of a rig and the time they live in.
class world {
 public:
  virtual ~world() = default;
  virtual executor& host_on() = 0;
  virtual executor& controller_on() = 0;
  // Runs until `done()`, for a bounded time. False: it never was.
  virtual bool until(const std::function<bool()>& done) = 0;
  // Runs all that is due without waiting for anything.
  virtual void spin() = 0;
  // True when spin() leaves nothing on the way between the ends.
  virtual bool spin_settles() const = 0;
};

// One way of running a transport.
struct profile {
  std::string name;
  std::function<std::shared_ptr<transport>()> make;
  std::function<std::unique_ptr<world>()> make_world;
  endpoint at;
  transport_options settings{};
  bool ordered = true;             // commands arrive in the order of transmit
  std::size_t rounds = 500;        // of connecting, where many are wanted
  observer* watched_by = nullptr;  // of both ends
};
const std::vector<profile>& profiles();
// Over loop, in virtual time, on one executor or two.
profile loop_profile(std::string name, loop_options options, bool two_executors);

struct rig_options {
  std::uint16_t qid = 1;
  std::uint32_t queue_size = 32;
  bool sq_flow_control = true;
  bool settled = true;  // set_queue and set_max_in_capsule have been called on both ends
  std::uint32_t max_in_capsule = 4096;
  std::uint32_t max_r2t = 1;
  bool start_host = true, start_controller = true;
};

// API calls made by tests are bracketed by this: a callback within one is a breach.
struct in_call {
  in_call() { ++depth; }
  ~in_call() { --depth; }
  in_call(const in_call&) = delete;
  in_call& operator=(const in_call&) = delete;
  static inline thread_local int depth = 0;
};

// Records what became of one piece of data.
struct watch {
  int calls = 0;
  std::size_t bytes = 0;
  std::error_code error;
  std::function<void()> then{};  // runs within the callback

  data_callback callback() {
    return [this](std::size_t n, std::error_code e) {
      CHECK(in_call::depth == 0);
      ++calls;
      bytes = n;
      error = e;
      if (then) then();
    };
  }
  // It ended once, and so.
  bool ended(std::size_t n, std::error_code e) const {
    return calls == 1 && bytes == n && error == e;
  }
  bool done() const { return calls != 0; }
};

// One end of the pair and what it has called back.
struct side {
  qpair queue;
  std::deque<capsule> got;
  std::vector<qpair_error> errors;
  std::function<void(capsule)> on_receive{};  // instead of `got`
  std::function<void(const qpair_error&)> on_error{};

  qpair_callbacks callbacks() {
    return {.on_receive =
                [this](capsule c) {
                  CHECK(in_call::depth == 0);
                  if (on_receive) return on_receive(std::move(c));
                  got.push_back(std::move(c));
                },
            .on_error =
                [this](const qpair_error& e) {
                  CHECK(in_call::depth == 0);
                  errors.push_back(e);
                  if (on_error) on_error(e);
                }};
  }
  capsule take() {
    REQUIRE_FALSE(got.empty());
    capsule c = std::move(got.front());
    got.pop_front();
    return c;
  }
};

class rig {
 public:
  explicit rig(const profile& p, rig_options options = {});
  ~rig();
  rig(const rig&) = delete;
  rig& operator=(const rig&) = delete;

  // A command without data, or with.
  capsule send(std::uint8_t opcode);
  capsule send(std::uint8_t opcode, const memdesc& mem, std::size_t length, watch& data);
  // The same, not transmitted.
  capsule prepare(std::uint8_t opcode, const memdesc& mem, std::size_t length, watch& data);
  capsule prepare(std::uint8_t opcode);
  void transmit(capsule& command);

  // The next command at the controller, the next response at the host.
  capsule command();
  capsule response();
  // Responds to a command; `status`: SCT << 8 | SC.
  void respond(std::uint16_t cid, std::uint16_t status = 0);
  std::error_code receive(const capsule& c, std::uint32_t offset, const memdesc& mem,
                          std::uint32_t length, watch& data);
  send_answer give(const capsule& c, std::uint32_t offset, std::span<const std::byte> data,
                   bool last = false);

  bool until(const std::function<bool()>& done) { return world_->until(done); }
  // The host does not see its data move: what a data callback tells comes of the response alone.
  bool unseen() const { return host.queue.caps().unseen_data; }
  // Bytes that the host is told, when `moved` of `whole` have moved.
  std::size_t told(std::size_t moved, std::size_t whole, bool success) const {
    if (!unseen()) return moved;
    return success ? whole : 0;
  }
  // An end's error is `wanted`, as far as its peer can make it known.
  bool heard(const side& by, errc wanted) const {
    const std::error_code code = by.errors.at(0).code;
    if (by.queue.caps().unseen_cause) return !code || code == errc::reset;
    return code == wanted;
  }
  // Lets everything that is on the way arrive. The connection must be up.
  void settle();
  void spin() { world_->spin(); }
  // Both ends closed and everything of them run.
  void end();
  // A new pair in the place of the old.
  void reconnect();

  std::shared_ptr<transport> provider;
  side host, controller;

 private:
  qpair_params params(role side) const;
  void listen();
  void connect();

  const profile& profile_;
  std::unique_ptr<world> world_;
  std::unique_ptr<listener> listener_;
  rig_options options_;
};

// Bytes that tell where they are from.
std::vector<std::byte> pattern(std::size_t size, unsigned salt = 1);
std::uint16_t status_of(const capsule& response);  // SCT << 8 | SC
std::uint16_t sqhd_of(const capsule& response);

// Memory with guard zones that must stay as they are, and that can be watched as a whole once
// nobody may write to it any more.
class guarded {
 public:
  explicit guarded(std::size_t size) : all_(size + 2 * zone, guard) {}
  std::span<std::byte> bytes() { return std::span{all_}.subspan(zone, all_.size() - 2 * zone); }
  memdesc mem() { return memdesc::of(bytes()); }
  bool zones_intact() const { return only_guard(0, zone) && only_guard(all_.size() - zone, zone); }
  // From here on nobody may write.
  void seal() { std::ranges::fill(all_, guard); }
  bool untouched() const { return only_guard(0, all_.size()); }
  bool holds(std::span<const std::byte> data, std::size_t at = 0) {
    return std::ranges::equal(bytes().subspan(at, data.size()), data);
  }

 private:
  static constexpr std::size_t zone = 64;
  static constexpr std::byte guard{0xe7};
  bool only_guard(std::size_t at, std::size_t n) const {
    return std::ranges::all_of(std::span{all_}.subspan(at, n),
                               [](std::byte b) { return b == guard; });
  }
  std::vector<std::byte> all_;
};

#define NVMF_CONTRACT_CAT2(a, b) a##b
#define NVMF_CONTRACT_CAT(a, b) NVMF_CONTRACT_CAT2(a, b)
#define NVMF_CONTRACT(title, body)                                    \
  static void body(const ::nvmf::test::profile& p);                   \
  TEST_CASE("contract: " title) {                                     \
    for (const ::nvmf::test::profile& p : ::nvmf::test::profiles()) { \
      SUBCASE(p.name.c_str()) { body(p); }                            \
    }                                                                 \
  }                                                                   \
  static void body([[maybe_unused]] const ::nvmf::test::profile& p)
#define CONTRACT(title) NVMF_CONTRACT(title, NVMF_CONTRACT_CAT(contract_, __LINE__))

}  // namespace nvmf::test
