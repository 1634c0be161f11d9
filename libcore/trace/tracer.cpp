// SPDX-License-Identifier: BSD-2-Clause
#include "tracer.hpp"

#include <algorithm>

namespace nvmf::trace {

namespace {

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
  const bool tcp = d.what == dissected::segment;
  packet_place place;
  const packet_sink::part part = tcp ? take_segment(s, p.at, place) : take_other(p, d, place);
  if (options_.packets != nullptr)
    options_.packets->on_packet(p, part, tcp ? &s.flow : nullptr, place);
}

packet_sink::part tracer::take_other(const packet& p, const dissection& d, packet_place& place) {
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
      if (d.protocol == 17 && d.udp_to == roce_port) place = take_roce(p);
      if (place.connection != 0) return packet_sink::part::nvme;
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
  return packet_sink::part::other;
}

packet_place tracer::take_roce(const packet& p) {
  ++counts_.roce;
  datagram d;
  if (!dissect_udp(p, d)) {
    ++counts_.malformed;
    return {};
  }
  if (rdma_ == nullptr)
    rdma_ = std::make_unique<rdma_tracer>(rdma_tracer::surroundings{
        .expected =
            [this](std::uint16_t port) {
              return std::ranges::find(options_.ports, port) != options_.ports.end();
            },
        .number = [this] { return static_cast<std::uint32_t>(++counts_.connections); },
        .conversation = options_.conversation,
        .commands = with_.commands,
        .to = with_.to});
  const packet_place place = rdma_->take(d, p.at);
  counts_.roce_unknown = rdma_->counts().unknown;
  return place;
}

packet_sink::part tracer::take_segment(const segment& s, const stamp& at, packet_place& place) {
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
  if (options_.packets != nullptr) {
    place = flow.place(s.from);
    place.carries = s.payload_bytes > 0;
    place.ends = (s.flags & (tcp_flag::fin | tcp_flag::rst)) != 0;
  }
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
  if (rdma_ != nullptr) rdma_->finish(at);
}

}  // namespace nvmf::trace
