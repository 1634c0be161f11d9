// SPDX-License-Identifier: BSD-2-Clause
// Queue pairs and capsules: the layer between a transport and a host or controller.
//
// Rules that hold for every function here:
// - A qpair lives on one executor; all calls are made there and all callbacks run there.
// - A callback runs exactly once and never before the call that caused it returns. The one
// exception
//   is qpair::close and the destructor, which complete what is in flight before they return (when
//   called from within a callback of the same qpair: right after that callback returns).
// - Memory given by memdesc is the caller's again when the callback runs, and not before.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <system_error>

#include "buffer.hpp"
#include "error.hpp"
#include "event.hpp"
#include "executor.hpp"
#include "memdesc.hpp"
#include "status.hpp"
#include "step.hpp"
#include "tamper.hpp"

namespace nvmf {

enum class role : std::uint8_t { host, controller };

// As the host sees it: `send` is data that travels to the controller.
enum class direction : std::uint8_t { none, send, receive };

// What a transport's qpairs are able to do; fixed for the life of a qpair.
struct capabilities {
  bool keyed_sgl = false;              // data is addressed by keyed SGL descriptors (RDMA)
  bool offset_sgl = false;             // in-capsule data by an offset SGL
  bool unordered_data = false;         // pieces of a read may arrive in any order
  bool always_needs_response = false;  // send_controller_data never answers success_sent
  bool transport_buffers = false;      // payload must lie in buffers of the transport
  // The controller moves data without the host taking part (RDMA). The data of a host's command
  // ends with its response: all of it when that is success, 0 bytes of it when it is not or never
  // comes.
  bool unseen_data = false;
  // There is no message that says why a connection ends: a peer that broke the protocol, or whose
  // connection is terminated, is told closed or reset.
  bool unseen_cause = false;
  std::uint32_t admin_in_capsule = 8192;  // bytes of data in a capsule of the Admin Queue
};

using sqe_bytes = std::array<std::byte, 64>;
using cqe_bytes = std::array<std::byte, 16>;

// bytes: how many reached (or left) the memory; error: none when all that was asked was done.
// The endings of a host command's data, each exactly once:
//   all moved                                        (length, none)
//   the command completed with an error status       (bytes so far, none): the CQE tells
//   a read whose controller said `last` early        (bytes, none)
//   a read that completed well with data missing     (bytes so far, data_incomplete)
//   a write that completed before all was fetched    (bytes so far, none)
//   a data digest did not match                      (bytes so far, data_digest)
//   the connection was lost                          (bytes so far, closed, reset, ...)
//   the qpair was closed, or the capsule let go of before it was transmitted
//                                                    (bytes so far, aborted)
using data_callback = std::move_only_function<void(std::size_t bytes, std::error_code error)>;

// Answers of send_controller_data, as the ancestor has them.
enum class send_result : std::uint8_t {
  success,       // all data of the command has been taken: transmit your response capsule
  success_sent,  // likewise, and the transport reports success itself: transmit nothing
  more,          // taken; the command has more data to send
  failed,        // nothing was sent: transmit a response with `status`
};
struct send_answer {
  send_result result;
  nvme_status status{};  // result == failed
};

class transport_qpair;  // transport.hpp: what a transport implements
struct capsule_slot;    // transport.hpp

// A command or response capsule: a move-only handle of a slot that the qpair owns. Letting go of
// the handle gives the slot back. It may outlive its qpair, after which only sqe(), cqe() and
// destruction are allowed.
class capsule {
 public:
  capsule() = default;
  explicit capsule(capsule_slot* slot) : slot_(slot) {}
  capsule(capsule&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
  capsule& operator=(capsule&& other) noexcept;
  capsule(const capsule&) = delete;
  capsule& operator=(const capsule&) = delete;
  ~capsule() { reset(); }

  explicit operator bool() const { return slot_ != nullptr; }
  void reset() noexcept;

  bool is_command() const;
  // The 64 bytes of the SQE of a command. Host: may be changed until transmit (all but the CID).
  std::span<std::byte, 64> sqe();
  std::span<const std::byte, 64> sqe() const;
  // The 16 bytes of the CQE of a response.
  std::span<const std::byte, 16> cqe() const;
  std::uint16_t cid() const;
  // Response on the host: false when the transport made it up from a SUCCESS flag (SQHD is not
  // told).
  bool sqhd_valid() const;

  capsule_slot* slot() const { return slot_; }

 private:
  capsule_slot* slot_ = nullptr;
};

struct qpair_callbacks {  // both must be there
  // Host: a response capsule. Controller: a command capsule. The callee owns it.
  std::move_only_function<void(capsule)> on_receive;
  // At most once. error 0: clean close by the peer at a PDU boundary. After it nothing is received;
  // what was in flight has been completed or is when the qpair is closed.
  std::move_only_function<void(const qpair_error&)> on_error;
};

// What has been settled for a qpair; for the limits report.
struct qpair_limits {
  std::uint32_t queue_size = 0;      // entries
  std::uint32_t max_transfer = 0;    // bytes per command, 0: no limit of the transport's
  std::uint32_t max_in_capsule = 0;  // bytes of data a command capsule may carry on this queue
  std::uint32_t max_h2c_data = 0;    // bytes per H2CData PDU (TCP)
  std::uint32_t max_r2t = 0;         // outstanding R2Ts per command, 1's based (TCP)
  std::uint32_t host_alignment = 4;  // bytes: HPDA (TCP)
  std::uint32_t controller_alignment = 4;  // bytes: CPDA (TCP)
  bool header_digest = false;
  bool data_digest = false;
  bool sq_flow_control = true;
};

// Move-only owner of one qpair.
class qpair {
 public:
  qpair() = default;
  explicit qpair(std::shared_ptr<transport_qpair> impl) : impl_(std::move(impl)) {}
  qpair(qpair&&) noexcept = default;
  qpair& operator=(qpair&& other) noexcept;
  ~qpair() { close(); }

