// SPDX-License-Identifier: BSD-2-Clause
#include "capsule_connection.hpp"

#include <algorithm>

#include "trace/rdma/rdma_facts.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::trace {

namespace {

using wire::set;

constexpr std::size_t entry_at = wire::pdu_common.size;
constexpr std::size_t sgl1_at = 24, sgl_bytes = 16;

// Of a command's data, by its first SGL descriptor: a keyed one has 24 bits for it (Base 4.1.2).
std::uint64_t data_length(byte_span sqe) {
  const byte_span sgl = sqe.subspan(sgl1_at, sgl_bytes);
  const auto type = static_cast<wire::sgl_type>(wire::get<wire::sgl_layout, "type">(sgl));
  return type == wire::sgl_type::keyed_data_block ? wire::get<wire::keyed_sgl_layout, "length">(sgl)
                                                  : wire::load_le(sgl, 8, 4);
}

}  // namespace

capsule_connection::capsule_connection(fabric by, std::uint32_t number, const endpoint& host,
                                       const endpoint& controller, const stamp& begun,
                                       command_budget& budget, listener& to)
    : connection(by, number, host, controller, begun, budget, to) {
  to_.on_connection(*this);
}

pdu capsule_connection::unit(wire::pdu_type type, way going, const stamp& at,
                             const rdma_facts* by) {
  const wire::layout& form = *wire::pdu_layout(static_cast<std::uint8_t>(type));
  header_ = {};
  pdu p;
  p.going = going;
  p.rdma = by;
  p.type = static_cast<std::uint8_t>(type);
  p.hlen = static_cast<std::uint8_t>(form.size);
  p.plen = form.size;
  set<wire::pdu_common, "type">(header_, p.type);
  set<wire::pdu_common, "hlen">(header_, p.hlen);
  set<wire::pdu_common, "plen">(header_, p.plen);
  p.header = byte_span{header_}.first(form.size);
  p.begun = p.ended = at;
  ++counts_.pdus;
  return p;
}

namespace {

void add_data(pdu& p, std::span<std::byte> header, byte_span data, std::uint32_t bytes) {
  p.data_bytes = bytes;
  p.data = data;
  p.bytes_missing = bytes - data.size();
  p.pdo = p.hlen;
  p.data_at = p.hlen;
  p.plen += bytes;
  set<wire::pdu_common, "pdo">(header, p.pdo);
  set<wire::pdu_common, "plen">(header, p.plen);
}

}  // namespace

byte_span capsule_connection::command(byte_span sqe, byte_span data, std::uint32_t bytes,
                                      const stamp& at, const rdma_facts* by) {
  pdu p = unit(wire::pdu_type::capsule_cmd, way::to_controller, at, by);
  std::ranges::copy(sqe, header_.begin() + entry_at);
  if (bytes > 0) add_data(p, header_, data, bytes);
  counts_.bytes[0] += bytes;
  begin_command(sqe, p);
  return p.header;
}

// Where in a command's data the host's memory at that address is.
void capsule_connection::find_offset(std::uint16_t cid, const rdma_facts* by,
                                     std::uint32_t& offset) {
  if (by == nullptr || !by->key) return;
  if (const trace::command* c = find(cid))
    offset = static_cast<std::uint32_t>(
        by->address - wire::load_le(byte_span{c->sqe}.subspan(sgl1_at, sgl_bytes), 0, 8));
}

byte_span capsule_connection::ask(std::uint16_t cid, std::uint32_t offset, std::uint32_t bytes,
                                  const stamp& at, const rdma_facts* by) {
  find_offset(cid, by, offset);
  const pdu p = unit(wire::pdu_type::r2t, way::to_host, at, by);
  set<wire::pdu_r2t, "cccid">(header_, cid);
  set<wire::pdu_r2t, "r2to">(header_, offset);
  set<wire::pdu_r2t, "r2tl">(header_, bytes);
  set<wire::pdu_r2t, "ttag">(header_, ++next_ttag_);
  if (asked_.size() == asked_max) asked_.erase(asked_.begin());
  asked_.push_back({cid, next_ttag_, offset, bytes, 0});
  if (trace::command* c = find(cid)) {
    if (c->r2ts++ == 0) c->first_r2t = at;
    c->last_r2t = at;
    c->asked += bytes;
  }
  to_.on_pdu(*this, p, find(cid));
  return p.header;
}

byte_span capsule_connection::data(way going, std::uint16_t cid, std::uint32_t offset,
                                   byte_span data, std::uint32_t bytes, const stamp& at,
                                   const rdma_facts* by) {
  find_offset(cid, by, offset);
  const bool to_host = going == way::to_host;
  pdu p = unit(to_host ? wire::pdu_type::c2h_data : wire::pdu_type::h2c_data, going, at, by);
  set<wire::pdu_c2h_data, "cccid">(header_, cid);
  set<wire::pdu_c2h_data, "datao">(header_, offset);
  set<wire::pdu_c2h_data, "datal">(header_, bytes);
  add_data(p, header_, data, bytes);
  counts_.bytes[to_host ? 1 : 0] += bytes;
  trace::command* const c = find(cid);
  const bool last = to_host ? c != nullptr && offset + bytes == data_length(c->sqe)
                            : take_asked(cid, offset, bytes);
  if (last) p.flags = pdu_flag_bit::last;
  set<wire::pdu_common, "flags">(header_, p.flags);
  if (c != nullptr) {
    if (c->h2c_pdus + c->c2h_pdus == 0 && c->in_capsule == 0) c->first_data = at;
    c->last_data = at;
    ++(to_host ? c->c2h_pdus : c->h2c_pdus);
    (to_host ? c->c2h_bytes : c->h2c_bytes) += bytes;
    if (offset == 0) learn(*c, data);
  }
  to_.on_pdu(*this, p, c);
  return p.header;
}

// Of what was asked for: is that all of it?
bool capsule_connection::take_asked(std::uint16_t cid, std::uint32_t offset, std::uint32_t bytes) {
  const auto it = std::ranges::find_if(asked_, [&](const asked& a) {
    return a.cid == cid && offset >= a.offset && offset - a.offset < a.bytes;
  });
  if (it == asked_.end()) return false;
  set<wire::pdu_h2c_data, "ttag">(header_, it->ttag);
  it->got += bytes;
  if (it->got < it->bytes) return false;
  asked_.erase(it);
  return true;
}

byte_span capsule_connection::response(byte_span cqe, bool made_up, const stamp& at,
                                       const rdma_facts* by) {
  const auto cid = static_cast<std::uint16_t>(wire::get<wire::cqe_layout, "cid">(cqe));
  trace::command* const c = find(cid);
  const pdu p = unit(wire::pdu_type::capsule_resp, way::to_host, at, by);
  std::ranges::copy(cqe, header_.begin() + entry_at);
  // Who takes packets gets one: the data that said it has gone.
  if (made_up) {
    --counts_.pdus;
    if (c != nullptr) finish(*c, {.how = fate::success, .at = at}, nullptr);
    return p.header;
  }
  to_.on_pdu(*this, p, c);
  if (c == nullptr) {
    tell(notice_kind::no_command, p.going, at, 0, &p);
    return p.header;
  }
  completion done{.how = fate::completed, .at = at, .cqe = p.header.subspan(entry_at, cqe.size())};
  done.status = static_cast<std::uint16_t>(wire::load_le(cqe, 14, 2) >> 1);
  learn(*c, done);
  finish(*c, done, &p);
  return p.header;
}

void capsule_connection::work(const trace::work& w) {
  to_.on_work(*this, w, w.cid ? find(*w.cid) : nullptr);
}

}  // namespace nvmf::trace
