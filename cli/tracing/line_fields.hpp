// SPDX-License-Identifier: BSD-2-Clause
// fields_line() for a million lines a second: which fields a layout has is worked out once, what
// lies in the same eight bytes is looked at together (mostly there is nothing), and the texts of
// values that came before are kept.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "line_buffer.hpp"
#include "wire/layout.hpp"

namespace nvmf::cli {

class line_fields {
 public:
  // Fields that begin within [from, to), but for those that a line tells otherwise.
  line_fields(const wire::layout& form, std::uint64_t from, std::uint64_t to);

  // " nsid=0x1 nlb=7": what fields_line() says, with a blank before each, and what tells one
  // command from another also where it is zero.
  void append(line_buffer& to, wire::byte_span structure);

 private:
  // Of a field, by its value.
  static constexpr std::size_t texts_kept = 8;

  struct kept_value {
    std::uint64_t value = 0;
    kept_text text;  // with the label
  };
  struct entry {
    const wire::field* row;
    kept_text label;         // " nsid="
    std::uint64_t bits = 0;  // of its word
    unsigned shift = 0;      // the lowest of them
    bool plain;              // decimal or hexadecimal, and nothing more to say
    bool always;             // zero is a choice of its own: CAP, Identify Namespace
    std::vector<kept_value> texts = std::vector<kept_value>(plain ? 0 : texts_kept);
  };
  // Eight bytes of the structure, and the entries in them.
  struct word {
    std::size_t at;
    std::uint64_t used = 0;  // bits
    bool always = false;
    std::size_t first, behind;
    std::array<std::uint8_t, 64> owner = {};  // of each bit: its entry, from the first
  };

  void add(entry e);
  void append(line_buffer& to, entry& e, std::uint64_t value, wire::byte_span structure);
  kept_text made(const entry& e, std::uint64_t value, wire::byte_span structure) const;

  const wire::layout& form_;
  std::vector<entry> entries_;
  std::vector<word> words_;
  std::size_t words_end_ = 0;  // of the structure: as far as words reach
};

}  // namespace nvmf::cli
