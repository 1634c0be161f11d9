// SPDX-License-Identifier: BSD-2-Clause
// Walks layouts down to their leaves, for what must hold of every field of every structure.
#pragma once

#include <string>
#include <vector>

#include "captures/pdu_walk.hpp"
#include "wire/layout.hpp"

namespace nvmf::test {

struct leaf {
  std::string name;  // "lbaf[3].lbads"
  const wire::field* field;
  std::uint32_t offset;  // of the word that holds it, from the start of the structure
};
// Every field of `bytes` as `l` has it, nested ones by their parts. Fields beyond the end are left
// out.
std::vector<leaf> leaves(const wire::layout& l, std::span<const std::byte> bytes);

// Decodes every leaf and stores each again into zeroes. Equal bytes mean that nothing was lost and
// that no byte of the structure is outside the layout.
std::vector<std::byte> encoded_again(const wire::layout& l, std::span<const std::byte> bytes);

// The structures within a PDU, each with its place: the header, the entry of a capsule, known data.
struct part {
  const wire::layout* layout;
  std::uint32_t offset;
  std::span<const std::byte> bytes;
};
std::vector<part> parts(const seen_pdu& pdu);

}  // namespace nvmf::test
