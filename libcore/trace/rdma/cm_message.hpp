// SPDX-License-Identifier: BSD-2-Clause
// Messages of the connection manager (InfiniBand Architecture, volume 1, 12.6: MADs on QP1), with
// the header that the RDMA IP CM service puts in front of the private data of a request (annex
// A11).
#pragma once

#include <cstdint>
#include <optional>

#include "trace/capture/packet.hpp"

namespace nvmf::trace {

enum class cm_kind : std::uint16_t {
  request = 0x10,
  received = 0x11,  // MRA
  reject = 0x12,
  reply = 0x13,
  ready = 0x14,
  disconnect_request = 0x15,
  disconnect_reply = 0x16,
};

struct cm_message {
  cm_kind kind = cm_kind::request;
  std::uint32_t local_id = 0;                // of who sends it
  std::uint32_t remote_id = 0;               // but for request
  std::uint32_t qp = 0;                      // of who sends it: request, reply
  std::uint32_t peer_psn = 0;                // where its peer shall begin: request, reply (12.7.31)
  std::uint32_t mtu = 0;                     // of the path, bytes; 0: not known; request
  std::uint16_t reason = 0;                  // reject
  std::uint16_t from_port = 0, to_port = 0;  // request by the IP service
  byte_span private_data = {};               // as much as was captured
};

// Of a datagram to QP1; nothing when it is another MAD, or not all there.
std::optional<cm_message> read_cm(byte_span mad);

}  // namespace nvmf::trace
