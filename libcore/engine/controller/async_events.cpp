// SPDX-License-Identifier: BSD-2-Clause
#include "async_events.hpp"

#include <algorithm>

#include "wire/layouts/responses.hpp"

namespace nvmf::engine {
namespace {

struct event_row {
  wire::aer_config enabled_by;
  wire::aer_notice info;
  wire::log_page log;
};
constexpr std::array<event_row, event_kinds> event_rows{{
    {wire::aer_config::namespace_attribute, wire::aer_notice::namespace_attribute_changed,
     wire::log_page::changed_namespace_list},
    {wire::aer_config::discovery_log, wire::aer_notice::discovery_log_change,
     wire::log_page::discovery},
}};

std::uint32_t dw0_of(const event_row& row) {
  std::array<std::byte, 16> cqe{};
  wire::set<wire::async_event_response, "aet">(cqe,
                                               static_cast<std::uint8_t>(wire::aer_type::notice));
  wire::set<wire::async_event_response, "aei">(cqe, static_cast<std::uint8_t>(row.info));
  wire::set<wire::async_event_response, "lid">(cqe, static_cast<std::uint8_t>(row.log));
  return static_cast<std::uint32_t>(wire::load_le(cqe, 0, 4));
}

}  // namespace

std::uint32_t async_events::supported(controller_kind kind) {
  if (kind == controller_kind::discovery)
    return static_cast<std::uint32_t>(wire::aer_config::discovery_log);
  // The SMART bits every I/O controller must take; nothing here ever wears out.
  constexpr std::uint32_t smart = 0x1f;
  return smart | static_cast<std::uint32_t>(wire::aer_config::namespace_attribute);
}

bool async_events::add(std::uint16_t cid) {
  if (count_ == cids_.size()) return false;
  cids_[count_++] = cid;
  return true;
}

bool async_events::abort(std::uint16_t cid) {
  const auto end = cids_.begin() + static_cast<std::ptrdiff_t>(count_);
  const auto at = std::find(cids_.begin(), end, cid);
  if (at == end) return false;
  std::move(at + 1, end, at);
  --count_;
  return true;
}

std::optional<std::uint16_t> async_events::take() {
  if (count_ == 0) return std::nullopt;
  return cids_[--count_];
}

void async_events::raise(event_kind kind) {
  const auto at = static_cast<std::size_t>(kind);
  const bool wanted = (mask_ & static_cast<std::uint32_t>(event_rows[at].enabled_by)) != 0;
  if (wanted && !events_[at].reported) events_[at].pending = true;
}

void async_events::clear(event_kind kind) { events_[static_cast<std::size_t>(kind)] = {}; }

std::optional<async_events::completion> async_events::next() {
  if (count_ == 0) return std::nullopt;
  const auto due = std::ranges::find_if(events_, &state::pending);
  if (due == events_.end()) return std::nullopt;
  *due = {.pending = false, .reported = true};
  const std::uint16_t cid = cids_[0];
  std::move(cids_.begin() + 1, cids_.begin() + static_cast<std::ptrdiff_t>(count_), cids_.begin());
  --count_;
  return completion{cid, dw0_of(event_rows[static_cast<std::size_t>(due - events_.begin())])};
}

void async_events::reset() {
  mask_ = 0;
  events_ = {};
}

}  // namespace nvmf::engine
