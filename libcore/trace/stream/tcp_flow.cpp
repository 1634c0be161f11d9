// SPDX-License-Identifier: BSD-2-Clause
#include "tcp_flow.hpp"

#include <algorithm>

namespace nvmf::trace {

namespace {

// How far `a` is ahead of `b`, in the arithmetic of sequence numbers (RFC 9293, 3.4).
std::int32_t ahead(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b); }

// Further ahead than any window scale allows: another stream, or damage.
constexpr std::int32_t window_max = 1 << 30;

}  // namespace

bool tcp_flow::is_new(const segment& s) const {
  const half& h = halves_[s.from];
  return (s.flags & tcp_flag::syn) != 0 && h.begun && (!h.has_first || h.first != s.sequence);
}

bool tcp_flow::incomplete(const segment& s) const {
  const half& other = halves_[1 - s.from];
  // A FIN is acknowledged as if it were a byte.
  const std::int32_t beyond = other.fin && other.fin_at == other.next ? 1 : 0;
  return !held_.empty() || ((s.flags & tcp_flag::ack) != 0 && other.begun &&
                            ahead(s.acknowledged, other.next) > beyond);
}

void tcp_flow::begin(const segment& s, const stamp& at, stream_sink& to) {
  half& h = halves_[s.from];
  if ((s.flags & tcp_flag::syn) != 0) {
    if (h.begun) return;  // sent again
    h.begun = h.has_first = true;
    h.first = s.sequence;
    h.next = s.sequence + 1;
  } else if (!h.begun && s.payload_bytes > 0) {
    h.begun = true;
    h.next = s.sequence;
    to.on_middle(s.from, at);
  }
}

void tcp_flow::take(const segment& s, const stamp& at, held_budget& budget, stream_sink& to) {
  begin(s, at, to);
  half& h = halves_[s.from];
  half& other = halves_[1 - s.from];
  if ((s.flags & tcp_flag::ack) != 0 &&
      (!other.acknowledging || ahead(s.acknowledged, other.acknowledged) > 0)) {
    other.acknowledging = true;
    other.acknowledged = s.acknowledged;
  }
  if ((s.flags & tcp_flag::fin) != 0) {
    h.fin = true;
    h.fin_at = s.sequence + s.payload_bytes;
  }
  if (h.begun && s.payload_bytes > 0) {
    const std::uint32_t sequence = s.sequence + ((s.flags & tcp_flag::syn) != 0 ? 1 : 0);
    const std::int32_t gap = ahead(sequence, h.next);
    if (gap > window_max) {
      drain(to, budget);
      h.next = sequence;
      to.on_middle(s.from, at);
      pass(s.from, sequence, s.payload, s.payload_bytes, at, to);
    } else if (gap <= 0 && ahead(sequence + s.payload_bytes, h.next) <= 0) {
      ++counts_.sent_again;
    } else if (held_.empty() && gap <= 0) {
      pass(s.from, sequence, s.payload, s.payload_bytes, at, to);
    } else {
      if (gap > 0) ++counts_.out_of_order;
      hold(s, at, budget);
      drain(to, budget);
    }
  }
  if (held_.empty()) return;
  if (confirmed())
    ++since_confirmed_;
  else
    since_confirmed_ = 0;
  while (!held_.empty() && (since_confirmed_ > patience || held_.size() >= held_segments_max ||
                            held_bytes_ > held_bytes_max || budget.bytes == 0))
    give_up(to, budget);
}

void tcp_flow::pass(unsigned from, std::uint32_t sequence, byte_span captured, std::uint32_t bytes,
                    const stamp& at, stream_sink& to) {
  half& h = halves_[from];
  const auto old = static_cast<std::uint32_t>(h.next - sequence);
  h.next = sequence + bytes;
  const byte_span fresh = captured.subspan(std::min<std::size_t>(old, captured.size()));
  const std::uint32_t left = bytes - old;
  if (!fresh.empty()) to.on_bytes(from, fresh, at);
  if (fresh.size() < left) to.on_absent(from, left - fresh.size(), absence::cut, at);
}

void tcp_flow::hold(const segment& s, const stamp& at, held_budget& budget) {
  const std::uint32_t sequence = s.sequence + ((s.flags & tcp_flag::syn) != 0 ? 1 : 0);
  const std::size_t charged = std::min(budget.bytes, s.payload.size());
  held_.push_back(
      {s.from, sequence, s.payload_bytes, charged, at, {s.payload.begin(), s.payload.end()}});
  held_bytes_ += s.payload.size();
  budget.bytes -= charged;
}

tcp_flow::held tcp_flow::let_go(std::size_t index, held_budget& budget) {
  held taken = std::move(held_[index]);
  held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
  held_bytes_ -= taken.captured.size();
  budget.bytes += taken.charged;
  return taken;
}

// Passes on the first held segment that is due and that no hole of its own or the other direction
// stands before; false when there is none.
bool tcp_flow::drain_one(stream_sink& to, held_budget& budget) {
  std::array<bool, 2> hole{};
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const held& s = held_[i];
    const bool due = ahead(s.sequence, halves_[s.from].next) <= 0;
    if (!due) {
      hole[s.from] = true;
      continue;
    }
    // What fills the hole of its own direction may go first; else the other's is waited for.
    if (hole[1 - s.from] && !hole[s.from]) continue;
    const held taken = let_go(i, budget);
    if (ahead(taken.sequence + taken.bytes, halves_[taken.from].next) > 0)
      pass(taken.from, taken.sequence, taken.captured, taken.bytes, taken.at, to);
    else
      ++counts_.sent_again;
    return true;
  }
  return false;
}

void tcp_flow::drain(stream_sink& to, held_budget& budget) {
  while (drain_one(to, budget)) since_confirmed_ = 0;
}

// Has the receiver what stands in front of the first held segment that waits?
bool tcp_flow::confirmed() const {
  for (const held& s : held_) {
    const half& h = halves_[s.from];
    if (ahead(s.sequence, h.next) <= 0) continue;
    return h.acknowledging && ahead(h.acknowledged, s.sequence) >= 0;
  }
  return false;
}

// The hole before the first held segment that waits for one will not be filled.
void tcp_flow::give_up(stream_sink& to, held_budget& budget) {
  const auto waits = [&](const held& s) { return ahead(s.sequence, halves_[s.from].next) > 0; };
  const auto first = std::ranges::find_if(held_, waits);
  if (first != held_.end()) {
    const unsigned from = first->from;
    half& h = halves_[from];
    // Of that direction, the one that is nearest.
    std::int32_t least = ahead(first->sequence, h.next);
    const held* nearest = &*first;
    for (const held& s : held_)
      if (s.from == from && waits(s) && ahead(s.sequence, h.next) < least) {
        least = ahead(s.sequence, h.next);
        nearest = &s;
      }
    ++counts_.given_up;
    h.next = nearest->sequence;
    to.on_absent(from, static_cast<std::uint64_t>(least), absence::lost, nearest->at);
  }
  since_confirmed_ = 0;
  drain(to, budget);
}

void tcp_flow::finish(held_budget& budget, stream_sink& to) {
  while (!held_.empty()) give_up(to, budget);
}

void tcp_flow::clear(held_budget& budget) {
  while (!held_.empty()) let_go(held_.size() - 1, budget);
}

}  // namespace nvmf::trace