  explicit operator bool() const { return impl_ != nullptr; }

  // Nothing is received and no callback runs before start; what arrives before waits, and what is
  // transmitted before may. Once.
  void start(qpair_callbacks callbacks);

  // Both sides. Host and controller tell the transport what Connect settled: the queue's identity,
  // its size in entries (2..4096 admin, 2..65536 I/O) and whether SQ flow control is on. The
  // controller calls it before it transmits the Connect response, the host after it got it.
  std::error_code set_queue(std::uint16_t qid, std::uint32_t queue_size, bool sq_flow_control);
  // Host, I/O queues: in-capsule data limit from Identify (IOCCSZ - 4) * 16 bytes. The admin queue
  // has 8192 (NVMe/TCP 3.2.4). Controller: the limit that it advertises.
  void set_max_in_capsule(std::uint32_t bytes);

  std::uint32_t id() const;  // number of this qpair in the process, from 1
  nvmf::role side() const;
  const capabilities& caps() const;
  qpair_limits limits() const;
  std::string peer() const;  // "127.0.0.1:4420", for messages
  std::string local() const;
  executor& runs_on() const;

  // Host. A command capsule with a copy of `sqe`; its CID is set to the slot's and PSDT to SGL.
  // queue_full when all slots are taken.
  std::expected<capsule, std::error_code> allocate_command(std::span<const std::byte, 64> sqe);
  // Host, once per capsule, before transmit: describes the command's data. busy: data is attached
  // already (which stays); length 0 attaches nothing and `done` never runs. length <= mem.size().
  std::error_code append_data(capsule& command, const memdesc& mem, std::size_t length,
                              direction way, data_callback done);
  // Host: writes SGL 1 and queues the capsule; capsules leave in call order. The handle stays with
  // the caller, who lets go of it when the response has come: until then the CID is taken. Letting
  // go earlier is allowed: the slot stays taken until the response comes.
  std::error_code transmit(capsule& command);
  // Host: a capsule that was never transmitted: its data callback runs with (0, error).
  void abort_data(capsule& command, std::error_code error);
  // Host: withdraws the memory of a transmitted command: no byte of it is read or written after
  // the call, its data callback runs with (bytes so far, error). Late data of the peer is
  // discarded. The CID stays taken until a response comes. not_supported where a peer writes memory
  // itself (RDMA).
  std::error_code withdraw_data(capsule& command, std::error_code error);

