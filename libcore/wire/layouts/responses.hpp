// SPDX-License-Identifier: BSD-2-Clause
// Completions whose dwords 0 and 1 mean something (Base 2.0, 5 and 7; NVM 1.0, 3.2). Those of
// fabrics commands are in layouts/fabrics.hpp; the rest is `cqe`.
#pragma once

#include "build.hpp"
#include "entries.hpp"
#include "features.hpp"

namespace nvmf::wire {

namespace response_parts {
using namespace build;
using entry_parts::cqe_tail;

inline const row* aer_info_row(byte_span cqe) {
  if (cqe.size() < 2) return nullptr;
  const table* names = aer_info_table(static_cast<std::uint8_t>(load_le(cqe, 0, 1) & 7));
  return names != nullptr ? names->find(static_cast<std::uint32_t>(load_le(cqe, 1, 1))) : nullptr;
}
inline constexpr auto async_event = join(
    std::array{
        named(bits("aet", 0, 1, 0, 3, "Asynchronous Event Type"), aer_types),
        rsvd_bits(0, 1, 3, 5),
        named_by(hex("aei", 1, 1, "Asynchronous Event Information"), aer_info_row),
        named(hex("lid", 2, 1, "Log Page Identifier"), log_pages),
        rsvd(3, 1),
        hex("esp", 4, 4, "Event Specific Parameter"),
    },
    cqe_tail);
inline constexpr auto abort = join(
    std::array{
        bits("ianp", 0, 4, 0, 1, "Immediate Abort Not Performed: 1 is not aborted"),
        rsvd_bits(0, 4, 1, 31),
        rsvd(4, 4),
    },
    cqe_tail);
inline constexpr auto feature = join(
    std::array{
        hex("dw0", 0, 4, "Feature value"),
        rsvd(4, 4),
    },
    cqe_tail);
inline constexpr auto ns_management = join(
    std::array{
        hex("nsid", 0, 4, "Namespace Identifier of the namespace created"),
        rsvd(4, 4),
    },
    cqe_tail);
inline constexpr auto firmware_commit = join(
    std::array{
        bits("mud", 0, 4, 0, 2, "Multiple Update Detected: 1 by this controller, 2 by another"),
        rsvd_bits(0, 4, 2, 30),
        rsvd(4, 4),
    },
    cqe_tail);
inline constexpr auto virtualization = join(
    std::array{
        num("nrm", 0, 2, "Number of Controller Resources Modified"),
        rsvd(2, 6),
    },
    cqe_tail);
inline constexpr auto copy = join(
    std::array{
        num("range", 0, 4, "Lowest source range that was not copied"),
        rsvd(4, 4),
    },
    cqe_tail);
}  // namespace response_parts

inline constexpr layout async_event_response{"async-event-response",
                                             "Asynchronous Event Request response", "Base 5.2", 16,
                                             response_parts::async_event};
inline constexpr layout abort_response{"abort-response", "Abort response", "Base 5.1", 16,
                                       response_parts::abort};
inline constexpr layout features_response{"features-response",
                                          "Get Features or Set Features response", "Base 5.15", 16,
                                          response_parts::feature};
inline constexpr layout namespace_management_response{"namespace-management-response",
                                                      "Namespace Management response", "Base 5.23",
                                                      16, response_parts::ns_management};
inline constexpr layout firmware_commit_response{"firmware-commit-response",
                                                 "Firmware Commit response", "Base 5.12", 16,
                                                 response_parts::firmware_commit};
inline constexpr layout virtualization_management_response{
    "virtualization-management-response", "Virtualization Management response", "Base 5.28", 16,
    response_parts::virtualization};
inline constexpr layout copy_response{"copy-response", "Copy response, not all copied", "NVM 3.2.2",
                                      16, response_parts::copy};

static_assert(complete(async_event_response) && complete(abort_response));
static_assert(complete(features_response) && complete(namespace_management_response));
static_assert(complete(firmware_commit_response) && complete(copy_response));
static_assert(complete(virtualization_management_response));

}  // namespace nvmf::wire
