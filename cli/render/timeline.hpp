// SPDX-License-Identifier: BSD-2-Clause
// What happened, in the order it happened: events recorded as they come, shown afterwards or one by
// one as lines with microseconds.
#pragma once

#include <boost/json/array.hpp>
#include <nvmf/event.hpp>
#include <span>
#include <string>
#include <vector>

#include "render/style.hpp"

namespace nvmf::cli {

// An event that outlives its call: the header is copied, of the data only the length is kept.
struct recorded_event {
  event_type type{};
  time_point at{};
  std::uint32_t qpair = 0;
  std::uint16_t qid = 0;
  std::uint16_t cid = 0;
  bool has_cid = false;
  std::vector<std::byte> header;
  std::uint64_t a = 0, b = 0;
  std::error_code error;
  std::string text;
};
recorded_event record(const event& e);

// Records while it is on. One executor's events only: it has no lock.
class timeline final : public observer {
 public:
  static constexpr std::size_t events_max = 65536;  // more are counted, not kept

  void on_event(const event& e) noexcept override;
  void start() {
    events_.clear();
    lost_ = 0;
    on_ = true;
  }
  void stop() { on_ = false; }
  std::span<const recorded_event> events() const { return events_; }
  std::size_t lost() const { return lost_; }

 private:
  std::vector<recorded_event> events_;
  std::size_t lost_ = 0;
  bool on_ = false;
};

// "capsule-cmd cid=0x1 read nsid=0x1 nlb=7": what an event says, in one line, without its time.
std::string event_details(const recorded_event& e);
// "   12.3 us  > pdu-out  ..."; the time is that since `zero`.
std::string event_line(const recorded_event& e, time_point zero, const style& look);
// The whole of it. Without `all`, bytes handed to and taken from the kernel are left out, and of a
// long timeline the middle.
std::string timeline_text(std::span<const recorded_event> events, const style& look, bool all);

boost::json::object event_json(const recorded_event& e, time_point zero);
boost::json::array timeline_json(std::span<const recorded_event> events);

}  // namespace nvmf::cli
