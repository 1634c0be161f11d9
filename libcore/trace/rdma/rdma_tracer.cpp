// SPDX-License-Identifier: BSD-2-Clause
#include "rdma_tracer.hpp"

#include <algorithm>

#include "wire/commands.hpp"
#include "wire/layouts/rdma.hpp"
#include "wire/tables.hpp"

namespace nvmf::trace {

namespace {

constexpr std::uint32_t management_qp = 1;

// A Connect begins every queue (Base 2.0, 3.3): opcode 7Fh, FCTYPE 01h at byte 4.
bool is_connect(const roce_packet& p) {
  return p.operation == rdma_operation::send && p.begins() && p.payload.size() >= 5 &&
         std::to_integer<std::uint8_t>(p.payload[0]) == wire::fabrics_opcode &&
         std::to_integer<std::uint8_t>(p.payload[4]) ==
             static_cast<std::uint8_t>(wire::fabrics_type::connect);
}

template <std::size_t N>
std::size_t keep(std::array<std::byte, N>& to, byte_span from) {
  const std::size_t n = std::min(N, from.size());
  std::copy_n(from.begin(), n, to.begin());
  return n;
}

}  // namespace

rdma_tracer::link* rdma_tracer::find(const std::map<key, std::uint64_t>& in, const key& k) {
  const auto it = in.find(k);
  if (it == in.end()) return nullptr;
  const auto found = links_.find(it->second);
  return found == links_.end() ? nullptr : &found->second;
}

packet_place rdma_tracer::place_of(const link* l, const datagram& d, bool ends) {
  if (l == nullptr || l->nvme == nullptr) return {};
  const bool from_host = d.from.address == l->host.address;
  return {.connection = l->nvme->number(),
          .going = from_host ? way::to_controller : way::to_host,
          .ends = ends,
          .whole = true};
}

packet_place rdma_tracer::take(const datagram& d, const stamp& at) {
  ++counts_.packets;
  const auto p = read_roce(d.payload, d.payload_bytes);
  if (!p) {
    ++counts_.malformed;
    return {};
  }
  if (p->datagram && p->to_qp == management_qp) {
    const auto m = read_cm(p->payload);
    return m ? take_cm(*m, d, at) : packet_place{};
  }
  const auto it = qps_.find(key_of(d.to, p->to_qp));
  if (it == qps_.end()) {
    ++counts_.unknown;
    return {};
  }
  link& l = links_.at(it->second.serial);
  // The first capsule decides on ports where nobody expected it.
  if (l.nvme == nullptr && !l.other && it->second.going == way::to_controller &&
      p->operation == rdma_operation::send) {
    if (is_connect(*p))
      recognise(l);
    else
      l.other = true;
  }
  if (l.nvme == nullptr) {
    ++counts_.other;
    return {};
  }
  const way going = it->second.going;
  l.nvme->take(going, *p, at);
  return {.connection = l.nvme->number(),
          .going = going,
          .carries = p->payload_bytes > 0 || p->operation == rdma_operation::read_request,
          .whole = l.nvme->between_messages(going)};
}

packet_place rdma_tracer::take_cm(const cm_message& m, const datagram& d, const stamp& at) {
  switch (m.kind) {
    case cm_kind::request:
      return take_request(m, d, at);
    case cm_kind::reply:
      return take_reply(m, d, at);
    case cm_kind::reject:
      return take_reject(m, d, at);
    case cm_kind::received:
    case cm_kind::ready:
    case cm_kind::disconnect_request: {
      const link* l = find(requests_, key_of(d.from, m.local_id));
      if (l == nullptr) l = find(replies_, key_of(d.from, m.local_id));
      return place_of(l, d, m.kind == cm_kind::disconnect_request);
    }
    case cm_kind::disconnect_reply: {
      // It names the ID of who asked last.
      link* l = find(requests_, key_of(d.from, m.local_id));
      if (l == nullptr) l = find(replies_, key_of(d.from, m.local_id));
      if (l == nullptr) return {};
      const packet_place stands = place_of(l, d, true);
      end(l->serial, at, true);
      return stands;
    }
  }
  return {};
}

packet_place rdma_tracer::take_request(const cm_message& m, const datagram& d, const stamp& at) {
  if (const link* old = find(requests_, key_of(d.from, m.local_id))) {
    if (old->qps[0] == m.qp && old->psns[0] == m.peer_psn) return place_of(old, d);
    end(old->serial, at, false);  // the ID is used again
  }
  if (links_.size() == rdma_links_max) end(links_.begin()->first, at, false);
  link& l = links_[++serials_];
  l.serial = serials_;
  l.host = d.from;
  l.host.port = m.from_port;
  l.controller = d.to;
  l.controller.port = m.to_port;
  l.ids[0] = m.local_id;
  l.qps[0] = m.qp;
  l.psns[0] = m.peer_psn;
  l.mtu = m.mtu;
  l.requested = at;
  l.request_bytes = keep(l.request, m.private_data);
  requests_[key_of(d.from, m.local_id)] = l.serial;
  if (with_.expected(m.to_port)) recognise(l);
  return place_of(&l, d);
}

packet_place rdma_tracer::take_reply(const cm_message& m, const datagram& d, const stamp& at) {
  link* l = find(requests_, key_of(d.to, m.remote_id));
  if (l == nullptr) return {};
  if (l->replied) return place_of(l, d);
  l->replied = true;
  l->answered = at;
  l->ids[1] = m.local_id;
  l->qps[1] = m.qp;
  l->psns[1] = m.peer_psn;
  l->reply_bytes = keep(l->reply, m.private_data);
  replies_[key_of(d.from, m.local_id)] = l->serial;
  // A queue pair that was another connection's before is free for this one.
  for (const way w : {way::to_controller, way::to_host}) {
    const bool to_host = w == way::to_host;
    const key k = key_of(to_host ? l->host : l->controller, l->qps[to_host ? 0 : 1]);
    const auto old = qps_.find(k);
    if (old != qps_.end() && old->second.serial != l->serial) end(old->second.serial, at, false);
    qps_[k] = {l->serial, w};
  }
  if (l->nvme == nullptr) return {};
  l->nvme->expect(way::to_controller, l->qps[1], l->psns[1], l->mtu);
  l->nvme->expect(way::to_host, l->qps[0], l->psns[0], l->mtu);
  l->nvme->on_private_data(way::to_host, wire::rdma_cm_accept,
                           byte_span{l->reply}.first(l->reply_bytes), 0, at);
  return place_of(l, d);
}

packet_place rdma_tracer::take_reject(const cm_message& m, const datagram& d, const stamp& at) {
  link* l = find(requests_, key_of(d.to, m.remote_id));
  if (l == nullptr) return {};
  const packet_place stands = place_of(l, d, true);
  if (l->nvme != nullptr)
    l->nvme->on_private_data(way::to_host, wire::rdma_cm_reject, m.private_data, m.reason, at);
  end(l->serial, at, true);
  return stands;
}

void rdma_tracer::recognise(link& l) {
  ++counts_.connections;
  l.nvme = std::make_unique<rdma_connection>(with_.number(), l.host, l.controller, l.requested,
                                             with_.conversation, with_.commands, with_.to);
  l.nvme->on_private_data(way::to_controller, wire::rdma_cm_request,
                          byte_span{l.request}.first(l.request_bytes), 0, l.requested);
  if (!l.replied) return;
  l.nvme->expect(way::to_controller, l.qps[1], l.psns[1], l.mtu);
  l.nvme->expect(way::to_host, l.qps[0], l.psns[0], l.mtu);
  l.nvme->on_private_data(way::to_host, wire::rdma_cm_accept,
                          byte_span{l.reply}.first(l.reply_bytes), 0, l.answered);
}

void rdma_tracer::end(std::uint64_t serial, const stamp& at, bool closed) {
  const auto it = links_.find(serial);
  if (it == links_.end()) return;
  link& l = it->second;
  if (l.nvme != nullptr) {
    l.nvme->close(at, closed);
    counts_.sent_again += l.nvme->sent_again();
  }
  const auto forget = [serial](std::map<key, std::uint64_t>& in, const key& k) {
    if (const auto found = in.find(k); found != in.end() && found->second == serial)
      in.erase(found);
  };
  forget(requests_, key_of(l.host, l.ids[0]));
  forget(replies_, key_of(l.controller, l.ids[1]));
  for (const bool to_host : {false, true}) {
    const auto found = qps_.find(key_of(to_host ? l.host : l.controller, l.qps[to_host ? 0 : 1]));
    if (found != qps_.end() && found->second.serial == serial) qps_.erase(found);
  }
  links_.erase(it);
}

void rdma_tracer::finish(const stamp& at) {
  while (!links_.empty()) end(links_.begin()->first, at, false);
}

}  // namespace nvmf::trace
