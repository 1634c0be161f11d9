// SPDX-License-Identifier: BSD-2-Clause
// fields_line() for a million lines a second: which fields a layout has is worked out once, and the
// text of a value that came before is kept.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wire/layout.hpp"

namespace nvmf::cli {

class line_fields {
 public:
  // Fields that begin within [from, to), but for those that a line tells otherwise.
  line_fields(const wire::layout& form, std::uint64_t from, std::uint64_t to);

  // " nsid=0x1 nlb=7": what fields_line() says, with a blank before each, and what tells one
  // command from another also where it is zero.
  void append(fmt::memory_buffer& to, wire::byte_span structure);

 private:
  struct entry {
    const wire::field* row;
    std::string label;  // " nsid="
    bool plain;         // decimal or hexadecimal, and nothing more to say
    bool always;        // zero is a choice of its own: CAP, Identify Namespace
    std::uint64_t last = 0;
    std::string text;  // of `last`, with the label
  };
  const wire::layout& form_;
  std::vector<entry> entries_;
};

}  // namespace nvmf::cli
