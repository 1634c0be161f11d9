// SPDX-License-Identifier: BSD-2-Clause
#include "pdu_check.hpp"

#include <optional>

#include "limits.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::tcp {
namespace {

using wire::fes;
using wire::get;
using wire::offset_of;
using wire::pdu_common;
using wire::pdu_type;

constexpr auto hdgst = static_cast<std::uint8_t>(wire::pdu_flag::hdgst);
constexpr auto ddgst = static_cast<std::uint8_t>(wire::pdu_flag::ddgst);
constexpr auto last_pdu = static_cast<std::uint8_t>(wire::pdu_flag::last_pdu);
constexpr auto success = static_cast<std::uint8_t>(wire::pdu_flag::success);

constexpr std::uint32_t at_type = offset_of<pdu_common, "type">();
constexpr std::uint32_t at_flags = offset_of<pdu_common, "flags">();
constexpr std::uint32_t at_hlen = offset_of<pdu_common, "hlen">();
constexpr std::uint32_t at_pdo = offset_of<pdu_common, "pdo">();
constexpr std::uint32_t at_plen = offset_of<pdu_common, "plen">();

// What a PDU type allows once the connection is set up.
struct form {
  std::uint8_t flags = 0;  // that may be set
  bool carries_data = false;
  bool termreq = false;
};

constexpr form form_of(pdu_type type) {
  switch (type) {
    case pdu_type::capsule_cmd:
      return {.flags = hdgst | ddgst, .carries_data = true};
    case pdu_type::h2c_data:
      return {.flags = hdgst | ddgst | last_pdu, .carries_data = true};
    case pdu_type::c2h_data:
      return {.flags = hdgst | ddgst | last_pdu | success, .carries_data = true};
    case pdu_type::h2c_termreq:
    case pdu_type::c2h_termreq:
      return {.termreq = true};
    default:
      return {.flags = hdgst};
  }
}

// The common header of one PDU on its way through the checks.
struct reading {
  std::span<const std::byte, 8> bytes;
  const receive_rules& rules;
  std::string_view name = pdu_common.name;
  form is{};
  pdu_shape shape{};
  std::uint32_t hlen = 0, pdo = 0, plen = 0;
  std::optional<protocol_error> error{};

  void fail(std::uint32_t offset, std::string_view reason, std::uint64_t value,
            std::uint64_t limit) {
    error = bad_field(name, offset, reason, value, limit);
  }
};

bool type_is_good(reading& r) {
  const auto type = static_cast<std::uint8_t>(get<pdu_common, "type">(r.bytes));
  const wire::layout* layout = wire::pdu_layout(type);
  if (layout == nullptr) {
    r.fail(at_type, "unknown PDU type", type, 0);
    return false;
  }
  r.name = layout->name;
  // Even types travel to the controller, odd ones to the host.
  if ((type & 1) != (r.rules.side == role::host ? 1 : 0)) {
    r.fail(at_type, "a PDU type that only we may send", type, 0);
    return false;
  }
  r.shape.type = static_cast<pdu_type>(type);
  r.shape.header = static_cast<std::uint8_t>(layout->size);
  if (r.shape.type == pdu_type::icreq || r.shape.type == pdu_type::icresp) {
    r.error = broken_rule(fes::pdu_sequence_error, r.name, at_type,
                          "an IC PDU on a connection that is set up", type);
    return false;
  }
  r.is = form_of(r.shape.type);
  return true;
}

bool flags_are_good(reading& r) {
  const auto flags = static_cast<std::uint8_t>(get<pdu_common, "flags">(r.bytes));
  r.shape.flags = flags;
  if ((flags & ~r.is.flags) != 0) {
    r.fail(at_flags, "a flag that this PDU type does not have", flags, r.is.flags);
    return false;
  }
  if (r.is.termreq) return true;
  if (((flags & hdgst) != 0) != r.rules.header_digest) {
    r.fail(at_flags,
           r.rules.header_digest ? "header digest was agreed but is absent"
                                 : "header digest was not agreed but is present",
           flags, r.rules.header_digest ? hdgst : 0);
    return false;
  }
  r.shape.header_digest = r.rules.header_digest ? 4 : 0;
  const std::uint32_t header_end = std::uint32_t{r.shape.header} + r.shape.header_digest;
  if ((flags & ddgst) != 0) {
    if (!r.rules.data_digest) {
      r.fail(at_flags, "data digest was not agreed but is present", flags, 0);
      return false;
    }
    r.shape.data_digest = 4;
  } else if (r.is.carries_data && r.rules.data_digest && r.plen > header_end) {
    r.fail(at_flags, "data digest was agreed but is absent", flags, ddgst);
    return false;
  }
  if ((flags & success) != 0 && (flags & last_pdu) == 0) {
    r.fail(at_flags, "SUCCESS without LAST_PDU", flags, success | last_pdu);
    return false;
  }
  return true;
}

bool pdo_is_good(reading& r) {
  const std::uint32_t header_end = std::uint32_t{r.shape.header} + r.shape.header_digest;
  if (!r.is.carries_data) {
    if (r.pdo == 0) return true;
    r.fail(at_pdo, "PDO of a PDU that carries no data", r.pdo, 0);
    return false;
  }
  // A PLEN that ends within the header is what is wrong then, not the PDO.
  if (r.plen < header_end) return true;
  if (r.pdo == 0) {
    if (r.plen == header_end) return true;
    r.fail(at_pdo, "PDO 0 on a PDU with data", r.pdo, header_end);
    return false;
  }
  if (r.pdo < header_end) {
    r.fail(at_pdo, "PDO within the header", r.pdo, header_end);
    return false;
  }
  // Padding with nothing behind it is no place of data; a PDO right behind the header does no harm.
  if (r.pdo > r.plen || (r.pdo == r.plen && r.pdo != header_end)) {
    r.fail(at_pdo, "PDO beyond the end of the PDU", r.pdo, r.plen);
    return false;
  }
  if (r.pdo % r.rules.alignment != 0) {
    r.fail(at_pdo, "PDO is not aligned as agreed", r.pdo, r.rules.alignment);
    return false;
  }
  return true;
}

// More data than this PDU may have: a limit when the length is one that somebody could have meant.
// A C2HData that is long in that way is left to its command's own check.
bool length_is_bounded(reading& r, std::uint64_t limit) {
  if (r.shape.data <= limit) return true;
  if (r.plen > plausible_plen && r.plen > limit + 256) {
    r.fail(at_plen, "PLEN beyond every limit", r.plen, limit);
    return false;
  }
  if (r.shape.type == pdu_type::c2h_data) return true;
  r.error = broken_rule(fes::data_transfer_limit_exceeded, r.name, at_plen,
                        r.shape.type == pdu_type::h2c_data ? "more data than MAXH2CDATA"
                                                           : "more in-capsule data than allowed",
                        r.shape.data, limit);
  return false;
}

bool plen_is_good(reading& r) {
  const std::uint32_t header_end = std::uint32_t{r.shape.header} + r.shape.header_digest;
  if (r.is.termreq) {
    r.shape.data = r.plen - r.shape.header;
    return true;
  }
  if (r.plen < header_end) {
    r.fail(at_plen, "PLEN ends within the header", r.plen, header_end);
    return false;
  }
  if (!r.is.carries_data) {
    if (r.plen == header_end) return true;
    r.fail(at_plen, "data on a PDU that carries none", r.plen, header_end);
    return false;
  }
  const std::uint32_t start = r.pdo == 0 ? header_end : r.pdo;
  r.shape.padding = start - header_end;
  const std::uint32_t rest = r.plen - start;
  if (r.shape.data_digest != 0 && rest <= r.shape.data_digest) {
    r.fail(at_plen, "a data digest but no data", r.plen, std::uint64_t{start} + 5);
    return false;
  }
  r.shape.data = rest - r.shape.data_digest;
  const std::uint64_t limit =
      r.shape.type == pdu_type::capsule_cmd ? r.rules.max_in_capsule : r.rules.max_data;
  return length_is_bounded(r, limit);
}

}  // namespace

