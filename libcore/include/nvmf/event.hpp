// SPDX-License-Identifier: BSD-2-Clause
// What happens inside, as it happens: one stream of typed events that trace, the live views,
// --json, pcap writing and break points read. When nobody listens an event costs one branch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>

#include "executor.hpp"
#include "memdesc.hpp"

namespace nvmf {

enum class event_type : std::uint8_t {
#define X(id, number, title, fields) id = number,
#include "event.def"
#undef X
};

std::string_view event_name(event_type type);  // "pdu-out"

// Types, a bit each.
using event_set = std::uint32_t;
constexpr event_set set_of(event_type type) { return event_set{1} << static_cast<unsigned>(type); }
template <class... T>
constexpr event_set set_of(event_type first, T... rest) {
  return (set_of(first) | ... | set_of(rest));
}

struct event {
  event_type type;
  time_point at{};
  std::uint32_t qpair = 0;  // number of the qpair in this process, from 1
  std::uint16_t qid = 0;    // queue identifier once known
  std::uint16_t cid = 0;
  bool has_cid = false;
  std::span<const std::byte> header{};  // valid during the call only
  std::span<const segment> data{};      // likewise
  std::uint64_t a = 0;                  // per type, see event.def
  std::uint64_t b = 0;
  std::error_code error{};
  std::string_view text{};  // valid during the call only
};

// A reader of the stream. Called on the executor of what emitted it, so one that serves several
// executors must be thread safe. It must not call back into the qpair.
class observer {
 public:
  virtual ~observer() = default;
  virtual void on_event(const event& e) noexcept = 0;
  // What it has to be told by a qpair that tells of PDUs: types left out need not come, though they
  // may. Asked when it begins to watch; the answer stays the same.
  virtual event_set wanted_with_pdus() const noexcept { return ~event_set{0}; }
};

}  // namespace nvmf
