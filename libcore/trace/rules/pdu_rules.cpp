// SPDX-License-Identifier: BSD-2-Clause
// Rules of the header of any PDU, in the order of its bytes.
#include <algorithm>
#include <array>
#include <vector>

#include "queue_checker.hpp"
#include "trace/rdma/rdma_facts.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::trace {

namespace {

using wire::pdu_type;

// Which flags a type of PDU has.
std::uint8_t flags_of(pdu_type t) {
  using namespace pdu_flag_bit;
  switch (t) {
    case pdu_type::capsule_cmd:
      return hdgst | ddgst;
    case pdu_type::capsule_resp:
    case pdu_type::r2t:
      return hdgst;
    case pdu_type::h2c_data:
      return hdgst | ddgst | last;
    case pdu_type::c2h_data:
      return hdgst | ddgst | last | success;
    case pdu_type::icreq:
    case pdu_type::icresp:
    case pdu_type::h2c_termreq:
    case pdu_type::c2h_termreq:
      break;
  }
  return 0;
}
bool has_data(pdu_type t) {
  return t == pdu_type::capsule_cmd || t == pdu_type::h2c_data || t == pdu_type::c2h_data;
}
bool is_termreq(pdu_type t) { return t == pdu_type::h2c_termreq || t == pdu_type::c2h_termreq; }
bool is_setup(pdu_type t) { return t == pdu_type::icreq || t == pdu_type::icresp; }

// The reserved fields of the PDU types, by their number.
constexpr std::size_t types_max = 10;
using reserved_fields = std::array<std::vector<const wire::field*>, types_max>;
const reserved_fields& reserved_of_types() {
  static const reserved_fields all = [] {
    reserved_fields out;
    for (std::uint8_t type = 0; type < types_max; ++type)
      if (const wire::layout* form = wire::pdu_layout(type); form != nullptr)
        for (const wire::field& f : form->fields)
          if (f.as == wire::kind::reserved) out[type].push_back(&f);
    return out;
  }();
  return all;
}

bool is_zero(wire::byte_span header, const wire::field& f) {
  if (f.bits != 0) return wire::get(header, f) == 0;
  const std::size_t size = std::size_t{f.size} * std::max<std::size_t>(f.count, 1);
  if (size == 4) return wire::load_le(header, f.offset, 4) == 0;
  return std::ranges::all_of(header.subspan(f.offset, size),
                             [](std::byte b) { return b == std::byte{}; });
}

}  // namespace

bool queue_checker::check_header(const place& at) {
  const pdu& p = at.p;
  const wire::layout* form = wire::pdu_layout(p.type);
  if (form == nullptr) {
    report(at, rule::pdu_type, "type", p.type, bound::words("a type of the table pdu-type"));
    return false;
  }
  if ((p.type % 2 == 0) != (p.going == way::to_controller)) {
    report(at, rule::pdu_direction, "type", p.type,
           bound::words(p.going == way::to_controller ? "an even type" : "an odd type"));
    return false;
  }
  const auto type = static_cast<pdu_type>(p.type);
  const auto flags = static_cast<std::uint8_t>(p.flags & ~flags_of(type));
  if (flags != 0) report(at, rule::pdu_flags, "flags", p.flags, bound::words("those of its type"));
  if (!check_lengths(at, form->size)) return false;
  if (!check_digests(at)) return false;
  if (!is_termreq(type) && !is_setup(type)) check_digest_use(at);
  check_reserved(at);
  return true;
}

bool queue_checker::check_lengths(const place& at, std::uint32_t form_bytes) {
  const pdu& p = at.p;
  const auto type = static_cast<pdu_type>(p.type);
  if (p.hlen != form_bytes) {
    report(at, rule::pdu_hlen, "hlen", p.hlen, bound::is(form_bytes));
    return false;
  }
  const std::uint32_t head = p.hlen + ((p.flags & pdu_flag_bit::hdgst) != 0 ? 4u : 0u);
  if (is_termreq(type)) {
    if (p.plen < 24 || p.plen > 152)
      report(at, rule::termreq_form, "plen", p.plen, bound::within(24, 152));
    return p.header.size() == form_bytes;
  }
  if (!has_data(type)) {
    if (p.pdo != 0) report(at, rule::pdu_pdo, "pdo", p.pdo, bound::is(0));
    if (p.plen != head) report(at, rule::pdu_plen, "plen", p.plen, bound::is(head));
    return p.header.size() == form_bytes;
  }
  if (p.plen < head) {
    report(at, rule::pdu_plen, "plen", p.plen, bound::at_least(head));
    return false;
  }
  check_data_offset(at);
  return p.header.size() == form_bytes;
}

void queue_checker::check_data_offset(const place& at) {
  const pdu& p = at.p;
  if (p.data_bytes == 0 && p.pdo <= p.plen) return;
  const std::uint32_t head = p.hlen + ((p.flags & pdu_flag_bit::hdgst) != 0 ? 4u : 0u);
  if (p.pdo < head || p.pdo > p.plen)
    return report(at, rule::pdu_pdo, "pdo", p.pdo, bound::within(head, p.plen));
  if (!setup_.request || !setup_.response) return;
  const std::uint32_t unit = (setup_.alignment[static_cast<std::size_t>(p.going)] + 1u) * 4;
  if (p.pdo % unit != 0) report(at, rule::pdu_alignment, "pdo", p.pdo, bound::multiple_of(unit));
}

void queue_checker::check_digest_use(const place& at) {
  const pdu& p = at.p;
  if (!setup_.request || !setup_.response) return;
  const bool header = (setup_.granted & 1) != 0, data = (setup_.granted & 2) != 0;
  const auto agreed = [](bool on) {
    return bound::words(on ? "set, as the digest was agreed" : "clear, as no digest was agreed");
  };
  if (((p.flags & pdu_flag_bit::hdgst) != 0) != header)
    report(at, rule::header_digest_use, "flags.hdgst", header ? 0 : 1, agreed(header));
  // Peers disagree on a PDU that could have data, and has none.
  if (!has_data(static_cast<pdu_type>(p.type))) return;
  const bool has = (p.flags & pdu_flag_bit::ddgst) != 0;
  if (has == data || (data && p.data_bytes == 0)) return;
  report(at, rule::data_digest_use, "flags.ddgst", data ? 0 : 1, agreed(data));
}

// False: the header is not what was sent.
bool queue_checker::check_digests(const place& at) {
  const pdu& p = at.p;
  if (p.data_digest == digest_state::bad)
    report(at, rule::data_digest, "data digest", std::nullopt,
           bound::words("the CRC32C of the data"));
  if (p.header_digest != digest_state::bad) return true;
  report(at, rule::header_digest, "header digest", std::nullopt,
         bound::words("the CRC32C of the header"));
  return false;
}

void queue_checker::check_reserved(const place& at) {
  const pdu& p = at.p;
  for (const wire::field* f : reserved_of_types()[p.type])
    if (!is_zero(p.header, *f))
      return report(at, rule::pdu_reserved, "reserved bytes from", f->offset,
                    bound::words("zeros"));
}

void queue_checker::check_private_reserved(const place& at) {
  for (const wire::field& f : at.p.rdma->private_data->fields)
    if (f.as == wire::kind::reserved && !is_zero(at.p.header, f))
      return report(at, rule::cm_reserved, "reserved bytes from", f.offset, bound::words("zeros"));
}

}  // namespace nvmf::trace