protocol_error bad_field(std::string_view structure, std::uint32_t offset, std::string_view reason,
                         std::uint64_t value, std::uint64_t limit) {
  return {.structure = structure,
          .offset = offset,
          .fes = static_cast<std::uint16_t>(fes::invalid_header_field),
          .fei = offset,
          .reason = reason,
          .value = value,
          .limit = limit};
}

protocol_error broken_rule(fes why, std::string_view structure, std::uint32_t offset,
                           std::string_view reason, std::uint64_t value, std::uint64_t limit) {
  return {.structure = structure,
          .offset = offset,
          .fes = static_cast<std::uint16_t>(why),
          .fei = why == fes::unsupported_parameter ? offset : 0,
          .reason = reason,
          .value = value,
          .limit = limit};
}

protocol_error silent_close(std::string_view structure, std::uint32_t offset,
                            std::string_view reason, std::uint64_t value, std::uint64_t limit) {
  return {.structure = structure,
          .offset = offset,
          .fes = 0,
          .fei = 0,
          .reason = reason,
          .value = value,
          .limit = limit};
}

std::expected<pdu_shape, protocol_error> check_common(std::span<const std::byte, 8> common,
                                                      const receive_rules& rules) {
  reading r{.bytes = common, .rules = rules};
  r.hlen = static_cast<std::uint32_t>(get<pdu_common, "hlen">(common));
  r.pdo = static_cast<std::uint32_t>(get<pdu_common, "pdo">(common));
  r.plen = static_cast<std::uint32_t>(get<pdu_common, "plen">(common));
  if (!type_is_good(r)) return std::unexpected(*r.error);
  // Of a TermReq of impossible length nothing more is believed, and none is sent in return
  // (NVMe/TCP 3.5).
  if (r.is.termreq && (r.plen < min_termreq || r.plen > max_termreq))
    return std::unexpected(
        silent_close(r.name, at_plen, "a TermReq of impossible length", r.plen, max_termreq));
  if (!flags_are_good(r)) return std::unexpected(*r.error);
  if (r.hlen != r.shape.header) {
    r.fail(at_hlen, "HLEN is not the length of this PDU's header", r.hlen, r.shape.header);
    return std::unexpected(*r.error);
  }
  if (!pdo_is_good(r) || !plen_is_good(r)) return std::unexpected(*r.error);
  return r.shape;
}

}  // namespace nvmf::tcp
