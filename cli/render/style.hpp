// SPDX-License-Identifier: BSD-2-Clause
// Colour, when the output is a terminal and the person has not said no.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nvmf::cli {

enum class color_when : std::uint8_t { automatic, always, never };

// What a piece of text is; how that looks is decided here, once.
enum class tone : std::uint8_t { plain, strong, faint, good, bad, warning, name };

class style {
 public:
  style() = default;
  explicit style(bool colours) : colours_(colours) {}

  bool colours() const { return colours_; }
  // The text in its tone; the text itself when there are no colours.
  std::string operator()(tone t, std::string_view text) const;

 private:
  bool colours_ = false;
};

// `terminal`: is the stream one; `no_color`: is NO_COLOR set and not empty (no-color.org).
constexpr bool wants_colour(color_when when, bool terminal, bool no_color) {
  return when == color_when::always || (when == color_when::automatic && terminal && !no_color);
}

}  // namespace nvmf::cli
