// SPDX-License-Identifier: BSD-2-Clause
#include "byte_stream.hpp"

#include <algorithm>

namespace nvmf::trace {

namespace {

// A common header decides.
constexpr std::size_t early_bytes_max = 64;

// The first end of this key is the host's, whichever address is lower: nobody looks it up.
flow_key key_of(const endpoint& host, const endpoint& controller) {
  flow_key k{.ports = {host.port, controller.port}, .family = host.family};
  std::ranges::copy(host.address, k.addresses.begin());
  std::ranges::copy(controller.address,
                    k.addresses.begin() + static_cast<std::ptrdiff_t>(host.address.size()));
  return k;
}

}  // namespace

byte_stream::byte_stream(tracer& of, const endpoint& host, const endpoint& controller,
                         packet_maker_options packets)
    : of_(of) {
  flow_.open(key_of(host, controller));
  ++of_.counts_.flows;
  if (of_.options_.made != nullptr) packets_.emplace(host, controller, packets, *of_.options_.made);
}

void byte_stream::count(std::uint64_t bytes, const stamp& at) {
  packet_counts& n = of_.counts_;
  if (n.packets == 0) n.first_ns = at.ns;
  n.packets = std::max(n.packets, at.packet);
  n.last_ns = at.ns;
  n.bytes += bytes;
  ++n.tcp;
}

bool byte_stream::packets_wanted(unsigned from, const stamp& at) {
  if (!packets_ || flow_.what() != watched_flow::kind::nvme) return false;
  packets_->stand_at(&place_);
  for (unsigned end = 0; end < early_.size(); ++end) {
    if (early_[end].empty()) continue;
    place_ = flow_.place(end);
    place_.carries = true;
    place_.whole = false;
    packets_->send(end, early_[end], at.ns);
    early_[end].clear();
  }
  place_ = flow_.place(from);
  place_.carries = true;
  return true;
}

void byte_stream::pieces(unsigned from, std::span<const byte_span> pieces, const stamp& at) {
  // Who takes packets is told of a packet behind what is in it.
  for (const byte_span piece : pieces) {
    count(piece.size(), at);
    flow_.take_bytes(from, piece, at, of_.with_);
  }
  if (packets_wanted(from, at)) return packets_->send(from, pieces, at.ns);
  if (!packets_ || flow_.what() != watched_flow::kind::undecided) return;
  for (const byte_span piece : pieces) {
    const std::size_t room = early_bytes_max - std::min(early_bytes_max, early_[from].size());
    const byte_span kept = piece.first(std::min(room, piece.size()));
    early_[from].insert(early_[from].end(), kept.begin(), kept.end());
  }
}

void byte_stream::absent(unsigned from, std::uint64_t bytes, const stamp& at) {
  count(bytes, at);
  flow_.take_absent(from, bytes, at, of_.with_);
  if (packets_wanted(from, at)) packets_->skip(from, bytes, at.ns);
}

void byte_stream::leave(unsigned from, bool reset, const stamp& at) {
  flow_.take_end(from);
  if (!packets_wanted(from, at)) return;
  place_.carries = false;
  place_.ends = true;
  if (reset)
    packets_->reset(from, at.ns);
  else
    packets_->close(from, at.ns);
}

void byte_stream::close(const stamp& at, bool closed) { flow_.close(at, closed, of_.with_); }

}  // namespace nvmf::trace
