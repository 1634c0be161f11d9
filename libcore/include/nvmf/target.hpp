// SPDX-License-Identifier: BSD-2-Clause
// The target: subsystems with namespaces, controllers made by hosts that connect, and the discovery
// service, over any number of listeners and reactors.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend.hpp"
#include "transport.hpp"

namespace nvmf {

struct subsystem_options {
  std::string nqn;
  std::string serial = "NVMFCTL0000000001";    // at most 20 printable ASCII characters
  std::string model = "nvmfctl";               // at most 40
  std::string firmware = "0.1";                // at most 8
  std::vector<std::string> allowed_hosts{};    // empty: any host
  bool static_controllers = false;             // static model: Connect may name a CNTLID
  std::uint16_t static_controller_count = 64;  // static model: CNTLIDs 1 to this exist
  std::uint32_t max_io_queues = 64;
  std::uint32_t max_io_queue_size = 1024;  // entries, MQES + 1
  std::uint8_t mdts = 8;                   // 2^n * 4096 bytes, n at most 13; 0: no limit
};
struct namespace_options {
  std::uint32_t nsid = 0;  // 0: the next free one
  std::shared_ptr<backend> store;
};
struct listener_options {
  std::string transport = "tcp";
  endpoint at;
  transport_options settings{};
  bool discovery_only = false;  // port 8009: only the discovery service answers
};

struct target_limits {
  std::uint32_t connections = 4096;
  std::chrono::milliseconds connect_timeout{10'000};  // from accept_callback to Connect's end
  std::chrono::milliseconds keep_alive_max{600'000};
  // Data of commands that one I/O queue may hold in memory at once, bytes; further commands wait.
  // One command may exceed it when it is alone.
  std::uint64_t queue_data_max = 16u << 20;
};

// What a person wants to know of who is there; one row per controller.
struct controller_row {
  std::string subsystem, host_nqn, peer;
  std::uint16_t cntlid = 0;
  std::uint32_t io_queues = 0;
};

class target {
 public:
  struct callbacks {
    // Things worth a log line: a host came, left, was refused (with why). On any reactor's thread.
    std::function<void(std::string_view)> on_notice;
    // Asked before each new connection is taken; false: there is no memory for it, it is refused.
    // On any reactor's thread. Without it all are taken.
    std::function<bool()> may_admit = {};
  };
  // Runs on `reactors` (at least one); connections are spread over them in turn. Control functions
  // below are called on the first one's thread, or before any of them runs.
  static std::unique_ptr<target> make(const transport_registry& registry,
                                      std::vector<executor*> reactors, target_limits limits,
                                      observer* watched_by, callbacks calls);
  // After stop() is done, on the first reactor's thread; or when no reactor runs (any more).
  virtual ~target() = default;

  // Text says what is wrong: NQN malformed or taken, serial too long ...
  virtual std::expected<void, std::string> add_subsystem(subsystem_options options) = 0;
  virtual std::expected<std::uint32_t, std::string> add_namespace(std::string_view subsystem,
                                                                  namespace_options options) = 0;
  virtual std::expected<void, std::string> remove_namespace(std::string_view subsystem,
                                                            std::uint32_t nsid) = 0;
  // The endpoint that is listened on, with the port that was picked.
  virtual std::expected<endpoint, std::error_code> listen(const listener_options& options) = 0;
  virtual std::vector<controller_row> controllers() const = 0;
  // Stops listening, tells every host (controllers end, connections close cleanly), then `done`.
  virtual void stop(std::function<void()> done) = 0;
};

}  // namespace nvmf
