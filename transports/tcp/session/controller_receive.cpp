// SPDX-License-Identifier: BSD-2-Clause
// What a controller makes of the PDUs that it receives: the fields in wire order, then order and
// range.
#include "controller_session.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::tcp {
namespace {

using wire::fes;
using wire::get;
using wire::offset_of;
using wire::pdu_capsule_cmd;
using wire::pdu_h2c_data;
using wire::pdu_type;

}  // namespace

bool controller_session::on_header(const pdu_shape& shape, std::span<const std::byte> header,
                                   receiver::target& to) {
  events_.pdu_in(shape, header);
  if (shape.type == pdu_type::capsule_cmd) return on_command_header(shape, header, to);
  return on_h2c_header(shape, header, to);
}

void controller_session::on_pdu(const pdu_shape& shape, bool digest_good) {
  if (shape.type == pdu_type::capsule_cmd)
    on_command(shape, digest_good);
  else
    on_h2c_data(shape, digest_good);
}

// --- Commands -----------------------------------------------------------------------------------

bool controller_session::on_command_header(const pdu_shape& shape,
                                           std::span<const std::byte> header,
                                           receiver::target& to) {
  const auto sqe = wire::bytes_of<pdu_capsule_cmd, "ccsqe">(header);
  const auto cid = static_cast<std::uint16_t>(get<wire::sqe_layout, "cid">(sqe));
  const std::uint32_t out = cids_.size() + refusals_;
  command_slot* c = out < most_commands() ? commands_.take() : nullptr;
  if (c == nullptr)
    return violated(
        broken_rule(fes::pdu_sequence_error, pdu_capsule_cmd.name,
                    offset_of<pdu_capsule_cmd, "ccsqe">(),
                    "more commands outstanding than the queue holds", out + 1, most_commands()),
        header);
  if (cids_.find(cid) != nullptr) {
    commands_.give(c);
    refuse_duplicate(cid);
    return true;  // its data is read over
  }
  c->owner = this;
  c->command = true;
  c->listed = c->digest_failed = c->all_sent = false;
  c->cid = cid;
  c->carried = shape.data;
  c->sent = c->open_r2ts = c->fetched = 0;
  c->users = 1;  // this PDU, then the task that delivers it
  std::ranges::copy(sqe, c->entry.begin());
  if (shape.data > 0) {
    c->block = memory_->take_block(shape.data);
    // Without a place the data is read over, and the command answered for it.
    if (c->block != nullptr) to.memory = memdesc::of(std::span{c->block, shape.data});
  }
  receiving_ = c;
  return true;
}

void controller_session::on_command(const pdu_shape& shape, bool digest_good) {
  command_slot* c = std::exchange(receiving_, nullptr);
  if (c == nullptr) return;  // a duplicate
  c->digest_failed = !digest_good;
  c->since = events_.last();  // of this PDU
  if (c->block != nullptr && events_.on())
    events_.pdu_in_data(shape, rx_.header(), memdesc::of(std::span{c->block, c->carried}),
                        digest_good);
  events_.entry(event_type::command_in, c->cid, c->entry, c->carried);
  c->listed = true;
  cids_.add(c);
  defer([this, c] { arrived(c); });
}

// One read may bring thousands of commands: while what they ask for piles up, the rest waits.
void controller_session::arrived(command_slot* c) {
  if (!over() && (congested_ || !held_.empty()))
    held_.push(c);
  else
    deliver_command(c);
}

void controller_session::deliver_held() {
  while (!held_.empty() && !congested_) deliver_command(held_.pop());
}

void controller_session::deliver_command(command_slot* c) {
  --c->users;
  if (!deliver(c)) {
    unlist(*c);
    recycle(*c);
  }
}

// The transport answers for the command that must not run; the one that has the CID goes on.
void controller_session::refuse_duplicate(std::uint16_t cid) {
  std::array<std::byte, 16> cqe{};
  const nvme_status status{wire::status_code::command_id_conflict, true};
  wire::set<wire::cqe_layout, "sqhd">(cqe, sq_head_.next());
  wire::set<wire::cqe_layout, "cid">(cqe, cid);
  wire::store_le(cqe, 14, 2, status.cqe_word());
  tx_pdu* pdu = tx_.make();
  pdu->cid = cid;
  pdu->owner = &refusals_;
  ++refusals_;
  encode_response(*pdu, cqe, send_rules_);
  events_.entry(event_type::response_out, cid, cqe);
  push(pdu);
}

