// SPDX-License-Identifier: BSD-2-Clause
// What RDMA knows of a unit that is told as a PDU of NVMe/TCP would be: a SEND with a capsule as
// the capsule, a READ by the controller as an R2T, its answer as H2CData, a WRITE as C2HData.
#pragma once

#include <cstdint>
#include <optional>

#include "wire/layout.hpp"

namespace nvmf::trace {

struct rdma_facts {
  // Of a message of the connection manager: the private data, which is the header then.
  const wire::layout* private_data = nullptr;
  std::uint16_t reject_reason = 0;        // of the connection manager; 0: none
  bool inside = false;                    // told by one of its ends: there is no packet
  std::uint32_t qp = 0;                   // that it goes to
  std::uint32_t psn = 0;                  // of its first packet
  std::optional<std::uint32_t> key = {};  // READ, WRITE: the memory of the host
  std::uint64_t address = 0;
  std::optional<std::uint32_t> invalidated = {};  // a key, by the SEND of a response
  // Who saw the packets knows of a message how long it was, or that some of it is missing; and what
  // else was sent beside it.
  bool packets = false, broken = false;
  bool host_asked = false;          // a READ or WRITE by the host, or its answer
  std::uint64_t message_bytes = 0;  // of a SEND
  std::uint32_t announced = 0;      // READ, WRITE: bytes by its header
};

}  // namespace nvmf::trace
