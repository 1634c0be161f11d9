// SPDX-License-Identifier: BSD-2-Clause
#include "roce_packet.hpp"

#include <algorithm>
#include <array>

namespace nvmf::trace {

namespace {

using wire::load_be;

constexpr std::size_t bth_bytes = 12, deth_bytes = 8, reth_bytes = 16, aeth_bytes = 4,
                      immediate_bytes = 4, ieth_bytes = 4, icrc_bytes = 4;

enum part : std::uint8_t { none = 0, reth = 1, aeth = 2, immediate = 4, ieth = 8 };

struct operation_row {
  rdma_operation operation = rdma_operation::other;
  rdma_place place = rdma_place::only;
  std::uint8_t parts = none;
};

// Operations of a reliable connection by the lower five bits of the opcode (9.2.1). Atomics and
// what is reserved stay what they are.
constexpr auto operation_rows = [] {
  using enum rdma_operation;
  using enum rdma_place;
  std::array<operation_row, 32> r{};
  r[0x00] = {send, first, none};
  r[0x01] = {send, middle, none};
  r[0x02] = {send, last, none};
  r[0x03] = {send, last, immediate};
  r[0x04] = {send, only, none};
  r[0x05] = {send, only, immediate};
  r[0x06] = {write, first, reth};
  r[0x07] = {write, middle, none};
  r[0x08] = {write, last, none};
  r[0x09] = {write, last, immediate};
  r[0x0a] = {write, only, reth};
  r[0x0b] = {write, only, reth | immediate};
  r[0x0c] = {read_request, only, reth};
  r[0x0d] = {read_response, first, aeth};
  r[0x0e] = {read_response, middle, none};
  r[0x0f] = {read_response, last, aeth};
  r[0x10] = {read_response, only, aeth};
  r[0x11] = {acknowledge, only, aeth};
  r[0x16] = {send, last, ieth};
  r[0x17] = {send, only, ieth};
  return r;
}();

constexpr std::uint8_t reliable = 0, unreliable_datagram = 3;
constexpr std::uint8_t send_only = 0x04;

}  // namespace

std::optional<roce_packet> read_roce(byte_span b, std::uint32_t payload_bytes) {
  if (b.size() < bth_bytes) return std::nullopt;
  roce_packet p{.opcode = std::to_integer<std::uint8_t>(b[0])};
  const std::uint32_t padding = std::to_integer<std::uint32_t>(b[1]) >> 4 & 3;
  p.to_qp = field_at(b, 5, 3);
  p.psn = field_at(b, 9, 3);
  std::size_t at = bth_bytes;
  std::uint8_t parts = none;
  const auto transport = static_cast<std::uint8_t>(p.opcode >> 5);
  if (transport == unreliable_datagram) {
    if ((p.opcode & 0x1f) != send_only) return p;
    if (b.size() < at + deth_bytes) return std::nullopt;
    p.operation = rdma_operation::send;
    p.datagram = true;
    p.from_qp = field_at(b, at + 5, 3);
    at += deth_bytes;
  } else if (transport == reliable) {
    const operation_row& r = operation_rows[p.opcode & 0x1f];
    p.operation = r.operation;
    p.place = r.place;
    parts = r.parts;
  }
  if (p.operation == rdma_operation::other) return p;
  const std::size_t head =
      at + ((parts & reth) != 0 ? reth_bytes : 0) + ((parts & aeth) != 0 ? aeth_bytes : 0) +
      ((parts & immediate) != 0 ? immediate_bytes : 0) + ((parts & ieth) != 0 ? ieth_bytes : 0);
  if (b.size() < head || payload_bytes < head + padding + icrc_bytes) return std::nullopt;
  if ((parts & reth) != 0) {
    p.address = load_be(b, at, 8);
    p.key = field_at(b, at + 8, 4);
    p.length = field_at(b, at + 12, 4);
  }
  if ((parts & aeth) != 0) p.syndrome = std::to_integer<std::uint8_t>(b[at]);
  if ((parts & ieth) != 0) p.invalidated = field_at(b, at, 4);
  p.payload_bytes = payload_bytes - static_cast<std::uint32_t>(head + padding + icrc_bytes);
  p.payload = b.subspan(head, std::min<std::size_t>(b.size() - head, p.payload_bytes));
  return p;
}

rdma_answer answer_of(std::uint8_t syndrome) {
  constexpr std::uint8_t sequence_error = 0;
  switch (syndrome >> 5 & 3) {
    case 0:
      return rdma_answer::ack;
    case 1:
      return rdma_answer::receiver_not_ready;
    case 3:
      return (syndrome & 0x1f) == sequence_error ? rdma_answer::nak_sequence
                                                 : rdma_answer::nak_other;
    default:
      return rdma_answer::nak_other;
  }
}

}  // namespace nvmf::trace
