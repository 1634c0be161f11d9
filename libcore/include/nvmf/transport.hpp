// SPDX-License-Identifier: BSD-2-Clause
// For authors of transports, and for programs that choose among them.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "qpair.hpp"

namespace nvmf {

// What every kind of capsule slot begins with. A transport derives its own slots from it and keeps
// them in a fixed array; the index of a host's command slot is its CID.
struct capsule_slot {
  transport_qpair* owner = nullptr;
  bool command = true;
  bool sqhd_valid = true;
  bool transmitted = false;  // host command: the peer has it or will
  bool handle_live = false;  // a capsule points here
  std::uint16_t index = 0;
  alignas(8) std::array<std::byte, 64> entry{};  // SQE, or CQE in the first 16 bytes
  // Host: the one piece of data a command may have.
  memdesc data{};
  std::uint32_t length = 0;
  direction way = direction::none;
  data_callback on_data{};
};

// The provider's side of a qpair: near ten functions. Contracts are those of qpair.hpp; calls come
// on the qpair's executor; arguments have been checked for role and range by class qpair.
class transport_qpair {
 public:
  virtual ~transport_qpair() = default;

  virtual void start(qpair_callbacks callbacks) = 0;
  virtual void set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control) = 0;
  virtual void set_max_in_capsule(std::uint32_t bytes) = 0;
  virtual qpair_limits limits() const = 0;

  virtual capsule_slot* allocate(bool command) = 0;       // nullptr: none free
  virtual void release(capsule_slot* slot) noexcept = 0;  // the handle is gone
  virtual std::error_code transmit(capsule_slot* slot) = 0;
  virtual std::error_code withdraw_data(capsule_slot* slot, std::error_code error) = 0;

  virtual nvme_status validate_command(const capsule_slot* slot) const = 0;
  virtual std::span<const std::byte> in_capsule_data(const capsule_slot* slot) const = 0;
  virtual std::error_code receive_controller_data(capsule_slot* slot, std::uint32_t offset,
                                                  const memdesc& mem, std::uint32_t length,
                                                  data_callback done) = 0;
  virtual send_answer send_controller_data(capsule_slot* slot, std::uint32_t offset, buffer data,
                                           bool last) = 0;
  virtual std::error_code tamper(tamperer*) { return errc::not_supported; }
  virtual std::error_code misbehave(misdeed, std::uint16_t) { return errc::not_supported; }
  virtual std::error_code pause() { return errc::not_supported; }
  virtual std::error_code resume() { return errc::not_supported; }
  virtual bool paused() const { return false; }
  virtual qpair_action next_action() const { return {}; }
  virtual std::error_code step(pause_callback, action_kind) { return errc::not_supported; }
  virtual std::error_code break_when(break_condition, pause_callback) {
    return errc::not_supported;
  }
  virtual std::error_code send_raw(std::span<const std::byte>) { return errc::not_supported; }
  virtual std::error_code cut_writes(std::span<const std::size_t>) { return errc::not_supported; }
  // `show` has who(), the limits and the capsules held; the transport adds what it knows.
  virtual void show_inside(qpair_inside& show) const { static_cast<void>(show); }
  virtual void close(bool clean) = 0;
  // Runs `t` on the executor after the current callback, before anything else of this qpair:
  // for completions that must not run inside the call that causes them.
  virtual void defer(task t) = 0;

  // Fixed for life; set by the constructor of the derived class.
  struct identity {
    std::uint32_t id = 0;
    nvmf::role side = role::host;
    capabilities caps{};
    std::string peer, local;
    executor* runs_on = nullptr;
    observer* watched_by = nullptr;
  };
  const identity& who() const { return who_; }

  // Capsules of this qpair that the program holds.
  std::size_t capsules_held() const { return handles_; }

  // A handle of a slot that allocate returned or that carries a received capsule.
  capsule make_handle(capsule_slot* slot);

 protected:
  identity who_;

 private:
  friend class capsule;
  friend class qpair;
  void let_go(capsule_slot* slot) noexcept;

  std::size_t handles_ = 0;                // capsules that point here
  std::shared_ptr<transport_qpair> self_;  // set once freed while capsules are still held
};

// Next number for identity::id; process-wide, thread safe.
std::uint32_t next_qpair_id() noexcept;

