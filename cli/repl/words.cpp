// SPDX-License-Identifier: BSD-2-Clause
#include "words.hpp"

#include <fmt/format.h>

namespace nvmf::cli::repl {
namespace {

bool blank(char c) { return c == ' ' || c == '\t'; }

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

class splitter {
 public:
  explicit splitter(std::string_view text) : text_(text) {}

  std::expected<std::vector<word>, complaint> run() {
    std::vector<word> words;
    while (skip_blanks()) {
      word w{{}, at_, false};
      if (auto d = take(w); !d) return std::unexpected(std::move(d.error()));
      words.push_back(std::move(w));
    }
    return words;
  }

 private:
  bool skip_blanks() {
    while (at_ < text_.size() && blank(text_[at_])) ++at_;
    return at_ < text_.size() && text_[at_] != '#';
  }

  done take(word& w) {
    std::size_t open = 0, depth = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (depth == 0 && blank(c)) return {};
      if (c == '\'' || c == '"') {
        w.quoted = true;
        if (auto d = quoted(w.text, c); !d) return d;
        continue;
      }
      if (static_cast<unsigned char>(c) < ' ' && !blank(c))
        return wrong(fmt::format("byte {:#04x} has no place in a line; write \\x{:02x} in quotes",
                                 static_cast<unsigned char>(c), static_cast<unsigned char>(c)),
                     at_);
      if (c == '[' && depth++ == 0) open = at_;
      if (c == ']' && depth > 0) --depth;
      w.text += c;
    }
    if (depth > 0) return wrong("no ] ends this", open);
    return {};
  }

  // From the quote on; leaves at_ at the closing one.
  done quoted(std::string& into, char quote) {
    const std::size_t open = at_;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote) return {};
      if (quote == '"' && text_[at_] == '\\') {
        if (auto d = escape(into); !d) return d;
        continue;
      }
      into += text_[at_];
    }
    return wrong(fmt::format("no {} ends this", quote), open);
  }

  done escape(std::string& into) {
    const std::size_t from = at_++;
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    switch (c) {
      case '"':
      case '\\':
        into += c;
        return {};
      case 'n':
        into += '\n';
        return {};
      case 't':
        into += '\t';
        return {};
      case 'x':
        if (at_ + 2 < text_.size() && digit(text_[at_ + 1]) >= 0 && digit(text_[at_ + 2]) >= 0) {
          into += static_cast<char>(digit(text_[at_ + 1]) * 16 + digit(text_[at_ + 2]));
          at_ += 2;
          return {};
        }
        break;
      default:
        break;
    }
    return wrong("a backslash in \" \" is followed by \" \\ n t or xNN", from);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::expected<std::vector<word>, complaint> split_words(std::string_view text) {
  if (text.size() > line_bytes_max)
    return wrong(fmt::format("the line has {} bytes, at most {} are read; load data from a file",
                             text.size(), line_bytes_max));
  return splitter(text).run();
}

}  // namespace nvmf::cli::repl
