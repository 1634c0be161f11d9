// SPDX-License-Identifier: BSD-2-Clause
// Limits of the TCP transport that are ours and not negotiated, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nvmf::tcp {

// Longest header that is kept: IC PDUs have 128 bytes, a TermReq 24 plus 128 of error data.
inline constexpr std::size_t max_header = 152;
// Error data of a TermReq, and so its PLEN (NVMe/TCP 3.6.2.4).
inline constexpr std::size_t max_error_data = 128;
inline constexpr std::size_t min_termreq = 24, max_termreq = 152;

// In-capsule data that admin and Fabrics commands may carry whatever IOCCSZ says (NVMe/TCP 3.2.4).
inline constexpr std::uint32_t admin_in_capsule = 8192;

// Data of one C2HData PDU that we send. Larger saves headers, smaller lets other PDUs come between.
inline constexpr std::uint32_t max_c2h_pdu = 256 * 1024;
// Data of one H2CData PDU that we send, whatever larger MAXH2CDATA the controller allows: PLEN must
// not wrap. It is not smaller because Linux's target (seen with 6.1 and 6.12) takes the data digest
// over the whole command for each H2CData PDU, and so bears only one for each command.
inline constexpr std::uint32_t max_h2c_pdu = 16 * 1024 * 1024;
// H2CData PDUs are made for so many bytes ahead of the socket; the rest waits as a range.
inline constexpr std::size_t h2c_ahead = 1024 * 1024;

// A PDU that is too long by a plausible amount breaks a limit (FES 5 or 4); one longer than this
// has no length that anyone meant (FES 1 at PLEN).
inline constexpr std::uint64_t plausible_plen = 64u * 1024 * 1024;

// With so many bytes waiting for a host that does not read, its commands are not read either, and
// those that came in the same breath wait. One more answer may come on top. The data of admin
// commands has no other bound; that of an I/O queue's commands has the target's.
inline constexpr std::size_t tx_high_water = 8 * 1024 * 1024;
inline constexpr std::size_t admin_tx_high_water = 256 * 1024;

// Commands beyond the queue size that an admin queue accepts: hosts put their Asynchronous Event
// Requests on top of it.
inline constexpr std::uint32_t admin_extra_commands = 64;

// A payload of which so much is still to come is read straight into its place.
inline constexpr std::size_t direct_read_min = 16 * 1024;

// How often a stalled connection is looked at before its stall_timeout is over.
inline constexpr int stall_looks = 4;

// When the kernel begins to ask whether an idle peer is still there, how often, and how many
// answers may be missing: a host without Keep Alive that has died is noticed within a minute.
inline constexpr int peer_idle_s = 30, peer_probe_s = 10, peer_probes = 3;

// Payload that a clean close copies, so that what was queued can still leave.
inline constexpr std::size_t close_copy_max = 64 * 1024;

}  // namespace nvmf::tcp
