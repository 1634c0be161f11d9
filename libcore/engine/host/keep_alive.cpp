// SPDX-License-Identifier: BSD-2-Clause
#include "keep_alive.hpp"

#include <algorithm>

namespace nvmf::engine {

using std::chrono::milliseconds;

keep_alive::keep_alive(milliseconds kato, time_point now) : kato_(kato), rounded_(kato) {
  look_at_ = now + period();
}

void keep_alive::refine(milliseconds granularity, bool traffic_counts, time_point now) {
  traffic_counts_ = traffic_counts;
  if (granularity.count() > 0)
    rounded_ = (kato_ + granularity - milliseconds(1)) / granularity * granularity;
  look_at_ = std::min(look_at_, now + period());
}

// Of the KATO that was asked for: a controller that does not round up must be content too.
duration keep_alive::period() const { return duration(kato_) / (traffic_counts_ ? 4 : 2); }

time_point keep_alive::next() const {
  return waiting_ ? std::min(look_at_, give_up_at_) : look_at_;
}

keep_alive::act keep_alive::on_time(time_point now, bool traffic) {
  if (!active()) return act::none;
  if (waiting_ && now >= give_up_at_) return act::lost;
  if (now < look_at_) return act::none;
  // Missed looks are not made up for.
  look_at_ = now + period();
  if (waiting_ || (traffic_counts_ && traffic)) return act::none;
  waiting_ = true;
  give_up_at_ = now + rounded_;
  return act::send;
}

void keep_alive::on_answer(time_point) { waiting_ = false; }

}  // namespace nvmf::engine
