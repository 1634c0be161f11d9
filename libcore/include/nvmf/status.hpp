// SPDX-License-Identifier: BSD-2-Clause
// The status of an NVMe command, as a value (Base 2.0, 3.3.3.2.1). It is what a controller said
// about one command, never a failure of the transport (that is a std::error_code).
#pragma once

#include <cassert>
#include <cstdint>
#include <string>

#include "wire/status.hpp"

namespace nvmf {

using wire::fabrics_status_code;
using wire::status_code;
using wire::status_set;

struct nvme_status {
  std::uint8_t sc = 0;   // Status Code
  std::uint8_t sct = 0;  // Status Code Type, 3 bits
  std::uint8_t crd = 0;  // Command Retry Delay, 2 bits: index into CRDT1..3 of Identify Controller
  bool more = false;     // more in the error log page
  bool dnr = false;      // do not retry

  constexpr nvme_status() = default;                               // success
  constexpr nvme_status(status_code c, bool do_not_retry = false)  // NOLINT: implicit by design
      : nvme_status(static_cast<std::uint16_t>(c), do_not_retry) {}
  constexpr nvme_status(fabrics_status_code c, bool do_not_retry = false)  // NOLINT: as above
      : nvme_status(static_cast<std::uint16_t>(c), do_not_retry) {}

  // The 15-bit status field: SC 07:00, SCT 10:08, CRD 12:11, M 13, DNR 14. In the 16-bit word at
  // byte 14 of a completion it stands one bit higher, above the phase tag: see from_cqe_word.
  static constexpr nvme_status from_field(std::uint16_t field) {
    assert(field < 0x8000);
    nvme_status s;
    s.sc = static_cast<std::uint8_t>(field & 0xff);
    s.sct = static_cast<std::uint8_t>((field >> 8) & 0x7);
    s.crd = static_cast<std::uint8_t>((field >> 11) & 0x3);
    s.more = (field & 0x2000) != 0;
    s.dnr = (field & 0x4000) != 0;
    return s;
  }
  constexpr std::uint16_t field() const {
    return static_cast<std::uint16_t>(sc | ((sct & 0x7) << 8) | ((crd & 0x3) << 11) |
                                      (more ? 0x2000 : 0) | (dnr ? 0x4000 : 0));
  }
  // The 16-bit word at byte 14 of a completion; the phase tag (bit 0) is reserved over fabrics.
  static constexpr nvme_status from_cqe_word(std::uint16_t word) {
    return from_field(static_cast<std::uint16_t>(word >> 1));
  }
  constexpr std::uint16_t cqe_word() const { return static_cast<std::uint16_t>(field() << 1); }

  constexpr bool ok() const { return sc == 0 && sct == 0; }
  // (SCT << 8) | SC, whatever the command was.
  constexpr std::uint16_t raw_code() const { return wire::status_value(sct, sc); }
  // For a switch over the codes of commands that are not Fabrics commands. Any number can come
  // from a peer, so the result may be none of the enumerators.
  constexpr status_code code() const { return static_cast<status_code>(raw_code()); }
  constexpr bool is(status_code c) const { return raw_code() == static_cast<std::uint16_t>(c); }
  constexpr bool is(fabrics_status_code c) const {
    return raw_code() == static_cast<std::uint16_t>(c);
  }

  friend constexpr bool operator==(const nvme_status&, const nvme_status&) = default;

 private:
  constexpr nvme_status(std::uint16_t raw, bool do_not_retry)
      : sc(static_cast<std::uint8_t>(raw & 0xff)),
        sct(static_cast<std::uint8_t>(raw >> 8)),
        dnr(do_not_retry) {}
};

// "Connect Invalid Parameters (1/82h, DNR)": name, SCT/SC, and what else is set. `set` says which
// command it answers, since SCT 1 from 80h on means one thing after a Fabrics command and another
// after an NVM command.
std::string to_text(nvme_status status, status_set set = status_set::nvm);

}  // namespace nvmf
