// SPDX-License-Identifier: BSD-2-Clause
#include "screen_rows.hpp"

#include <algorithm>
#include <cwchar>

namespace nvmf::cli::repl {
namespace {

unsigned width_of(wchar_t c) {
  if (c < 0x20 || c == 0x7f) return 2;  // ^X
  const int w = ::wcwidth(c);
  return w >= 0 ? static_cast<unsigned>(w) : c > 0xffff ? 8 : 7;  // \U+xxxx
}

}  // namespace

screen_place place_after(std::wstring_view text, screen_place from, unsigned columns) {
  columns = std::max(columns, 2u);
  screen_place at = from;
  for (const wchar_t c : text) {
    if (c == L'\n') {
      at = {at.row + 1, 0};
      continue;
    }
    unsigned width = c == L'\t' ? 8 - at.column % 8 : width_of(c);
    if (c != L'\t' && ::wcwidth(c) == 2 && at.column + 2 > columns) at = {at.row + 1, 0};
    for (; width > 0; --width)
      if (++at.column >= columns) {
        at = {at.row + 1, 0};
        if (c == L'\t') break;
      }
  }
  return at;
}

}  // namespace nvmf::cli::repl
