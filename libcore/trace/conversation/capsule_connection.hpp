// SPDX-License-Identifier: BSD-2-Clause
// One queue that is told by its capsules and their data; the headers of PDUs are made up.
#pragma once

#include <array>
#include <vector>

#include "connection.hpp"
#include "wire/tables.hpp"

namespace nvmf::trace {

class capsule_connection final : public connection {
 public:
  capsule_connection(fabric by, std::uint32_t number, const endpoint& host,
                     const endpoint& controller, const stamp& begun, command_budget& budget,
                     listener& to);

  // Each gives the header that stands for what it told; valid until the next. `by`: what RDMA knows
  // of it; a key and an address of the host's there settle the offset.
  byte_span command(byte_span sqe, byte_span data, std::uint32_t bytes, const stamp& at,
                    const rdma_facts* by = nullptr);
  byte_span ask(std::uint16_t cid, std::uint32_t offset, std::uint32_t bytes, const stamp& at,
                const rdma_facts* by = nullptr);
  byte_span data(way going, std::uint16_t cid, std::uint32_t offset, byte_span data,
                 std::uint32_t bytes, const stamp& at, const rdma_facts* by = nullptr);
  byte_span response(byte_span cqe, bool made_up, const stamp& at, const rdma_facts* by = nullptr);
  void work(const trace::work& w);

 private:
  bool take_asked(std::uint16_t cid, std::uint32_t offset, std::uint32_t bytes);
  pdu unit(wire::pdu_type type, way going, const stamp& at, const rdma_facts* by);
  void find_offset(std::uint16_t cid, const rdma_facts* by, std::uint32_t& offset);

  // What was asked for and has not come, to give its data the same TTAG.
  struct asked {
    std::uint16_t cid, ttag;
    std::uint32_t offset, bytes, got;
  };
  static constexpr std::size_t asked_max = 4096;

  std::vector<asked> asked_;
  std::uint16_t next_ttag_ = 0;
  std::array<std::byte, 72> header_{};
};

}  // namespace nvmf::trace
