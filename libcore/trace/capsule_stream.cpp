// SPDX-License-Identifier: BSD-2-Clause
#include "capsule_stream.hpp"

#include <algorithm>

#include "conversation/capsule_connection.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::trace {

namespace {

using wire::set;

unsigned end_of(way going) { return going == way::to_controller ? 0 : 1; }

// ICReq and ICResp of PFV 0, no digests, one R2T, the largest H2CData (NVMe/TCP 3.6.2.2 and .3).
std::array<std::byte, 128> greeting(wire::pdu_type type) {
  std::array<std::byte, 128> b{};
  set<wire::pdu_common, "type">(b, static_cast<std::uint8_t>(type));
  set<wire::pdu_common, "hlen">(b, 128);
  set<wire::pdu_common, "plen">(b, 128);
  if (type == wire::pdu_type::icresp) set<wire::pdu_icresp, "maxh2cdata">(b, 0xffff'fffc);
  return b;
}

}  // namespace

capsule_stream::capsule_stream(tracer& of, fabric by, const endpoint& host,
                               const endpoint& controller, const stamp& at)
    : of_(of) {
  ++of_.counts_.flows;
  ++of_.counts_.connections;
  const auto number = static_cast<std::uint32_t>(of_.counts_.connections);
  place_.connection = number;
  place_.whole = true;
  told_ = std::make_unique<capsule_connection>(by, number, host, controller, at, of_.with_.commands,
                                               of_.with_.to);
  if (of_.options_.made == nullptr) return;
  packets_.emplace(host, controller, packet_maker_options{}, *of_.options_.made);
  packets_->stand_at(&place_);
}

capsule_stream::~capsule_stream() = default;

void capsule_stream::count(std::uint64_t bytes, const stamp& at) {
  packet_counts& n = of_.counts_;
  if (n.packets == 0) n.first_ns = at.ns;
  n.packets = std::max(n.packets, at.packet);
  n.last_ns = at.ns;
  n.bytes += bytes;
}

void capsule_stream::packet(way going, byte_span header, byte_span data, std::uint32_t bytes,
                            const stamp& at) {
  count(header.size() + bytes, at);
  if (!packets_ || header.empty()) return;
  place_.carries = true;
  if (!greeted_) {
    greeted_ = true;
    for (const way w : {way::to_controller, way::to_host}) {
      place_.going = w;
      packets_->send(end_of(w),
                     greeting(w == way::to_host ? wire::pdu_type::icresp : wire::pdu_type::icreq),
                     at.ns);
    }
  }
  place_.going = going;
  place_.whole = data.size() == bytes;
  const std::array<byte_span, 2> all{header, data};
  packets_->send(end_of(going), std::span{all}.first(data.empty() ? 1 : 2), at.ns);
  place_.whole = true;
  if (data.size() < bytes) packets_->skip(end_of(going), bytes - data.size(), at.ns);
}

void capsule_stream::command(byte_span sqe, byte_span data, std::uint32_t bytes, const stamp& at,
                             const rdma_facts* by) {
  packet(way::to_controller, told_->command(sqe, data, bytes, at, by), data, bytes, at);
}

void capsule_stream::ask(std::uint16_t cid, std::uint32_t offset, std::uint32_t bytes,
                         const stamp& at, const rdma_facts* by) {
  packet(way::to_host, told_->ask(cid, offset, bytes, at, by), {}, 0, at);
}

void capsule_stream::data(way going, std::uint16_t cid, std::uint32_t offset, byte_span data,
                          std::uint32_t bytes, const stamp& at, const rdma_facts* by) {
  packet(going, told_->data(going, cid, offset, data, bytes, at, by), data, bytes, at);
}

void capsule_stream::response(byte_span cqe, bool made_up, const stamp& at, const rdma_facts* by) {
  packet(way::to_host, told_->response(cqe, made_up, at, by), {}, 0, at);
}

void capsule_stream::work(const trace::work& w) { told_->work(w); }

void capsule_stream::close(std::optional<way> by, const stamp& at) {
  if (by) told_->leave(*by);
  if (packets_ && greeted_ && by) {
    place_.carries = false;
    place_.ends = true;
    packets_->close(end_of(*by), at.ns);
    packets_->close(end_of(opposite(*by)), at.ns);
  }
  told_->end(at, by.has_value());
}

}  // namespace nvmf::trace