  // Controller. A response capsule with a copy of `cqe`. SQHD is filled in by the transport.
  std::expected<capsule, std::error_code> allocate_response(std::span<const std::byte, 16> cqe);
  // Controller: queues a response capsule behind all data given for its command.
  std::error_code transmit_response(capsule response);
  // Controller: checks PSDT, SGL type, offset and length of a command; ok() when usable. Call
  // before any other use (NVMe/TCP 3.3, Base 4.3).
  nvme_status validate_command(const capsule& command) const;
  // Controller: SGL length, bytes.
  std::uint32_t data_length(const capsule& command) const;
  // Controller: data of the command that came in its capsule; empty when it did not. Valid until
  // the capsule is let go. Its digest has been checked.
  std::span<const std::byte> in_capsule_data(const capsule& command) const;
  // Controller: fetches [offset, offset + length) of the host's data into mem; as often as wanted,
  // pieces run in call order. Errors out_of_range, wrong_role: `done` never runs. data_digest
  // arrives by `done`.
  std::error_code receive_controller_data(const capsule& command, std::uint32_t offset,
                                          const memdesc& mem, std::uint32_t length,
                                          data_callback done);
  // Controller: sends `data` as bytes [offset, offset + data.size()) of the command's data. Offsets
  // ascend without gaps. The buffer is consumed even on failure. `last`: this is the last of the
  // command's data even if less than its SGL length.
  send_answer send_controller_data(const capsule& command, std::uint32_t offset, buffer data,
                                   bool last = false);

  // Shows `by` all that leaves from now on, until the qpair is closed or it is given nullptr.
  // not_supported where the transport has no place for it.
  std::error_code tamper(tamperer* by);
  // not_supported where the transport cannot do that. Terminate and reset end the qpair: on_error
  // runs with aborted, or reset. `fes`: the Fatal Error Status of terminate (NVMe/TCP 3.6.2.4).
  std::error_code misbehave(misdeed what, std::uint16_t fes = 1);

  // --- For debuggers; see step.hpp. not_supported where the transport has no place for it
  // ---------

  // From now on nothing is read, written or called back; see step.hpp. Allowed at any time, also
  // before start and from within a callback of the qpair, which is then the last one. Calls off a
  // step that has not ended. Harmless when it is paused already.
  std::error_code pause();
  // Goes on; also when it was not paused.
  std::error_code resume();
  bool paused() const;  // also while a step is under way
  // What step would do: what is owed comes first, then what waits to leave, then what has arrived.
  qpair_action next_action() const;
  // Lets one action be done; if there is none yet, the first that there is. `which` (send or
  // receive) makes the choice where both are possible. Answers at once; `done` runs once, when the
  // qpair is paused again. Errors: invalid_argument (not paused, or `which` is neither), busy (a
  // step is under way, or `which` was given while a callback is owed).
  std::error_code step(pause_callback done = {}, action_kind which = action_kind::nothing);
  // A break point: the qpair pauses by itself after the action in which an event was emitted that
  // `when` says yes to, before anything else is read, written or called back; at once when the
  // event came of a call. `told` runs each time, and event `paused` is emitted. While there is a
  // condition PDUs are read and written one by one. One at a time: {} for none.
  std::error_code break_when(break_condition when, pause_callback told = {});
  // These bytes leave as they are, behind what waits now. They are copied; nothing is accounted
  // for, and no tamperer sees them. Errors: invalid_argument (none), those of a lost connection.
  std::error_code send_raw(std::span<const std::byte> bytes);
  // The bytes that leave next are cut where these sizes say: {1, 7} ends a write after one byte
  // and another after seven more. Pieces are written one by one, and not joined with what follows.
  // {} takes back what has not been used. (To join PDUs instead: pause, send, resume.)
  std::error_code cut_writes(std::span<const std::size_t> sizes);
  // What is inside, for a person. Costs something only when it is called.
  qpair_inside inside() const;

  // Ends the qpair: everything in flight completes with errc::aborted, nothing of it touches user
  // memory afterwards. Never deadlocks; again is harmless. `clean` lets queued bytes leave first,
  // for a bounded time, without holding the caller: callbacks have run all the same.
  void close(bool clean = true);

  transport_qpair* implementation() const { return impl_.get(); }

 private:
  std::shared_ptr<transport_qpair> impl_;
};

}  // namespace nvmf
