// SPDX-License-Identifier: BSD-2-Clause
// Asynchronous events (Base 2.0, 5.2): the requests a host has outstanding and the events that wait
// for one. An event is reported once until its log page has been read (without Retain Asynchronous
// Event); one that finds no request waits for the next.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "identify.hpp"

namespace nvmf::engine {

enum class event_kind : std::uint8_t { namespace_changed, discovery_changed };
inline constexpr std::size_t event_kinds = 2;

class async_events {
 public:
  struct completion {
    std::uint16_t cid;
    std::uint32_t dw0;
  };
  // Bits of feature 0Bh that may be set: those of the events that exist here.
  static std::uint32_t supported(controller_kind kind);

  // False: AERL + 1 requests are outstanding already.
  bool add(std::uint16_t cid);
  // True when the request was outstanding; it is no more.
  bool abort(std::uint16_t cid);
  // Some request that is outstanding, taken away; for a reset.
  std::optional<std::uint16_t> take();
  // Feature 0Bh.
  void enable(std::uint32_t mask) { mask_ = mask; }
  std::uint32_t enabled() const { return mask_; }
  void raise(event_kind kind);
  // Its log page was read and the event need not be retained: it may be reported again.
  void clear(event_kind kind);
  // The next completion that is due, if any.
  std::optional<completion> next();
  void reset();
  std::size_t outstanding() const { return count_; }

 private:
  struct state {
    bool pending = false;   // happened, not reported yet
    bool reported = false;  // reported, log page not read yet
  };
  std::array<std::uint16_t, async_event_limit + 1> cids_{};
  std::size_t count_ = 0;
  std::uint32_t mask_ = 0;
  std::array<state, event_kinds> events_{};
};

}  // namespace nvmf::engine
