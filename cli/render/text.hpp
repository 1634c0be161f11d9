// SPDX-License-Identifier: BSD-2-Clause
// Text for people: 100 columns, aligned tables, wrapped paragraphs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "render/style.hpp"

namespace nvmf::cli {

inline constexpr std::size_t text_columns = 100;

// Characters on the screen: UTF-8 sequences and colour escapes are not bytes there.
std::size_t display_width(std::string_view text);
std::string padded(std::string_view text, std::size_t width);

// Words of `text` in lines of at most `columns`, each after `indent` spaces. Paragraphs are apart
// by an empty line; a line that begins with a space is kept as it is.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns = text_columns);

// Rows in aligned columns, two spaces apart; the last column wraps under itself.
class text_table {
 public:
  explicit text_table(std::size_t indent = 0) : indent_(indent) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void align_right(std::size_t column) { right_.push_back(column); }
  bool empty() const { return rows_.empty(); }
  // `header_style` dresses the first row; no styled text in the last column when it wraps.
  std::string str() const;

 private:
  std::size_t indent_;
  std::vector<std::size_t> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace nvmf::cli
