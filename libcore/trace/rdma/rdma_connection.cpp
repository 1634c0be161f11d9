// SPDX-License-Identifier: BSD-2-Clause
#include "rdma_connection.hpp"

#include <algorithm>

#include "wire/layouts/entries.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/tables.hpp"

namespace nvmf::trace {

namespace {

using wire::get;
using wire::set;

constexpr std::size_t sqe_bytes = wire::sqe_layout.size, cqe_bytes = wire::cqe_layout.size;
constexpr std::size_t common = wire::pdu_common.size;
constexpr std::size_t sgl1_at = 24, sgl_bytes = 16;
constexpr std::size_t descriptors_max = 256;
constexpr std::size_t cid_end = 4;

// A message has at most 2 GiB (9.2.2).
std::uint32_t bounded(std::uint64_t bytes) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, 1u << 31));
}

// A packet that was sent again may stand behind one that it belongs in front of.
stamp no_earlier(const stamp& at, const stamp& than) {
  return {std::max(at.ns, than.ns), std::max(at.packet, than.packet)};
}

wire::sgl_type type_of(byte_span sgl) {
  return static_cast<wire::sgl_type>(get<wire::sgl_layout, "type">(sgl));
}

}  // namespace

rdma_connection::rdma_connection(std::uint32_t number, const endpoint& host,
                                 const endpoint& controller, const stamp& begun,
                                 const conversation_options& options, command_budget& budget,
                                 listener& to)
    : connection(fabric::rdma, number, host, controller, begun, budget, to), options_(options) {
  for (const way w : {way::to_controller, way::to_host}) {
    of(w).of = this;
    of(w).going = w;
  }
  to_.on_connection(*this);
}

// A unit of RDMA as the PDU that does the same; its header is made in header_.
pdu rdma_connection::unit(wire::pdu_type type, way going, const stamp& begun, const stamp& at,
                          const rdma_facts& facts) {
  const wire::layout& form = *wire::pdu_layout(static_cast<std::uint8_t>(type));
  header_ = {};
  header_[0] = static_cast<std::byte>(type);
  header_[2] = static_cast<std::byte>(form.size);
  pdu p;
  p.going = going;
  p.type = static_cast<std::uint8_t>(type);
  p.hlen = static_cast<std::uint8_t>(form.size);
  p.plen = form.size;
  p.header = byte_span{header_}.first(std::min<std::size_t>(form.size, header_.size()));
  p.begun = begun;
  p.ended = at;
  p.rdma = &facts;
  ++counts_.pdus;
  return p;
}

void rdma_connection::on_private_data(way going, const wire::layout& form, byte_span data,
                                      std::uint16_t reason, const stamp& at) {
  const rdma_facts facts{.private_data = &form, .reject_reason = reason};
  pdu p = unit(going == way::to_controller ? wire::pdu_type::icreq : wire::pdu_type::icresp, going,
               at, at, facts);
  p.header = data.first(std::min<std::size_t>(form.size, data.size()));
  p.hlen = static_cast<std::uint8_t>(p.header.size());
  p.plen = p.hlen;
  to_.on_pdu(*this, p, nullptr);
}

void rdma_connection::expect(way going, std::uint32_t qp, std::uint32_t psn, std::uint32_t mtu) {
  of(going).qp = qp;
  of(going).stream.begin(psn, mtu);
}

std::uint64_t rdma_connection::sent_again() const {
  return ways_[0].stream.sent_again() + ways_[1].stream.sent_again();
}

bool rdma_connection::between_messages(way w) const {
  const direction& here = ways_[static_cast<std::size_t>(w)];
  const direction& asking = ways_[static_cast<std::size_t>(opposite(w))];
  return !here.open.open &&
         std::ranges::none_of(asking.reads, [](const read& r) { return r.next > 0; });
}

void rdma_connection::take(way going, const roce_packet& p, const stamp& at) {
  direction& here = of(going);
  direction& there = of(opposite(going));
  switch (p.operation) {
    case rdma_operation::send:
    case rdma_operation::write:
    case rdma_operation::read_request:
      return here.stream.take(p, at, here);
    case rdma_operation::read_response:
      there.stream.answered(p.psn, rdma_answer::ack, there);
      return on_read_response(there, p, at);
    case rdma_operation::acknowledge:
      return there.stream.answered(p.psn, answer_of(p.syndrome), there);
    case rdma_operation::other:
      return;
  }
}

