// SPDX-License-Identifier: BSD-2-Clause
// One controller: admin commands, properties, events, keep alive and the I/O queues it has granted
// (Base 2.0, 3 and 5). Sans-I/O: commands and time go in, replies and wishes come out. It belongs
// to one executor, that of its admin queue.
//
//   answer r = c.on_command(sqe, data_length, now);   // transmit r unless r.held
//   while (auto w = c.next_wish()) ...               // after every call
//   c.deadline() -> c.on_time(now)
#pragma once

#include <cstdint>
#include <deque>
#include <nvmf/executor.hpp>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "async_events.hpp"
#include "connect.hpp"
#include "discovery.hpp"
#include "features.hpp"
#include "identify.hpp"
#include "keep_alive.hpp"
#include "logs.hpp"
#include "properties.hpp"

namespace nvmf::engine {

// What a controller asks of its surroundings while it works on a command.
class surroundings {
 public:
  virtual ~surroundings() = default;
  // Ascending NSIDs. Valid until the next call.
  virtual std::span<const namespace_view> namespaces() const = 0;
  virtual io_counters counters() const = 0;
  // Were there commands on the I/O queues since the last call?
  virtual bool io_traffic() = 0;
  // The discovery log page for this controller's host.
  virtual std::vector<std::byte> discovery_log() const = 0;
};

struct answer {
  nvme_status status{};
  std::uint32_t dw0 = 0;
  std::uint32_t dw1 = 0;
  bool held = false;                     // an Asynchronous Event Request: a wish answers it later
  std::uint16_t location = no_location;  // byte of the SQE at fault
  std::vector<std::byte> data{};         // to the host, before the response
};
inline answer refused(const refusal& r) {
  return {.status = r.status, .dw0 = r.dw0, .location = r.location};
}

// What the owner of a controller has to do.
struct wish {
  enum class kind : std::uint8_t {
    complete,         // the command `cid` of the admin queue, with status and dw0
    end_io_queues,    // all of them; on_io_queue_gone for each
    end_association,  // all connections; this controller is gone
    write_cache,      // writes go through (`on` false) or may stay in a volatile cache
  };
  kind what;
  std::uint16_t cid = 0;
  nvme_status status{};
  std::uint32_t dw0 = 0;
  bool on = false;
  std::string_view why{};  // static text
};

class controller {
 public:
  // How long an association may stay disabled or shut down (Base 2.0, 3.6.2).
  static constexpr auto disabled_limit = std::chrono::minutes(2);

  controller(controller_config config, surroundings& around, time_point now);
  controller(const controller&) = delete;
  controller& operator=(const controller&) = delete;

  const controller_config& config() const { return config_; }

  // A command on the admin queue after Connect. The transport has accepted its SGL, whose length is
  // `data_length` bytes. No admin command here takes data from the host.
  answer on_command(std::span<const std::byte, 64> sqe, std::uint32_t data_length, time_point now);
  // An I/O queue that wants to join: granted, or why not.
  std::expected<void, refusal> on_io_connect(const connect_request& request);
  // A granted I/O queue has ended, whoever wanted it. Once per grant.
  void on_io_queue_gone(std::uint16_t qid, time_point now);
  // A command of an I/O queue failed.
  void on_io_error(const error_record& e, std::uint64_t missed) { errors_.add(e, missed); }
  // A queue broke down in a way that ends the association: the peer violated the protocol.
  void on_fatal(std::string_view why);
  void on_namespaces_changed(std::span<const std::uint32_t> nsids);
  void on_discovery_changed();
  void on_time(time_point now);

  std::optional<time_point> deadline() const;
  std::optional<wish> next_wish();

  std::uint32_t io_queues() const { return static_cast<std::uint32_t>(qids_.size()); }
  bool enabled() const { return properties_.enabled(); }
  bool ended() const { return ended_; }

 private:
  answer dispatch(std::span<const std::byte, 64> sqe, std::uint32_t data_length, time_point now);
  answer fabrics(std::span<const std::byte, 64> sqe, time_point now);
  answer property_get(std::span<const std::byte, 64> sqe) const;
  answer property_set(std::span<const std::byte, 64> sqe, time_point now);
  answer identify(std::span<const std::byte, 64> sqe, std::uint32_t data_length) const;
  std::expected<identify_data, refusal> identify_page(std::span<const std::byte, 64> sqe) const;
  answer get_log_page(std::span<const std::byte, 64> sqe, std::uint32_t data_length,
                      time_point now);
  std::vector<std::byte> log_page(std::uint8_t lid, time_point now) const;
  answer abort(std::span<const std::byte, 64> sqe);
  answer set_features(std::span<const std::byte, 64> sqe, time_point now);
  answer get_features(std::span<const std::byte, 64> sqe, std::uint32_t data_length) const;
  answer async_event_request(std::span<const std::byte, 64> sqe);

  void report_events();
  void settle(time_point now);
  void end(std::string_view why);
  const namespace_view* find_namespace(std::uint32_t nsid) const;

  controller_config config_;
  surroundings& around_;
  properties properties_;
  features features_;
  async_events events_;
  keep_alive_watch keep_alive_;
  error_history errors_;
  changed_namespaces changed_;
  std::set<std::uint16_t> qids_;  // I/O queues granted, at most config_.io_queues_max
  std::deque<wish> wishes_;
  time_point since_;
  std::optional<time_point> disabled_until_;
  bool ended_ = false;
};

}  // namespace nvmf::engine
