// SPDX-License-Identifier: BSD-2-Clause
// Takes a captured conversation apart into PDUs with the wire library alone: no session, no
// transport.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "support/pcap_streams.hpp"
#include "wire/layout.hpp"

namespace nvmf::test {

struct seen_pdu {
  bool to_server = false;
  std::uint32_t number = 0;  // within its direction, from 0
  const wire::layout* header = nullptr;
  std::span<const std::byte> bytes;    // the whole PDU
  std::span<const std::byte> payload;  // its data, without padding and digest
  std::uint32_t payload_offset = 0;
  std::optional<bool> header_digest_ok;  // unset: none
  std::optional<bool> data_digest_ok;
  // Of the command that a capsule, R2T or data PDU belongs to; empty until Connect told.
  std::span<const std::byte> sqe;
  std::span<const std::byte> cqe;  // capsule-resp
  bool admin_queue = true;
};

// Calls `each` for every PDU of both directions in an order that a host and controller could have
// had: a response after its command. The error names the direction and the byte.
std::expected<void, std::string> walk(const tcp_conversation& conversation,
                                      const std::function<void(const seen_pdu&)>& each);

}  // namespace nvmf::test
