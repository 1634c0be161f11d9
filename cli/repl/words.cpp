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

bool in_name(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

class splitter {
 public:
  splitter(std::string_view text, const expander& expand) : text_(text), expand_(expand) {}

  std::expected<std::vector<word>, complaint> run() {
    std::vector<word> words;
    while (skip_blanks()) {
      word w;
      w.column = at_;
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
        if (auto d = quoted(w, c); !d) return d;
        continue;
      }
      if (c == '$' && expand_) {
        if (auto d = expansion(w); !d) return d;
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
  done quoted(word& w, char quote) {
    const std::size_t open = at_;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote) return {};
      if (quote == '"' && text_[at_] == '\\') {
        if (auto d = escape(w.text); !d) return d;
        continue;
      }
      if (quote == '"' && text_[at_] == '$' && expand_) {
        if (auto d = expansion(w); !d) return d;
        continue;
      }
      w.text += text_[at_];
    }
    return wrong(fmt::format("no {} ends this", quote), open);
  }

  // From the $ on; leaves at_ at the last byte of the name or at the }.
  done expansion(word& w) {
    const std::size_t dollar = at_, from = at_ + 1;
    const char first = from < text_.size() ? text_[from] : '\0';
    std::size_t length = 0;
    if (first == '{') {
      const std::size_t close = text_.find('}', from);
      if (close == std::string_view::npos) return wrong("no } ends this", dollar);
      length = close - from - 1;
      at_ = close;
    } else {
      if (first == '#') length = 1;
      while (first != '#' && from + length < text_.size() && in_name(text_[from + length]))
        ++length;
      at_ = dollar + length;
    }
    if (length == 0)
      return wrong(
          "a $ is followed by a name, a number, # or {EXPRESSION}; '$' in single quotes is just "
          "that",
          dollar);
    const std::size_t begin = first == '{' ? from + 1 : from;
    auto text = expand_(text_.substr(begin, length), begin);
    if (!text) return std::unexpected(std::move(text.error()));
    w.text += *text;
    w.expanded = true;
    return {};
  }

  done escape(std::string& into) {
    const std::size_t from = at_++;
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    switch (c) {
      case '"':
      case '\\':
      case '$':
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
    return wrong("a backslash in \" \" is followed by \" \\ $ n t or xNN", from);
  }

  std::string_view text_;
  const expander& expand_;
  std::size_t at_ = 0;
};

}  // namespace

std::expected<std::vector<word>, complaint> split_words(std::string_view text,
                                                        const expander& expand) {
  if (text.size() > line_bytes_max)
    return wrong(fmt::format("the line has {} bytes, at most {} are read; load data from a file",
                             text.size(), line_bytes_max));
  return splitter(text, expand).run();
}

}  // namespace nvmf::cli::repl
