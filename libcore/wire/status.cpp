// SPDX-License-Identifier: BSD-2-Clause
#include "nvmf/status.hpp"

#include <fmt/format.h>

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