// --- H2CData ------------------------------------------------------------------------------------

transfer* controller_session::open_transfer(std::uint64_t ttag) const {
  transfer* t = transfers_.at(static_cast<std::uint32_t>(ttag));
  return t != nullptr && t->taken && t->open ? t : nullptr;
}

bool controller_session::on_h2c_header(const pdu_shape& shape, std::span<const std::byte> header,
                                       receiver::target& to) {
  const auto cccid = get<pdu_h2c_data, "cccid">(header);
  const auto ttag = get<pdu_h2c_data, "ttag">(header);
  const auto datao = static_cast<std::uint32_t>(get<pdu_h2c_data, "datao">(header));
  const auto datal = static_cast<std::uint32_t>(get<pdu_h2c_data, "datal">(header));
  const std::string_view name = pdu_h2c_data.name;
  constexpr std::uint32_t at_cccid = offset_of<pdu_h2c_data, "cccid">();
  constexpr std::uint32_t at_ttag = offset_of<pdu_h2c_data, "ttag">();
  constexpr std::uint32_t at_datao = offset_of<pdu_h2c_data, "datao">();
  constexpr std::uint32_t at_datal = offset_of<pdu_h2c_data, "datal">();

  // The tag says what the data is for; which CID it must name is known only with it.
  transfer* t = open_transfer(ttag);
  if (t == nullptr)
    return violated(bad_field(name, at_ttag, "a transfer tag that is not outstanding", ttag),
                    header);
  if (cccid != t->command->cid)
    return violated(
        bad_field(name, at_cccid, "the CID is not the one the transfer tag was given for", cccid,
                  t->command->cid),
        header);
  const std::uint32_t end = t->offset + t->length;
  if (datao < t->offset || datao >= end)
    return violated(broken_rule(fes::data_transfer_out_of_range, name, at_datao,
                                "data outside of what was asked for", datao, t->offset),
                    header);
  if (datao != t->offset + t->arrived)
    return violated(broken_rule(fes::pdu_sequence_error, name, at_datao,
                                "data that does not follow what came before", datao,
                                std::uint64_t{t->offset} + t->arrived),
                    header);
  if (datal > agreed_.max_h2c_data)
    return violated(broken_rule(fes::data_transfer_limit_exceeded, name, at_datal,
                                "more data than MAXH2CDATA", datal, agreed_.max_h2c_data),
                    header);
  if (datal != shape.data || datal == 0)
    return violated(
        bad_field(name, at_datal,
                  datal == 0 ? "a data PDU without data" : "DATAL is not what PLEN carries", datal,
                  shape.data),
        header);
  if (datal > end - datao)
    return violated(broken_rule(fes::data_transfer_out_of_range, name, at_datal,
                                "data outside of what was asked for", datal, end - datao),
                    header);
  if ((datao + datal == end) != shape.last())
    return violated(
        broken_rule(fes::pdu_sequence_error, name, offset_of<wire::pdu_common, "flags">(),
                    shape.last() ? "LAST_PDU before the end of the transfer"
                                 : "the end of the transfer without LAST_PDU",
                    shape.flags),
        header);
  filling_ = t;
  to.memory = t->to.window(t->arrived, datal);
  return true;
}

void controller_session::on_h2c_data(const pdu_shape& shape, bool digest_good) {
  transfer& t = *std::exchange(filling_, nullptr);
  if (events_.on())
    events_.pdu_in_data(shape, rx_.header(), t.to.window(t.arrived, shape.data), digest_good);
  t.arrived += shape.data;
  t.command->fetched += shape.data;
  t.digest_failed = t.digest_failed || !digest_good;
  if (!t.digest_failed) t.good = t.arrived;
  if (t.arrived < t.length) return;
  command_slot& c = *t.command;
  --c.open_r2ts;
  finish(t, t.digest_failed ? make_error_code(errc::data_digest) : std::error_code{});
  if (!c.waiting.empty()) ask(*c.waiting.pop());
}

}  // namespace nvmf::tcp
