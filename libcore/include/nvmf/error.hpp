// SPDX-License-Identifier: BSD-2-Clause
// Four kinds of error, never mixed:
//   1. our own mistakes: assert, in every build;
//   2. the peer breaks the protocol: protocol_error, which names the structure and the byte;
//   3. an NVMe status: a value (status.hpp), not a failure of the transport;
//   4. system and transport: std::error_code, either the system's or nvmf::errc.
#pragma once

#include <cstdint>
#include <string_view>
#include <system_error>

namespace nvmf {

enum class errc {
  aborted = 1,         // the qpair was freed or the capsule withdrawn before it was done
  busy,                // data is attached already; a transport still has qpairs
  invalid_argument,    // a parameter out of its range
  out_of_range,        // offset or length beyond the command's data
  no_transport,        // no provider of that type is registered
  transport_refused,   // every provider of that type declined
  queue_full,          // all command slots are taken
  closed,              // the peer closed at a PDU boundary
  reset,               // the peer closed in the middle of a PDU, or reset
  terminated,          // the peer sent a TermReq
  protocol_violation,  // the peer broke the protocol; see protocol_error
  data_digest,         // a data digest did not match: that command failed, the qpair lives
  data_incomplete,     // a command completed, but its data had not all arrived
  timed_out,           // a bounded wait ended
  limit_exceeded,      // a named limit of ours was reached
  not_supported,       // this transport cannot do that
  wrong_role,          // a host call on a controller's qpair or the reverse
  controller_fatal,    // the controller reports a fatal error of its own (CSTS.CFS)
  refused,             // a command of our own was answered with an error status
};

const std::error_category& error_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept {
  return {static_cast<int>(e), error_category()};
}

// What a peer did wrong: the structure, the first bad byte, and what a TermReq says of it.
struct protocol_error {
  std::string_view structure;  // layout name: "h2c-data"
  std::uint32_t offset = 0;    // first bad byte within it
  std::uint16_t fes = 0;       // Fatal Error Status (NVMe/TCP 3.6.2.4); 0: close without TermReq
  std::uint32_t fei = 0;       // Fatal Error Information
  std::string_view reason;     // static text
  std::uint64_t value = 0;     // what was received
  std::uint64_t limit = 0;     // what was expected or allowed
};

// Why a qpair ended. code == success: a clean close at a PDU boundary by the peer.
struct qpair_error {
  std::error_code code;
  protocol_error
      violation{};  // code == protocol_violation: of the peer; terminated: of ours, by it
};

}  // namespace nvmf

template <>
struct std::is_error_code_enum<nvmf::errc> : std::true_type {};
