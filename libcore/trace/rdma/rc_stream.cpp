// SPDX-License-Identifier: BSD-2-Clause
#include "rc_stream.hpp"

#include <algorithm>

namespace nvmf::trace {

void rc_stream::begin(std::uint32_t next, std::uint32_t mtu) {
  next_ = next;
  mtu_ = mtu;
}

std::uint32_t rc_stream::packets_of(std::uint32_t length) const {
  return mtu_ == 0 || length == 0 ? 1 : (length - 1) / mtu_ + 1;
}

void rc_stream::pass(const roce_packet& p, const stamp& at, rc_sink& to) {
  const bool read = p.operation == rdma_operation::read_request;
  // Without the path's MTU nobody knows how many numbers the answer takes.
  if (read && mtu_ == 0)
    next_.reset();
  else
    next_ = psn_after(p.psn, read ? packets_of(p.length) : 1);
  to.on_request(p, at);
}

void rc_stream::take(const roce_packet& p, const stamp& at, rc_sink& to) {
  const std::int32_t ahead = next_ ? psn_distance(*next_, p.psn) : 0;
  if (ahead < 0) {
    ++sent_again_;
    return;
  }
  if (ahead == 0) {
    pass(p, at, to);
    return drain(to);
  }
  const auto same = [&](const held& h) { return h.packet.psn == p.psn; };
  if (std::ranges::any_of(held_, same)) {
    ++sent_again_;
    return;
  }
  held_.push_back({p, {p.payload.begin(), p.payload.end()}, at});
  if (held_.size() > held_max) give_up(to);
}

void rc_stream::drain(rc_sink& to) {
  while (!held_.empty()) {
    const auto it = std::ranges::min_element(
        held_, {}, [&](const held& h) { return next_ ? psn_distance(*next_, h.packet.psn) : 0; });
    const std::int32_t ahead = next_ ? psn_distance(*next_, it->packet.psn) : 0;
    if (ahead > 0) return;
    held one = std::move(*it);
    held_.erase(it);
    one.packet.payload = one.payload;
    if (ahead == 0) pass(one.packet, one.at, to);
  }
}

// The hole will not be filled: on with what stands behind it.
void rc_stream::give_up(rc_sink& to) {
  if (held_.empty()) return;
  const auto it = std::ranges::min_element(
      held_, {}, [&](const held& h) { return next_ ? psn_distance(*next_, h.packet.psn) : 0; });
  next_ = it->packet.psn;
  to.on_requests_lost(it->at);
  drain(to);
}

void rc_stream::answered(std::uint32_t psn, rdma_answer what, rc_sink& to) {
  if (held_.empty()) return;
  // It has thrown away what came behind the hole, and will be sent that again.
  if (what == rdma_answer::nak_sequence) return held_.clear();
  // It has what we have not.
  while (what == rdma_answer::ack && !held_.empty() && next_ && psn_distance(*next_, psn) >= 0)
    give_up(to);
}

void rc_stream::finish(rc_sink& to) {
  while (!held_.empty()) give_up(to);
}

}  // namespace nvmf::trace
