// SPDX-License-Identifier: BSD-2-Clause
#include "tracer.hpp"

#include <algorithm>

namespace nvmf::trace {

namespace {

constexpr std::uint16_t port_roce = 4791;
constexpr std::size_t other_ports_max = 1024;

}  // namespace

void tracer::take(const packet& p) {
  packet_counts& n = counts_;
  if (n.packets++ == 0) n.first_ns = p.at.ns;
  n.last_ns = p.at.ns;
  n.bytes += p.wire_bytes;
  if (p.wire_bytes > p.bytes.size()) {
    ++n.cut;
    n.cut_at = std::max(n.cut_at, static_cast<std::uint32_t>(p.bytes.size()));
  }
  segment s;
  const dissection d = dissect(p, s);
  auto part = packet_sink::part::other;
  if (d.what == dissected::segment)
    part = take_segment(s, p.at);
  else
    count_other(p, d);
  if (options_.packets != nullptr)
    options_.packets->on_packet(p, part, d.what == dissected::segment ? &s.flow : nullptr);
}

void tracer::count_other(const packet& p, const dissection& d) {
  packet_counts& n = counts_;
  switch (d.what) {
    case dissected::other_link:
      ++n.other_link;
      if (!n.link) n.link = p.link;
      break;
    case dissected::other_network:
      ++n.not_ip;
      break;
    case dissected::other_transport:
      ++(d.protocol == 17 ? n.udp : n.other_ip);
      if (d.udp_to == port_roce) ++n.roce;
      break;
    case dissected::fragment:
      ++n.fragments;
      break;
    case dissected::cut_short:
      ++n.headers_cut;
      break;
    case dissected::malformed:
      ++n.malformed;
      break;
    case dissected::segment:
      break;
  }
}

packet_sink::part tracer::take_segment(const segment& s, const stamp& at) {
  using enum packet_sink::part;
  ++counts_.tcp;
  auto [flow, fresh] = flows_.find_or_add(s.flow);
  if (fresh) {
    ++counts_.flows;
    // Of the others the one that was quiet longest makes room.
    if (flows_.size() > flows_max) {
      ++counts_.forgotten;
      flows_.oldest().finish(at, with_);
      flows_.erase_oldest();
    }
  }
  const bool before = flow.is_or_was_nvme();
  flow.take(s, at, with_);
  if (before || flow.is_or_was_nvme()) return nvme;
  if (flow.what() == watched_flow::kind::undecided) return undecided;
  const std::uint16_t port = std::min(s.flow.ports[0], s.flow.ports[1]);
  if (auto known = other_ports_.find(port); known != other_ports_.end())
    ++known->second;
  else if (other_ports_.size() < other_ports_max)
    other_ports_.emplace(port, 1);
  return other;
}

void tracer::finish() {
  const stamp at{counts_.last_ns, counts_.packets};
  while (flows_.size() > 0) {
    flows_.oldest().finish(at, with_);
    flows_.erase_oldest();
  }
}

}  // namespace nvmf::trace