// What both sides may ask of a connection. Fields that a transport has no use for are ignored.
struct transport_options {
  bool header_digest = false;  // host: asks; controller: allows
  bool data_digest = false;
  std::uint32_t alignment = 4;          // bytes, 4..128 in steps of 4: HPDA or CPDA
  std::uint32_t max_r2t = 1;            // host: outstanding R2Ts per command, 1's based
  std::uint32_t max_h2c_data = 262144;  // controller: bytes per H2CData PDU, >= 4096, multiple of 4
  std::uint32_t max_in_capsule = 8192;  // controller: bytes of in-capsule data on I/O queues
  std::string source_address;           // host: local address to bind
  std::chrono::milliseconds connect_timeout{10'000};  // TCP connect or CM
  std::chrono::milliseconds ic_timeout{10'000};       // IC exchange
  std::chrono::milliseconds linger{1'000};            // TermReq: wait for the peer to close
  // Controller: how long not a byte may move while the host owes us some (the rest of a PDU, data
  // that we have asked for) or does not read ours; 0: for ever. A host waits for its commands.
  std::chrono::milliseconds stall_timeout{30'000};
};

struct qpair_params {
  role side = role::host;
  bool admin = true;
  std::uint16_t qid = 0;
  std::uint32_t queue_size = 32;  // entries
  bool sq_flow_control = true;
  transport_options options{};
  observer* watched_by = nullptr;  // may be null; outlives the qpair
};

// Says which parameter is out of its range, if any: queue_size 2..4096 (admin) or 2..65536,
// alignment 4..128 in steps of 4, max_h2c_data >= 4096 and a multiple of 4, max_r2t 1..65536,
// admin exactly when qid is 0. Static text.
std::expected<void, std::string_view> check(const qpair_params& params);

struct endpoint {
  std::string host;  // name or address, IPv6 without brackets; loop: the name
  std::uint16_t port = 0;
};

// Why a connection could not be made.
enum class connect_stage : std::uint8_t { resolve, connect, exchange };
// What the transport did on its way, for the narration: each with its time.
struct connect_step {
  std::string_view name;  // "resolve", "tcp", "ic"
  duration took{};
  std::vector<std::pair<std::string, std::string>> values;  // "HPDA" -> "0 (4 bytes)"
};
struct connect_error {
  connect_stage stage = connect_stage::connect;
  std::error_code code;
  protocol_error violation{};         // stage exchange
  std::string detail;                 // for a person: "no answer to ICReq within 10 s"
  std::vector<connect_step> steps{};  // that went well before
  duration took{};                    // of the step that failed
};
struct connected {
  qpair queue;
  std::vector<connect_step> steps;
  // The address that was reached, numeric, so that the other queues of an association go to the
  // same place though the name has several addresses. An empty host: use what was asked for.
  endpoint reached{};
};
using connect_callback = std::move_only_function<void(std::expected<connected, connect_error>)>;
// Stops a connect that is under way; its callback then runs with errc::aborted. Destroying it does
// not stop anything. Harmless when it is done.
class connect_attempt {
 public:
  virtual ~connect_attempt() = default;
  virtual void cancel() = 0;
};

// Passive side. Destroying a listener stops it; qpairs that it made live on.
class listener {
 public:
  virtual ~listener() = default;
  virtual endpoint where() const = 0;  // with the port that was picked
  // `tell` hears of trouble with taking connections, in words for a log, on the listener's
  // executor. Called there, or before it runs.
  virtual void on_trouble(std::function<void(std::string_view)> tell) { static_cast<void>(tell); }
};
// Runs on the executor that the new qpair lives on. The qpair is not started yet.
using accept_callback = std::function<void(qpair)>;
// Names the executor that the next accepted connection will live on.
using executor_chooser = std::function<executor&()>;

// A provider. Several of one type may be registered: higher priority is asked first.
class transport {
 public:
  virtual ~transport() = default;
  virtual std::string_view type() const = 0;  // "tcp", "rdma", "loop"
  virtual int priority() const = 0;
  // False declines, and the next provider is asked.
  virtual bool accepts(const qpair_params& params) const = 0;
  virtual std::shared_ptr<connect_attempt> connect(executor& on, const endpoint& to,
                                                   const qpair_params& params,
                                                   connect_callback done) = 0;
  virtual std::expected<std::unique_ptr<listener>, std::error_code> listen(
      executor& on, const endpoint& at, const qpair_params& params, executor_chooser choose,
      accept_callback accept) = 0;
  // Qpairs alive.
  virtual std::size_t qpairs() const = 0;
};

// The transports a program uses. Not global: whoever needs one is handed it.
class transport_registry {
 public:
  void add(std::shared_ptr<transport> provider);
  // busy while one of its qpairs lives.
  std::error_code remove(const transport* provider);
  // The first that accepts, by priority; no_transport or transport_refused.
  std::expected<std::shared_ptr<transport>, std::error_code> find(std::string_view type,
                                                                  const qpair_params& params) const;
  std::vector<std::shared_ptr<transport>> all() const { return providers_; }

 private:
  std::vector<std::shared_ptr<transport>> providers_;  // by descending priority
};

}  // namespace nvmf
