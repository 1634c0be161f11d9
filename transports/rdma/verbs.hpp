// SPDX-License-Identifier: BSD-2-Clause
// What an NVMe/RDMA qpair needs of an RDMA device and of the connection manager, and nothing else.
// librdmacm and libibverbs stand behind it in a program, a device made of memory in tests. None of
// their types is seen here, so a build without rdma-core has the protocol and all its tests.
//
// A `link` is one connection: its identifier at the connection manager, its reliable connected
// queue pair with two completion queues, one for what is received and one for work requests, and
// the memory registered for it. It lives on one executor: calls come there, and so do events, never
// from within a call.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <nvmf/executor.hpp>
#include <nvmf/transport.hpp>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace nvmf::rdma {

struct device_limits {
  std::uint32_t max_work_requests = 0;  // of one send queue, and of one receive queue
  std::uint32_t max_completions = 0;    // entries of one completion queue; each queue has its own
  std::uint32_t max_pieces = 0;         // scatter/gather entries of a work request
  std::uint32_t max_inline = 0;         // bytes that a send may carry within its work request
  std::uint32_t max_reads_out = 0;      // RDMA READs that we may have outstanding on a queue pair
  std::uint32_t max_reads_in = 0;  // RDMA READs of the peer's that the device answers at a time
  std::uint64_t max_region = 0;    // bytes of one registration
  bool windows = false;  // keys can be bound to a part of a region, and taken back by a message
};

