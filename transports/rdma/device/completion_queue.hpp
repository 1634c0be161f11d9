// SPDX-License-Identifier: BSD-2-Clause
// A completion queue of a link, and what has been asked of it and taken from it.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include <infiniband/verbs.h>

namespace nvmf::rdma {

class completion_queue {
 public:
  completion_queue() = default;
  completion_queue(const completion_queue&) = delete;
  completion_queue& operator=(const completion_queue&) = delete;
  ~completion_queue() { end(); }

  std::error_code make(ibv_context* device, std::uint32_t entries, ibv_comp_channel* tells) {
    queue_ = ::ibv_create_cq(device, static_cast<int>(entries), nullptr, tells, 0);
    return queue_ != nullptr ? std::error_code{} : std::error_code{errno, std::system_category()};
  }
  // No queue pair may be left that uses it.
  void end() {
    if (queue_ == nullptr) return;
    // It waits for those that have not been acknowledged.
    ::ibv_ack_cq_events(queue_, std::exchange(unacknowledged_, 0));
    ::ibv_destroy_cq(std::exchange(queue_, nullptr));
    taken_ = next_ = 0;
  }
  ibv_cq* get() const { return queue_; }
  bool is(const ibv_cq* other) const { return queue_ == other; }

  // True: it was not armed already.
  bool arm() { return !std::exchange(armed_, true); }
  bool armed() const { return armed_; }
  void request_event() { ::ibv_req_notify_cq(queue_, 0); }
  // An event of it has been read, or what was armed has been found by asking.
  void on_event() {
    armed_ = false;
    if (++unacknowledged_ == acknowledged_at_a_time)
      ::ibv_ack_cq_events(queue_, std::exchange(unacknowledged_, 0));
  }
  void on_found() { armed_ = false; }

  // Some are taken over from the device; false: there are none.
  bool look() {
    if (next_ != taken_) return true;
    const int n = ::ibv_poll_cq(queue_, static_cast<int>(some_.size()), some_.data());
    next_ = 0;
    taken_ = n > 0 ? static_cast<std::size_t>(n) : 0;
    return taken_ != 0;
  }
  // The next of those; nullptr: none is left.
  const ibv_wc* take() { return next_ == taken_ ? nullptr : &some_[next_++]; }

 private:
  // Each time takes a lock.
  static constexpr unsigned acknowledged_at_a_time = 128;
  ibv_cq* queue_ = nullptr;
  std::array<ibv_wc, 16> some_;
  std::size_t next_ = 0, taken_ = 0;
  unsigned unacknowledged_ = 0;  // events
  bool armed_ = false;
};

}  // namespace nvmf::rdma
