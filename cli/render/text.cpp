// SPDX-License-Identifier: BSD-2-Clause
#include "render/text.hpp"

#include <algorithm>

namespace nvmf::cli {

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == 0x1b) {
      while (i < text.size() && text[i] != 'm') ++i;
    } else if ((c & 0xc0) != 0x80) {
      ++width;
    }
  }
  return width;
}

std::string padded(std::string_view text, std::size_t width) {
  std::string out{text};
  const std::size_t now = display_width(text);
  if (now < width) out.append(width - now, ' ');
  return out;
}

namespace {

// One paragraph, appended without a line end behind the last word. `at`: the column reached.
void fill(std::string& out, std::string_view words, std::size_t indent, std::size_t columns,
          std::size_t at) {
  bool first = true;
  while (!words.empty()) {
    const std::size_t begin = words.find_first_not_of(" \n");
    if (begin == std::string_view::npos) return;
    words.remove_prefix(begin);
    const std::string_view word = words.substr(0, words.find_first_of(" \n"));
    words.remove_prefix(word.size());
    const std::size_t width = display_width(word);
    if (!first && at + 1 + width > columns) {
      out.append("\n").append(indent, ' ');
      at = indent;
    } else if (!first) {
      out += ' ';
      ++at;
    }
    out += word;
    at += width;
    first = false;
  }
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns) {
  std::string out, paragraph;
  const auto flush = [&] {
    if (paragraph.empty()) return;
    out.append(indent, ' ');
    fill(out, paragraph, indent, columns, indent);
    out += '\n';
    paragraph.clear();
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == ' ') {
      flush();
      if (!line.empty()) out.append(indent, ' ').append(line);
      out += '\n';
    } else {
      paragraph.append(line).append(" ");
    }
  }
  flush();
  return out;
}

std::string text_table::str() const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_)
    for (std::size_t c = 0; c + 1 < row.size(); ++c) {
      if (widths.size() <= c) widths.resize(c + 1);
      widths[c] = std::max(widths[c], display_width(row[c]));
    }
  std::string out;
  for (const auto& row : rows_) {
    std::string line(indent_, ' ');
    std::size_t at = indent_;
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (c + 1 == row.size()) {
        fill(line, row[c], at, std::max(text_columns, at + 30), at);
      } else if (std::ranges::find(right_, c) != right_.end()) {
        line.append(widths[c] - display_width(row[c]), ' ').append(row[c]).append("  ");
      } else {
        line.append(padded(row[c], widths[c])).append("  ");
      }
      if (c + 1 < row.size()) at += widths[c] + 2;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out.append(line).append("\n");
  }
  return out;
}

}  // namespace nvmf::cli
