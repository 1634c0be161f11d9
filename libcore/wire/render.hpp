// SPDX-License-Identifier: BSD-2-Clause
// Structures as text for people. Everything here takes any bytes: cut short, too long, nonsense.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "layout.hpp"
#include "render_walk.hpp"

namespace nvmf::wire {

// A place to point at, with what is wrong there.
struct caret {
  std::uint64_t offset;  // byte of the structure
  std::string note;      // "the host asked for 0"; may be empty
};

enum class zeros : std::uint8_t {
  hide,  // nothing that is zero
  some,  // the fields of the structure, but no bits, list elements or raw bytes that are zero
  show,  // all, but for reserved bytes
};

struct render_options {
  zeros zero = zeros::some;
  bool titles = true;
  unsigned indent = 0;  // blanks before every line
  std::optional<caret> at = std::nullopt;
};

// One line per field: name, value, title; nested structures and the bits of words are indented.
// Reserved bytes show when they are not zero. Lines end with a newline. A structure that is cut
// short ends with a line that says after which byte.
std::string render_text(const layout& l, byte_span bytes, const render_options& options = {});

// The layout itself: offset, bits, name, title and where values are named.
std::string render_layout(const layout& l);

// Sixteen bytes a line with their offset from `base` and as characters; lines that repeat the one
// before are folded into one `*`. The last line is the offset of the end.
std::string hexdump(byte_span bytes, std::uint64_t base = 0);

}  // namespace nvmf::wire
