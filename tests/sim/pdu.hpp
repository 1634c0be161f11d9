// SPDX-License-Identifier: BSD-2-Clause
// PDUs as the simulation reads them: by hand from NVMe/TCP 3.6.2, without the product's layouts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "support/raw_bytes.hpp"

namespace nvmf::sim {

using octets = std::vector<std::byte>;

namespace pdu_type {
inline constexpr std::uint8_t icreq = 0, icresp = 1, capsule_cmd = 4, capsule_resp = 5,
                              h2c_data = 6, c2h_data = 7, r2t = 9;
}

inline constexpr std::size_t common_header = 8;
inline constexpr std::size_t digest_bytes = 4;

struct pdu_view {
  std::span<const std::byte> bytes;  // all of it

  // 0 beyond its end: a flipped bit may have made it another kind of PDU.
  std::uint64_t at(std::size_t offset, std::size_t size) const {
    return offset + size <= bytes.size() ? test::peek(bytes, offset, size) : 0;
  }
  std::uint8_t type() const { return static_cast<std::uint8_t>(at(0, 1)); }
  std::uint8_t flags() const { return static_cast<std::uint8_t>(at(1, 1)); }
  bool header_digest() const { return (flags() & 0x01) != 0; }
  bool data_digest() const { return (flags() & 0x02) != 0; }
  // The command is complete without a response.
  bool success() const { return type() == pdu_type::c2h_data && (flags() & 0x08) != 0; }
  std::size_t header() const { return at(2, 1); }
  std::size_t data_offset() const { return at(3, 1); }
  // Of a command capsule, which has its SQE after the common header.
  std::uint8_t opcode() const { return static_cast<std::uint8_t>(at(8, 1)); }
  std::uint8_t fctype() const { return static_cast<std::uint8_t>(at(8 + 4, 1)); }
  // Where the CID is: of an SQE, of a CQE, and CCCID of data and R2T.
  std::size_t cid_offset() const {
    if (type() == pdu_type::capsule_cmd) return common_header + 2;
    return type() == pdu_type::capsule_resp ? common_header + 12 : 8;
  }
  std::uint16_t cid() const { return static_cast<std::uint16_t>(at(cid_offset(), 2)); }
};

// After a change to the header of one that has a header digest.
void renew_header_digest(octets& pdu);

// Cuts a stream into PDUs by PLEN.
class pdu_stream {
 public:
  template <class Each>
  void add(std::span<const std::byte> bytes, Each each) {
    partial_.insert(partial_.end(), bytes.begin(), bytes.end());
    std::size_t from = 0;
    while (partial_.size() - from >= common_header) {
      const auto rest = std::span{partial_}.subspan(from);
      const std::size_t length = test::peek(rest, 4, 4);
      if (rest.size() < length || length < common_header) break;
      each(octets(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(length)));
      from += length;
    }
    partial_.erase(partial_.begin(), partial_.begin() + static_cast<std::ptrdiff_t>(from));
  }

  // The beginning of a PDU that is not whole.
  octets take() { return std::exchange(partial_, {}); }

 private:
  octets partial_;
};

}  // namespace nvmf::sim