void rdma_connection::close(const stamp& at, bool closed) {
  for (direction& d : ways_) d.stream.finish(d);
  end(at, closed);
}

void rdma_connection::direction::on_request(const roce_packet& p, const stamp& at) {
  of->on_request(*this, p, at);
}

void rdma_connection::direction::on_requests_lost(const stamp& at) {
  open.broken = true;
  of->tell(notice_kind::packets_lost, going, at);
}

std::size_t rdma_connection::wanted(const message& m) {
  if (m.operation == rdma_operation::send)
    return sqe_bytes + std::max<std::size_t>(options_.data_bytes, 1024);
  std::uint64_t offset = 0;
  const command* c = command_of(m.key, m.address, offset);
  return std::max(options_.data_bytes, c == nullptr ? 0 : wanted_of_data(*c));
}

void rdma_connection::add(message& m, const roce_packet& p) {
  // A hole before it: what is kept stays what it is, the first bytes.
  const std::size_t room = m.keep - std::min(m.keep, m.kept.size());
  if (m.kept.size() == m.bytes) {
    const byte_span part = p.payload.first(std::min(room, p.payload.size()));
    m.kept.insert(m.kept.end(), part.begin(), part.end());
  }
  m.bytes += p.payload_bytes;
  m.missing += p.payload_bytes - p.payload.size();
  if (p.invalidated) m.invalidated = p.invalidated;
}

void rdma_connection::on_request(direction& d, const roce_packet& p, const stamp& at) {
  if (p.operation == rdma_operation::read_request) return take_read(d, p, at);
  message& m = d.open;
  if (p.begins()) {
    std::vector<std::byte> buffer = std::move(m.kept);
    buffer.clear();
    m = {.open = true,
         .operation = p.operation,
         .psn = p.psn,
         .key = p.key,
         .length = p.length,
         .address = p.address,
         .begun = at};
    m.kept = std::move(buffer);
    m.keep = wanted(m);
  } else if (!m.open || m.operation != p.operation) {
    return;  // its beginning is not in the capture
  }
  add(m, p);
  if (!p.ends()) return;
  m.open = false;
  take_message(d.going, m, no_earlier(at, m.begun));
}

void rdma_connection::take_message(way going, message& m, const stamp& at) {
  if (m.operation == rdma_operation::write) return take_data(going, m, at);
  const bool command = going == way::to_controller;
  if (m.kept.size() >= (command ? cid_end : cqe_bytes))
    return command ? take_command(m, at) : take_response(m, at);
  // Too short to be a capsule, or cut by the capture.
  const rdma_facts facts = facts_of(going, m);
  pdu p = unit(command ? wire::pdu_type::capsule_cmd : wire::pdu_type::capsule_resp, going, m.begun,
               at, facts);
  std::ranges::copy(m.kept, header_.begin() + common);
  p.header = byte_span{header_}.first(common + m.kept.size());
  p.bytes_missing = m.missing;
  to_.on_pdu(*this, p, nullptr);
}

rdma_facts rdma_connection::facts_of(way to, const message& m) const {
  rdma_facts f{.qp = ways_[static_cast<std::size_t>(to)].qp, .psn = m.psn};
  f.packets = true;
  f.broken = m.broken;
  f.message_bytes = m.bytes;
  return f;
}

void rdma_connection::take_command(message& m, const stamp& at) {
  const rdma_facts facts = facts_of(way::to_controller, m);
  pdu p = unit(wire::pdu_type::capsule_cmd, way::to_controller, m.begun, at, facts);
  const byte_span all = m.kept;
  const byte_span sqe = all.first(std::min(sqe_bytes, all.size()));
  std::ranges::copy(sqe, header_.begin() + common);
  p.header = byte_span{header_}.first(common + sqe.size());
  if (m.bytes > sqe_bytes) {
    p.data_bytes = bounded(m.bytes - sqe_bytes);
    p.pdo = static_cast<std::uint8_t>(common + sqe_bytes);
    p.data_at = p.pdo;
    p.data = all.subspan(sqe.size());
  }
  p.plen += p.data_bytes;
  p.bytes_missing = m.missing;
  counts_.bytes[0] += p.data_bytes;
  // Those of commands whose ends were not seen.
  if (keys_.size() >= reads_max)
    std::erase_if(keys_, [&](const auto& k) { return find(k.second.cid) == nullptr; });
  if (sqe.size() == sqe_bytes) {
    const auto cid = static_cast<std::uint16_t>(get<wire::sqe_layout, "cid">(sqe));
    add_keys(cid, sqe, p.data);
  }
  begin_command(sqe, p);
}

