// SPDX-License-Identifier: BSD-2-Clause
#include "nvmf/status.hpp"

#include <fmt/format.h>

#include "names.hpp"

namespace nvmf::wire {

const row* find_status(std::uint16_t code, status_set set) {
  const bool of_command_set = (code >> 8) == static_cast<unsigned>(sct::command_specific) &&
                              (code & 0xff) >= 0x80 && (code & 0xff) < 0xc0;
  if (set == status_set::fabrics && of_command_set) return fabrics_status_codes.find(code);
  return status_codes.find(code);
}

std::string_view status_name(std::uint16_t code, status_set set) {
  if (const row* r = find_status(code, set)) return r->title;
  const unsigned type = code >> 8;
  if (type == static_cast<unsigned>(sct::vendor)) return "Vendor Specific";
  if (type <= static_cast<unsigned>(sct::path) && (code & 0xff) >= 0xc0) return "Vendor Specific";
  return "Reserved";
}

std::expected<std::uint16_t, text_error> parse_status(std::string_view typed) {
  constexpr std::uint64_t max_sct = 0x7;
  constexpr std::uint64_t max_code = 0x7ff;
  if (const auto slash = typed.find('/'); slash != std::string_view::npos) {
    const auto type = parse_value(status_code_types, typed.substr(0, slash), "SCT", max_sct);
    if (!type) return std::unexpected(type.error());
    // Digits without 0x are hexadecimal here: nobody writes 1/82h as 1/130.
    const auto low = typed.substr(slash + 1);
    const bool bare = low.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
    const auto code =
        parse_value(status_codes, bare ? std::string(low) + "h" : std::string(low), "SC", 0xff);
    if (!code) {
      text_error e = code.error();
      e.position += slash + 1;
      return std::unexpected(e);
    }
    return static_cast<std::uint16_t>((*type << 8) | *code);
  }
  if (const row* r = find_name(fabrics_status_codes, typed))
    return static_cast<std::uint16_t>(r->value);
  const auto code = parse_value(status_codes, typed, "status", max_code);
  if (!code) return std::unexpected(code.error());
  return static_cast<std::uint16_t>(*code);
}

}  // namespace nvmf::wire

namespace nvmf {

std::string to_text(nvme_status s, status_set set) {
  std::string out =
      fmt::format("{} ({:x}/{:02X}h", wire::status_name(s.raw_code(), set), s.sct, s.sc);
  if (s.crd != 0) out += fmt::format(", CRD {}", s.crd);
  if (s.more) out += ", more in the error log";
  if (s.dnr) out += ", DNR";
  return out + ")";
}

}  // namespace nvmf
