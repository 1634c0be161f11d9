// SPDX-License-Identifier: BSD-2-Clause
#include "outbox.hpp"

#include <algorithm>

namespace nvmf::loop {

void outbox::send(message& m, loop_message seen) {
  loop_fate fate;
  seen.number = sent_++;
  if (options_.on_message) fate = options_.on_message(seen);
  if (options_.jitter > duration::zero())
    fate.delay += duration(lots_.up_to(static_cast<std::uint64_t>(options_.jitter.count())));
  switch (fate.fault) {
    case loop_fault::none:
      break;
    case loop_fault::drop:
      return;
    case loop_fault::duplicate:
      hold(m.duplicate(), fate.delay);
      break;
    case loop_fault::corrupt:
      m.corrupt = true;
      break;
    case loop_fault::close:
    case loop_fault::reset:
      return out_.cut(fate.fault == loop_fault::close);
  }
  hold(std::move(m), fate.delay);
}

void outbox::hold(message m, duration delay) {
  if (delay == duration::zero() && held_.empty()) return out_.leave(std::move(m));
  time_point leaves = on_.now() + delay;
  if (!options_.reorder) {
    leaves = last_leaves_ = std::max(leaves, last_leaves_);
  } else {
    time_point& last = last_of_command_[m.cid];
    const bool piece = m.kind == loop_kind::data || m.kind == loop_kind::fetched;
    const bool any_order = options_.caps.unordered_data && piece && !m.success;
    if (!any_order) leaves = std::max(leaves, last);
    last = std::max(leaves, last);
  }
  held_.emplace(leaves, std::move(m));
  arm();
}

void outbox::arm() {
  if (held_.empty()) return;
  const time_point first = held_.begin()->first;
  if (timer_ != 0 && timer_at_ <= first) return;
  if (timer_ != 0) on_.cancel_timer(timer_);
  timer_at_ = first;
  timer_ = on_.start_timer(first, [this] {
    timer_ = 0;
    release_due();
  });
}

void outbox::release_due() {
  const time_point now = on_.now();
  while (!held_.empty() && held_.begin()->first <= now)
    out_.leave(std::move(held_.extract(held_.begin()).mapped()));
  if (held_.empty()) last_of_command_.clear();
  arm();
}

void outbox::flush() {
  while (!held_.empty()) out_.leave(std::move(held_.extract(held_.begin()).mapped()));
  drop();
}

void outbox::drop() {
  held_.clear();
  last_of_command_.clear();
  if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
}

}  // namespace nvmf::loop