// Keyed data blocks of a command: SGL 1, or a list of them in the capsule.
void rdma_connection::add_keys(std::uint16_t cid, byte_span sqe, byte_span in_capsule) {
  std::uint64_t offset = 0;
  const auto add_one = [&](byte_span sgl) {
    if (type_of(sgl) != wire::sgl_type::keyed_data_block || keys_.size() >= reads_max) return;
    const auto length = static_cast<std::uint32_t>(get<wire::keyed_sgl_layout, "length">(sgl));
    const auto key = static_cast<std::uint32_t>(get<wire::keyed_sgl_layout, "key">(sgl));
    const std::uint64_t address = get<wire::keyed_sgl_layout, "addr">(sgl);
    // Memory that is given again is the new command's.
    const auto [from, to] = keys_.equal_range(key);
    const auto old = std::find_if(from, to, [&](const auto& k) {
      return k.second.address == address || find(k.second.cid) == nullptr;
    });
    const region r{cid, address, length, offset};
    if (old != to)
      old->second = r;
    else
      keys_.emplace(key, r);
    offset += length;
  };
  const byte_span first = sqe.subspan(sgl1_at, sgl_bytes);
  add_one(first);
  if (type_of(first) != wire::sgl_type::last_segment) return;
  const std::size_t count = std::min(in_capsule.size() / sgl_bytes, descriptors_max);
  for (std::size_t i = 0; i < count; ++i) add_one(in_capsule.subspan(i * sgl_bytes, sgl_bytes));
}

command* rdma_connection::command_of(std::uint32_t key, std::uint64_t address,
                                     std::uint64_t& offset) {
  // The memory that it lies in, or the last that begins before it.
  const auto [from, to] = keys_.equal_range(key);
  const region* best = nullptr;
  for (auto it = from; it != to; ++it) {
    const region& r = it->second;
    if (address - r.address < r.length) {
      best = &r;
      break;
    }
    if (best == nullptr || address - r.address < address - best->address) best = &r;
  }
  if (best == nullptr) return nullptr;
  offset = address - best->address + best->offset;
  return find(best->cid);
}

void rdma_connection::forget_key(std::uint32_t key, std::uint16_t cid) {
  const auto [from, to] = keys_.equal_range(key);
  const auto it = std::find_if(from, to, [&](const auto& k) { return k.second.cid == cid; });
  if (it != to) keys_.erase(it);
}

void rdma_connection::forget_keys(const command& c) {
  const byte_span first = byte_span{c.sqe}.subspan(sgl1_at, sgl_bytes);
  if (type_of(first) == wire::sgl_type::keyed_data_block)
    forget_key(static_cast<std::uint32_t>(get<wire::keyed_sgl_layout, "key">(first)), c.cid);
  else if (type_of(first) == wire::sgl_type::last_segment)
    std::erase_if(keys_, [&](const auto& k) { return k.second.cid == c.cid; });
}

void rdma_connection::take_response(message& m, const stamp& at) {
  rdma_facts facts = facts_of(way::to_host, m);
  facts.invalidated = m.invalidated;
  pdu p = unit(wire::pdu_type::capsule_resp, way::to_host, m.begun, at, facts);
  std::copy_n(m.kept.begin(), cqe_bytes, header_.begin() + common);
  const byte_span cqe = p.header.subspan(common, cqe_bytes);
  const auto cid = static_cast<std::uint16_t>(get<wire::cqe_layout, "cid">(cqe));
  command* c = find(cid);
  to_.on_pdu(*this, p, c);
  if (c == nullptr) return tell(notice_kind::no_command, p.going, p.ended, 0, &p);
  completion done{.how = fate::completed, .at = at, .cqe = cqe};
  done.status = static_cast<std::uint16_t>(wire::load_le(cqe, 14, 2) >> 1);
  learn(*c, done);
  forget_keys(*c);
  finish(*c, done, &p);
}

