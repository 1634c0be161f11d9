// SPDX-License-Identifier: BSD-2-Clause
// What a host makes of the PDUs that it receives: the fields in wire order, then order and range.
#include "host_session.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::tcp {
namespace {

using wire::fes;
using wire::get;
using wire::offset_of;
using wire::pdu_c2h_data;
using wire::pdu_capsule_resp;
using wire::pdu_r2t;
using wire::pdu_type;

constexpr std::uint32_t at_cqe_cid =
    offset_of<pdu_capsule_resp, "rccqe">() + offset_of<wire::cqe_layout, "cid">();

}  // namespace

host_command* host_session::find(std::uint64_t cid) const {
  host_command* c = commands_.at(static_cast<std::uint32_t>(cid));
  return c != nullptr && c->outstanding ? c : nullptr;
}

bool host_session::on_header(const pdu_shape& shape, std::span<const std::byte> header,
                             receiver::target& to) {
  events_.pdu_in(shape, header);
  switch (shape.type) {
    case pdu_type::capsule_resp:
      return on_response(header);
    case pdu_type::c2h_data:
      return on_c2h_header(shape, header, to);
    default:  // check_common lets nothing else of the controller's through
      return on_r2t(header);
  }
}

void host_session::on_pdu(const pdu_shape& shape, bool digest_good) {
  if (shape.type == pdu_type::c2h_data) on_c2h_data(shape, digest_good);
}

bool host_session::on_response(std::span<const std::byte> header) {
  const auto cqe = wire::bytes_of<pdu_capsule_resp, "rccqe">(header).first<16>();
  const auto cid = get<wire::cqe_layout, "cid">(cqe);
  host_command* c = find(cid);
  if (c == nullptr)
    return violated(bad_field(pdu_capsule_resp.name, at_cqe_cid,
                              "a response to a command that is not outstanding", cid),
                    header);
  answer(*c, cqe, false);
  return true;
}

void host_session::answer(host_command& c, std::span<const std::byte, 16> cqe, bool made_up) {
  events_.entry(event_type::response_in, c.index, cqe, made_up ? 1 : 0);
  c.outstanding = false;
  if (!c.data_done) {
    if (c.queued > 0 || c.open_r2ts > 0) release_memory(c);
    const auto status =
        nvme_status::from_cqe_word(static_cast<std::uint16_t>(wire::load_le(cqe, 14, 2)));
    const bool missing = c.way == direction::receive && !c.last_seen && c.moved < c.length;
    std::error_code error;
    if (c.digest_failed)
      error = errc::data_digest;
    else if (missing && status.ok())
      error = errc::data_incomplete;
    finish_data(c, error);
  } else if (c.queued > 0 || c.open_r2ts > 0) {
    release_memory(c);
  }
  response_slot* slot = responses_.take();
  assert(slot != nullptr);  // there are as many as CIDs
  slot->owner = this;
  slot->command = false;
  slot->sqhd_valid = !made_up;
  std::ranges::copy(cqe, slot->entry.begin());
  defer([this, slot] { deliver_response(slot); });
  recycle(c);
}

void host_session::deliver_response(response_slot* slot) {
  if (!deliver(slot)) responses_.give(slot);
}

bool host_session::on_c2h_header(const pdu_shape& shape, std::span<const std::byte> header,
                                 receiver::target& to) {
  const auto cccid = get<pdu_c2h_data, "cccid">(header);
  const auto datao = static_cast<std::uint32_t>(get<pdu_c2h_data, "datao">(header));
  const auto datal = static_cast<std::uint32_t>(get<pdu_c2h_data, "datal">(header));
  const std::string_view name = pdu_c2h_data.name;
  constexpr std::uint32_t at_cccid = offset_of<pdu_c2h_data, "cccid">();
  constexpr std::uint32_t at_datao = offset_of<pdu_c2h_data, "datao">();
  constexpr std::uint32_t at_datal = offset_of<pdu_c2h_data, "datal">();

  host_command* c = find(cccid);
  if (c == nullptr || c->way != direction::receive)
    return violated(bad_field(name, at_cccid,
                              c == nullptr ? "data for a command that is not outstanding"
                                           : "data for a command that reads none",
                              cccid),
                    header);
  if (c->last_seen)
    return violated(broken_rule(fes::pdu_sequence_error, name, at_cccid,
                                "data after the last PDU of its command", cccid),
                    header);
  if (datao > c->length)
    return violated(broken_rule(fes::data_transfer_out_of_range, name, at_datao,
                                "data beyond the command's memory", datao, c->length),
                    header);
  if (datao != c->arrived)
    return violated(broken_rule(fes::pdu_sequence_error, name, at_datao,
                                "data that does not follow what came before", datao, c->arrived),
                    header);
  if (datal != shape.data || datal == 0)
    return violated(
        bad_field(name, at_datal,
                  datal == 0 ? "a data PDU without data" : "DATAL is not what PLEN carries", datal,
                  shape.data),
        header);
  if (datal > c->length - datao)
    return violated(broken_rule(fes::data_transfer_out_of_range, name, at_datal,
                                "data beyond the command's memory", datal, c->length - datao),
                    header);
  if (datao + datal == c->length && !shape.last())
    return violated(
        broken_rule(fes::pdu_sequence_error, name, offset_of<wire::pdu_common, "flags">(),
                    "all data of the command, but not LAST_PDU", shape.flags),
        header);
  receiving_ = c;
  if (!c->withdrawn) to.memory = c->data.window(datao, datal);
  return true;
}

