// SPDX-License-Identifier: BSD-2-Clause
// Where text ends on a screen that wraps it.
#pragma once

#include <string_view>

namespace nvmf::cli::repl {

struct screen_place {
  unsigned row = 0, column = 0;
  friend bool operator==(const screen_place&, const screen_place&) = default;
};

// The place behind `text`, drawn from `from` on as libedit draws it on a screen of so many columns:
// tabs to multiples of eight, ^X for a control character, no half of a wide character at the edge.
screen_place place_after(std::wstring_view text, screen_place from, unsigned columns);

}  // namespace nvmf::cli::repl