// The controller asks for data of a command: an R2T in other words.
void rdma_connection::take_read(direction& d, const roce_packet& p, const stamp& at) {
  std::uint64_t offset = 0;
  command* c = d.going == way::to_host ? command_of(p.key, p.address, offset) : nullptr;
  rdma_facts facts{.qp = d.qp, .psn = p.psn, .key = p.key, .address = p.address};
  facts.packets = true;
  facts.announced = p.length;
  facts.host_asked = d.going == way::to_controller;
  pdu u = unit(wire::pdu_type::r2t, d.going, at, at, facts);
  if (c != nullptr) {
    set<wire::pdu_r2t, "cccid">(header_, c->cid);
    set<wire::pdu_r2t, "r2to">(header_, offset & 0xffff'ffff);
    if (c->r2ts++ == 0) c->first_r2t = at;
    c->last_r2t = at;
    c->asked += p.length;
  }
  set<wire::pdu_r2t, "r2tl">(header_, p.length);
  to_.on_pdu(*this, u, c);
  if (d.reads.size() == reads_max) d.reads.erase(d.reads.begin());
  read& r = d.reads.emplace_back();
  r.first_psn = p.psn;
  r.packets = d.stream.packets_of(p.length);
  r.data = {.open = true,
            .operation = rdma_operation::read_request,
            .psn = p.psn,
            .key = p.key,
            .length = p.length,
            .address = p.address,
            .begun = at};
  r.data.keep = wanted(r.data);
  if (c != nullptr && c->fctype() == static_cast<std::uint8_t>(wire::fabrics_type::connect) &&
      c->opcode() == wire::fabrics_opcode)
    r.data.keep = std::max<std::size_t>(r.data.keep, 1024);
}

void rdma_connection::on_read_response(direction& d, const roce_packet& p, const stamp& at) {
  const auto it = std::ranges::find_if(d.reads, [&](const read& r) {
    const std::int32_t from = psn_distance(r.first_psn, p.psn);
    return from >= 0 && static_cast<std::uint32_t>(from) < std::max(r.packets, r.next + 1);
  });
  if (it == d.reads.end()) return;  // sent again, or of a request that the capture does not have
  const auto number = static_cast<std::uint32_t>(psn_distance(it->first_psn, p.psn));
  if (number < it->next) return;  // sent again
  if (number > it->next) {
    tell(notice_kind::packets_lost, opposite(d.going), at);
    it->data.broken = true;
  }
  if (it->next == 0) it->data.begun = at;
  it->next = number + 1;
  add(it->data, p);
  if (!p.ends()) return;
  read done = std::move(*it);
  // They are answered in order: one before it will not be answered any more.
  d.reads.erase(d.reads.begin(), it + 1);
  take_data(opposite(d.going), done.data, no_earlier(at, done.data.begun));
}

// Data of a command: written by the controller, or read by it.
void rdma_connection::take_data(way going, message& m, const stamp& at) {
  std::uint64_t offset = 0;
  command* c = command_of(m.key, m.address, offset);
  const bool to_host = going == way::to_host;
  rdma_facts facts = facts_of(going, m);
  facts.key = m.key;
  facts.address = m.address;
  facts.announced = m.length;
  facts.host_asked = to_host == (m.operation == rdma_operation::read_request);
  pdu p = unit(to_host ? wire::pdu_type::c2h_data : wire::pdu_type::h2c_data, going, m.begun, at,
               facts);
  p.data_bytes = bounded(m.bytes);
  p.data = m.kept;
  p.pdo = p.hlen;
  p.data_at = p.hlen;
  p.plen += p.data_bytes;
  p.bytes_missing = m.missing + (m.broken && m.length > m.bytes ? m.length - m.bytes : 0);
  if (c != nullptr) set<wire::pdu_c2h_data, "cccid">(header_, c->cid);
  set<wire::pdu_c2h_data, "datao">(header_, offset & 0xffff'ffff);
  set<wire::pdu_c2h_data, "datal">(header_, p.data_bytes);
  counts_.bytes[to_host ? 1 : 0] += p.data_bytes;
  if (c == nullptr) {
    to_.on_pdu(*this, p, nullptr);
    return tell(notice_kind::no_command, going, at, 0, &p);
  }
  if (c->h2c_pdus + c->c2h_pdus == 0 && c->in_capsule == 0) c->first_data = p.begun;
  c->last_data = at;
  ++(to_host ? c->c2h_pdus : c->h2c_pdus);
  (to_host ? c->c2h_bytes : c->h2c_bytes) += p.data_bytes;
  if (offset == 0) learn(*c, p.data);
  to_.on_pdu(*this, p, c);
}

}  // namespace nvmf::trace