void host_session::on_c2h_data(const pdu_shape& shape, bool digest_good) {
  host_command& c = *std::exchange(receiving_, nullptr);
  if (events_.on())
    events_.pdu_in_data(shape, rx_.header(),
                        c.withdrawn ? memdesc{} : c.data.window(c.arrived, shape.data),
                        digest_good);
  c.arrived += shape.data;
  if (!digest_good) c.digest_failed = true;
  if (!c.digest_failed && !c.withdrawn) c.moved = c.arrived;
  if (!shape.last()) return;
  c.last_seen = true;
  finish_data(c, c.digest_failed ? make_error_code(errc::data_digest) : std::error_code{});
  if (!shape.success()) return;
  std::array<std::byte, 16> cqe{};
  wire::set<wire::cqe_layout, "cid">(cqe, c.index);
  answer(c, cqe, true);
}

bool host_session::on_r2t(std::span<const std::byte> header) {
  const auto cccid = get<pdu_r2t, "cccid">(header);
  const auto ttag = static_cast<std::uint16_t>(get<pdu_r2t, "ttag">(header));
  const auto r2to = static_cast<std::uint32_t>(get<pdu_r2t, "r2to">(header));
  const auto r2tl = static_cast<std::uint32_t>(get<pdu_r2t, "r2tl">(header));
  const std::string_view name = pdu_r2t.name;
  constexpr std::uint32_t at_cccid = offset_of<pdu_r2t, "cccid">();
  constexpr std::uint32_t at_r2to = offset_of<pdu_r2t, "r2to">();
  constexpr std::uint32_t at_r2tl = offset_of<pdu_r2t, "r2tl">();

  host_command* c = find(cccid);
  if (c == nullptr || c->way != direction::send || c->in_capsule)
    return violated(
        bad_field(name, at_cccid,
                  c == nullptr                ? "an R2T for a command that is not outstanding"
                  : c->way != direction::send ? "an R2T for a command that writes no data"
                                              : "an R2T for data that went in the capsule",
                  cccid),
        header);
  if (r2to > c->length)
    return violated(broken_rule(fes::data_transfer_out_of_range, name, at_r2to,
                                "an R2T beyond the command's data", r2to, c->length),
                    header);
  if (r2to != c->asked)
    return violated(broken_rule(fes::pdu_sequence_error, name, at_r2to,
                                "an R2T that does not follow the one before", r2to, c->asked),
                    header);
  if (r2tl == 0) return violated(bad_field(name, at_r2tl, "an R2T for no data"), header);
  if (r2tl > c->length - r2to)
    return violated(broken_rule(fes::data_transfer_out_of_range, name, at_r2tl,
                                "an R2T beyond the command's data", r2tl, c->length - r2to),
                    header);
  if (c->open_r2ts >= agreed_.max_r2t)
    return violated(
        broken_rule(fes::data_transfer_limit_exceeded, name, at_cccid,
                    "more R2Ts outstanding than MAXR2T", c->open_r2ts + 1, agreed_.max_r2t),
        header);
  c->asked += r2tl;
  ++c->open_r2ts;
  if (c->withdrawn) return true;
  h2c_transfer* t = transfer_places_.take();
  if (t == nullptr)
    return violated(broken_rule(fes::data_transfer_limit_exceeded, name, at_cccid,
                                "more R2Ts outstanding on the connection than we keep",
                                transfer_places_.taken(), transfer_places_.limit()),
                    header);
  t->command = c;
  t->ttag = ttag;
  t->offset = t->begin = r2to;
  t->end = r2to + r2tl;
  transfers_.push(t);
  wake();
  return true;
}

}  // namespace nvmf::tcp