// What a region may be used for, beside being read from here. read_sink: what an RDMA READ fetches
// is written there; it goes with local_write. Flags.
enum class access : std::uint8_t {
  local = 0,
  local_write = 1,
  remote_read = 2,
  remote_write = 4,
  read_sink = 8
};
constexpr access operator|(access a, access b) {
  return static_cast<access>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool allows(access has, access wanted) {
  return (static_cast<unsigned>(has) & static_cast<unsigned>(wanted)) ==
         static_cast<unsigned>(wanted);
}

// Registered memory. The device may touch it until it is destroyed, and not afterwards.
class region {
 public:
  virtual ~region() = default;
  std::span<std::byte> bytes() const { return bytes_; }
  std::uint32_t local_key() const { return local_key_; }
  std::uint32_t remote_key() const { return remote_key_; }

 protected:
  std::span<std::byte> bytes_;
  std::uint32_t local_key_ = 0;
  std::uint32_t remote_key_ = 0;
};

// One scatter/gather entry.
struct piece {
  std::byte* data = nullptr;
  std::uint32_t length = 0;
  std::uint32_t key = 0;  // local
};

enum class work_kind : std::uint8_t {
  receive,
  send,
  send_invalidate,  // and the peer's `remote_key` is no longer valid when it has arrived
  write,            // RDMA WRITE
  read,             // RDMA READ
  bind,             // makes `remote_key` valid for the one piece, with `rights`
  invalidate,       // takes `remote_key`, one of ours, back
};
std::string_view work_name(work_kind kind);  // "RDMA WRITE"

// The caller keeps the memory of the pieces until the request is done, unless it is `inlined`; the
// array of pieces only until post returns.
struct work_request {
  work_kind kind = work_kind::send;
  std::uint64_t id = 0;
  std::span<const piece> pieces{};
  bool signalled = true;  // success is told; an error always is
  bool inlined = false;   // the bytes are taken by post
  bool fence = false;     // begins when the RDMA READs before it are done
  std::uint64_t remote_address = 0;
  std::uint32_t remote_key = 0;
  access rights = access::local;
};

enum class work_status : std::uint8_t {
  success,
  local_length,            // a message was longer than the receive it met
  local_queue,             // a work request that the queue pair cannot do
  local_protection,        // a piece is not within its region
  flushed,                 // the queue pair is in the error state
  bind_error,              // a window could not be bound or taken back
  bad_response,            // the peer's device answered nonsense
  remote_invalid_request,  // the peer's device found our message too long, or not allowed
  remote_access,           // the key, the range or the rights are not right at the peer
  remote_operation,        // the peer's device could not do it
  retries_exceeded,        // the peer does not answer any more
  not_ready_exceeded,      // the peer has no receive posted
  fatal,                   // the device says that it cannot go on
};
inline constexpr int work_statuses = static_cast<int>(work_status::fatal) + 1;
std::string_view status_name(work_status status);  // "remote access error"
std::error_code error_of(work_status status);      // what a queue that ends by it ends with

struct completion {
  std::uint64_t id = 0;
  work_kind kind = work_kind::send;
  work_status status = work_status::success;
  std::uint32_t length = 0;           // receive: bytes that came
  bool invalidated = false;           // receive: by a send_invalidate,
  std::uint32_t invalidated_key = 0;  // which took this key of ours back
};

// What has become of several work requests: the first `taken` are posted, the next is not because
// of `error`, and those behind it are not either.
struct posting {
  std::size_t taken = 0;
  std::error_code error{};
};

// What a queue pair is made with. All within the limits of the device.
struct queue_shape {
  std::uint32_t sends = 0;     // work requests, and room for as many completions
  std::uint32_t receives = 0;  // likewise
  std::uint32_t pieces = 1;
  std::uint32_t inlined = 0;  // bytes
};

// What either end tells the connection manager of the other.
struct cm_terms {
  std::span<const std::byte> private_data{};
  std::uint8_t reads_out = 0;  // RDMA READs that the teller wants to have outstanding
  std::uint8_t reads_in = 0;   // that it answers at a time
};

enum class cm_event_kind : std::uint8_t {
  resolved,      // there is a device and a way to the address
  established,   // terms: of the other end
  rejected,      // refused_by; terms.private_data: of the one who said no, if there was any
  failed,        // resolving or connecting did not work; error and text say why
  disconnected,  // by either end
  removed,       // the device goes away, or its address does
};
enum class cm_refusal : std::uint8_t {
  nobody,    // nobody listens there
  listener,  // who listens there has said no, or let go of the request
  way,       // something on the way there; told as failed
};
struct cm_event {
  cm_event_kind kind{};
  cm_terms terms{};
  cm_refusal refused_by = cm_refusal::nobody;
  std::error_code error{};
  std::string_view text{};
  bool name = false;  // failed: the name of the host is not known
};

class link_events {
 public:
  virtual void on_cm(const cm_event& e) = 0;
  // There may be completions of what was armed. May come once too often.
  virtual void on_completions() = 0;

 protected:
  ~link_events() = default;
};

// Destroying it ends the connection at once: the peer is told, and when the destructor returns the
// device touches no memory of it any more. That may be done from within an event. Regions may
// outlive it.
class link {
 public:
  virtual ~link() = default;

  // Who is told; nullptr for nobody. Before anything else, and again when that changes. Events that
  // found nobody are told to the next.
  virtual void tell(link_events* who) = 0;
  // From now on it lives there. Before make_queue.
  virtual void move_to(executor& on) = 0;

  // --- The connection manager --------------------------------------------------------------------
  // Finds a device that has a way to `to`: resolved or failed follows.
  virtual void resolve(const endpoint& to, const std::string& source,
                       std::chrono::milliseconds timeout) = 0;
  // established, rejected or failed follows.
  virtual std::error_code connect(const cm_terms& terms) = 0;
  virtual std::error_code accept(const cm_terms& terms) = 0;
  virtual void reject(std::span<const std::byte> private_data) = 0;
  // What has not left is lost. All work requests are flushed, disconnected follows.
  virtual void disconnect() = 0;
  virtual std::string peer() const = 0;  // "192.0.2.1:4420"
  virtual std::string local() const = 0;
  virtual endpoint reached() const = 0;

  // --- The device; once there is a way to the peer -----------------------------------------------
  virtual const device_limits& limits() const = 0;
  virtual std::error_code make_queue(const queue_shape& shape) = 0;
  virtual std::expected<std::unique_ptr<region>, std::error_code> allocate(std::size_t bytes,
                                                                           access rights) = 0;
  // A key that work_kind::bind makes valid, each time with other low eight bits. It lives as long
  // as the link.
  virtual std::expected<std::uint32_t, std::error_code> make_window() = 0;
  // In their order, with one call of the device; any kind but receive. A request that has not been
  // signalled holds its place in the queue until one behind it has been polled that was.
  virtual posting post_all(std::span<const work_request> chain) = 0;
  std::error_code post(const work_request& work) { return post_all({&work, 1}).error; }
  virtual std::error_code post_receive(std::uint64_t id, const piece& into) = 0;
  // Takes completions and says how many: of work requests, the oldest first, then of receives,
  // likewise. What was done before something was received is told before it.
  virtual std::size_t poll(std::span<completion> into) = 0;
  // on_completions is called once when something has been received since. Whoever arms polls
  // afterwards, too. What is armed already stays so, and that costs nothing.
  virtual void arm() = 0;
  // Likewise for work requests, which as a rule nobody waits for.
  virtual void arm_sends() = 0;
  // Into the error state: nothing leaves or arrives any more, all that is posted is flushed.
  virtual void fail() = 0;
};

// A request that has come to a listener. The link has a device already; it is accepted, rejected or
// let go of.
struct cm_request_event {
  std::unique_ptr<link> from;
  cm_terms terms{};  // of the host
};

class port {
 public:
  virtual ~port() = default;
  virtual endpoint where() const = 0;
  // `tell` hears, in words for a log, when there is nothing to listen on any more, and when there
  // is again. As of nvmf::listener.
  virtual void on_trouble(std::function<void(std::string_view)> tell) { static_cast<void>(tell); }
};

// The way in: the connection manager of this machine.
class verbs {
 public:
  virtual ~verbs() = default;
  virtual std::expected<std::unique_ptr<link>, std::error_code> open(executor& on) = 0;
  virtual std::expected<std::unique_ptr<port>, std::error_code> listen(
      executor& on, const endpoint& at, std::function<void(cm_request_event)> on_request) = 0;
};

}  // namespace nvmf::rdma
