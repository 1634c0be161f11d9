// SPDX-License-Identifier: BSD-2-Clause
// One packet of RoCEv2: what UDP to port 4791 carries (InfiniBand Architecture, volume 1: 9 headers
// and operations; annex A17 RoCEv2).
#pragma once

#include <cstdint>
#include <optional>

#include "trace/capture/packet.hpp"

namespace nvmf::trace {

inline constexpr std::uint16_t roce_port = 4791;

// A field of a header, of at most four bytes.
inline std::uint32_t field_at(byte_span b, std::size_t at, std::size_t size) {
  return static_cast<std::uint32_t>(wire::load_be(b, at, size));
}

enum class rdma_operation : std::uint8_t {
  send,
  write,
  read_request,
  read_response,
  acknowledge,
  other,  // atomics, unreliable datagrams but for those of QP1, congestion
};
enum class rdma_place : std::uint8_t { first, middle, last, only };

struct roce_packet {
  std::uint8_t opcode = 0;  // with the transport in its upper three bits
  rdma_operation operation = rdma_operation::other;
  rdma_place place = rdma_place::only;
  std::uint32_t to_qp = 0;  // 24 bits, as all numbers of QPs and packets
  std::uint32_t psn = 0;
  bool datagram = false;  // unreliable: CM messages on QP1
  std::uint32_t from_qp = 0;
  // READ request, first or only WRITE.
  std::uint64_t address = 0;
  std::uint32_t key = 0, length = 0;
  // READ response but for the middle, acknowledge.
  std::uint8_t syndrome = 0;
  std::optional<std::uint32_t> invalidated = {};  // a key, by a SEND

  byte_span payload = {};           // as much as was captured
  std::uint32_t payload_bytes = 0;  // on the wire, without padding

  bool begins() const { return place == rdma_place::first || place == rdma_place::only; }
  bool ends() const { return place == rdma_place::last || place == rdma_place::only; }
};

// `payload_bytes`: what the datagram carries on the wire. Nothing when a header is not there.
std::optional<roce_packet> read_roce(byte_span datagram, std::uint32_t payload_bytes);

// AETH (9.7.5.2.3): what an acknowledge says.
enum class rdma_answer : std::uint8_t { ack, receiver_not_ready, nak_sequence, nak_other };
rdma_answer answer_of(std::uint8_t syndrome);

// Packet sequence numbers go around at 24 bits: how far `b` is ahead of `a`.
constexpr std::int32_t psn_distance(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t d = (b - a) & 0xff'ffff;
  return d < 0x80'0000 ? static_cast<std::int32_t>(d) : static_cast<std::int32_t>(d) - 0x100'0000;
}
constexpr std::uint32_t psn_after(std::uint32_t psn, std::uint32_t packets = 1) {
  return (psn + packets) & 0xff'ffff;
}

}  // namespace nvmf::trace
