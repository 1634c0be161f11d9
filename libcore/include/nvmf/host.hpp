// SPDX-License-Identifier: BSD-2-Clause
// The host: an association with one controller, from resolving its address to a clean shutdown.
// Everything runs on one executor. Nothing here blocks.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transport.hpp"

namespace nvmf {

struct association_options {
  std::string transport = "tcp";
  endpoint to;
  std::string subsystem_nqn;
  std::string host_nqn;
  std::array<std::byte, 16> host_id{};
  std::uint16_t controller_id = 0xffff;  // FFFFh: dynamic controller model
  // KATO, 0: none. Sent to discovery controllers too; those that do not know Keep Alive are not
  // asked a second time. Keep Alive runs from CSTS.RDY on.
  std::chrono::milliseconds keep_alive{5'000};
  std::uint32_t io_queues = 1;          // 0: admin queue only; ignored for discovery
  std::uint32_t admin_queue_size = 32;  // entries
  std::uint32_t io_queue_size = 128;    // entries, clamped to MQES + 1
  bool disable_sq_flow_control = false;
  transport_options transport_settings{};
  std::chrono::milliseconds timeout{10'000};  // per command of the bring-up and default per command
  std::uint32_t async_events = 1;             // AERs kept outstanding, clamped to AERL + 1; 0: none
  observer* watched_by = nullptr;
  // Stop after this stage; used by tools that look at one step only. The association is up then,
  // with what there is: `connected` takes Fabrics commands on queue 0, `identified` has no
  // namespaces and no I/O queues.
  enum class depth : std::uint8_t { transport, connected, enabled, identified, ready };
  depth until = depth::ready;
};

// The stages in the order of their names: each is reported once, when it ends.
enum class host_stage : std::uint8_t {
  resolve,
  connect,
  exchange,
  fabrics_connect,
  properties,
  enable,
  identify,
  namespaces,
  io_queues,
  ready,
  shutdown
};
std::string_view stage_name(host_stage s);  // "resolve" "tcp" "ic" "connect" "properties" ...
// As it is called over this transport: "cm" with rdma, for what is "tcp" and "ic" with TCP.
std::string_view stage_name(host_stage s, std::string_view transport);

struct stage_report {
  host_stage stage;
  duration took{};
  // What was sent and what came back, for a person: {"KATO", "5000 ms"}.
  std::vector<std::pair<std::string, std::string>> sent, got;
  std::string verdict;  // "ok", or what is remarkable: "4 queues asked, 2 granted"
  bool failed = false;
  std::string_view transport = "tcp";  // static text
  std::string_view name() const { return stage_name(stage, transport); }
};

// Why the association is not, or no longer, up.
struct host_failure {
  host_stage stage;
  std::error_code code;  // transport failure, if any
  // The controller's answer, if that was it; Authentication Required also when Connect succeeded
  // and said so (AUTHREQ).
  nvme_status status{};
  std::uint8_t opcode = 0;  // of the command that was refused (7Fh: Fabrics)
  std::uint8_t fctype = 0;
  std::uint32_t cqe_dw0 = 0;        // Connect: IPO and IATTR
  std::vector<std::byte> sent_sqe;  // of that command, 64 bytes, and its data
  std::vector<std::byte> sent_data;
  std::optional<protocol_error> violation;  // code == protocol_violation or terminated
  std::string detail;                       // one sentence: what was tried and what came back
  std::string_view transport = "tcp";       // static text
  std::string_view stage_name() const { return nvmf::stage_name(stage, transport); }
};

// A limit in force and where it comes from, for the limits report.
struct limit_row {
  std::string name;    // "MDTS"
  std::string value;   // "5 (131072 bytes)"
  std::string source;  // "Identify Controller", "ICResp", "Connect", "option --queue-size"
};

struct namespace_info {
  std::uint32_t nsid = 0;
  std::uint64_t blocks = 0;      // NSZE
  std::uint32_t block_size = 0;  // bytes
  std::uint16_t metadata_size = 0;
};

// What became of one command.
struct command_result {
  std::error_code error;  // transport: no CQE came (aborted, timed_out, closed, data_digest, ...)
  nvme_status status{};   // valid when has_cqe
  bool has_cqe = false;
  bool sqhd_valid = false;
  cqe_bytes cqe{};
  std::size_t bytes = 0;  // moved to or from the memory
  bool ok() const { return !error && status.ok(); }
};
using command_callback = std::move_only_function<void(const command_result&)>;

class association {
 public:
  struct callbacks {
    std::move_only_function<void(const stage_report&)> on_stage;  // may be empty
    // Exactly once; with errc::aborted from within the destructor or shutdown() when it was not up
    // yet.
    std::move_only_function<void(std::expected<void, host_failure>)> on_up;
    // After on_up succeeded: the association is lost; at most once. Commands have ended by then.
    std::move_only_function<void(const host_failure&)> on_lost;
    // An asynchronous event completed; the host has read the log page that it names and re-armed
    // it.
    std::move_only_function<void(std::uint32_t dw0, std::span<const std::byte> log)> on_async_event;
  };

  // Starts the bring-up. `registry` and what options.watched_by points to outlive the association.
  static std::unique_ptr<association> start(const transport_registry& registry, executor& on,
                                            association_options options, callbacks calls);
  virtual ~association() = default;  // as close(abort)

  // Sends a command on queue `qid` (0: admin). The SQE's CID and SGL are filled in. Waits in a FIFO
  // while the queue is full. `done` runs once, after both the data and the CQE are settled; a
  // command that is not done after `timeout` (0: the default of the options) is cancelled with
  // Abort and ends as timed_out. `mem` is borrowed until `done`. Errors beyond those of the
  // transport: aborted (not up, or going down), invalid_argument (no such queue, memory that cannot
  // be written); when the association is lost, the error that it was lost by.
  virtual void submit(std::uint16_t qid, std::span<const std::byte, 64> sqe, const memdesc& mem,
                      direction way, std::chrono::milliseconds timeout, command_callback done) = 0;

  // Clean end: CC.SHN normal, wait for CSTS.SHST, close all queues; at most options.timeout.
  // Commands that are out end as aborted. Errors: timed_out, refused (an error status),
  // controller_fatal, closed and the transport's; the queues are closed in any case.
  virtual void shutdown(std::move_only_function<void(std::error_code)> done) = 0;

  virtual bool up() const = 0;
  virtual std::uint16_t controller_id() const = 0;
  virtual std::uint32_t io_queues() const = 0;  // granted and connected
  virtual qpair_limits queue_limits(std::uint16_t qid) const = 0;
  // The qpair of a queue (0: admin), for debuggers: to pause, step, tamper with and look inside;
  // nullptr when there is none (yet, or any more). It stays the association's: it must not be
  // closed, moved or given commands, and responses go to the association. Time limits of commands
  // and Keep Alive go on while it is paused; what they end is called back once it goes on or is
  // closed. Good until the association is lost, shut down or destroyed.
  virtual qpair* queue(std::uint16_t qid) = 0;
  virtual std::span<const std::byte> identify_controller() const = 0;  // 4096 bytes once identified
  virtual const std::vector<namespace_info>& namespaces() const = 0;
  virtual std::vector<limit_row> limits() const = 0;
  // Largest data of one I/O command in bytes: the least of MDTS and the transport's limit;
  // FFFFFFFFh, the most an SGL descriptor can say, when there is neither.
  virtual std::uint64_t max_transfer() const = 0;
};

// An entry of the discovery log, raw 1024 bytes: decode with wire::discovery_entry_layout.
using discovery_entry = std::array<std::byte, 1024>;
struct discovery_log {
  std::uint64_t generation = 0;  // GENCTR
  std::vector<discovery_entry> entries;
};
// Reads the whole discovery log of an association with a discovery controller, in pieces, again
// when GENCTR moved meanwhile (at most 8 times); at most 16384 entries (limit_exceeded). A failure
// has the stage ready and says in its detail what is wrong with the log, or with which command.
void read_discovery_log(
    association& with,
    std::move_only_function<void(std::expected<discovery_log, host_failure>)> done);

}  // namespace nvmf
