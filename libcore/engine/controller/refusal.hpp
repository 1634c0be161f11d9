// SPDX-License-Identifier: BSD-2-Clause
// Why a controller refuses a command: the status, and for Connect the place of the bad parameter.
#pragma once

#include <cstdint>
#include <nvmf/status.hpp>
#include <string_view>

namespace nvmf::engine {

// "No place": the error is not one of a byte of the command (Base 2.0, 5.16.1.2).
inline constexpr std::uint16_t no_location = 0xffff;

struct refusal {
  nvme_status status;
  std::uint32_t dw0 = 0;                 // of the response; Connect: IPO and IATTR
  std::uint16_t location = no_location;  // byte of the SQE at fault
  std::string_view why = {};             // static text for the notice: "host ID is zero"
};

// A validation error repeats itself, so the host is told not to retry.
inline refusal refuse(nvme_status status, std::string_view why,
                      std::uint16_t location = no_location) {
  status.dnr = true;
  return {status, 0, location, why};
}

}  // namespace nvmf::engine
