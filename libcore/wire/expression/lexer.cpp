// SPDX-License-Identifier: BSD-2-Clause
#include "lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace nvmf::wire {

namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-' || c == '+' || c == '/' || c == '%';
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

struct sign_of {
  std::string_view text;
  token_kind kind;
};
// Longer ones first.
constexpr std::array signs{
    sign_of{"&&", token_kind::logical_and}, sign_of{"||", token_kind::logical_or},
    sign_of{"==", token_kind::equal},       sign_of{"!=", token_kind::not_equal},
    sign_of{"<=", token_kind::less_equal},  sign_of{">=", token_kind::greater_equal},
    sign_of{"=~", token_kind::contains},    sign_of{"!", token_kind::logical_not},
    sign_of{"<", token_kind::less},         sign_of{">", token_kind::greater},
    sign_of{"(", token_kind::open},         sign_of{")", token_kind::close},
    sign_of{",", token_kind::comma},        sign_of{":", token_kind::colon},
    sign_of{";", token_kind::semicolon},    sign_of{"=", token_kind::half_sign},
    sign_of{"&", token_kind::half_sign},    sign_of{"|", token_kind::half_sign},
};

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

lexer::lexer(std::string_view text, line_ends lines) : text_(text), lines_(lines) {
  next_ = read();
}

token lexer::take() {
  const token taken = next_;
  taken_to_ = taken.position + taken.text.size();
  next_ = read();
  return taken;
}

void lexer::skip_blanks() {
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (lines_ == line_ends::are_tokens && c == '#') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      return;
    }
    if (!is_blank(c) && (c != '\n' || lines_ == line_ends::are_tokens)) return;
  }
}

token lexer::sign(std::size_t at) const {
  const std::string_view rest = text_.substr(at);
  for (const sign_of& s : signs)
    if (rest.starts_with(s.text)) return {s.kind, at, rest.substr(0, s.text.size())};
  return {token_kind::bad_character, at, rest.substr(0, 1)};
}

token lexer::read() {
  skip_blanks();
  const std::size_t first = at_;
  const std::string_view rest = text_.substr(first);
  token t{token_kind::end, first, {}};
  if (rest.empty()) return t;
  if (rest[0] == '\n') {
    t = {token_kind::line_end, first, rest.substr(0, 1)};
  } else if (rest[0] == '"' || rest[0] == '\'') {
    std::size_t end = 1;
    while (end < rest.size() && rest[end] != rest[0] && rest[end] != '\n')
      end += rest[end] == '\\' && end + 1 < rest.size() ? 2u : 1u;
    const bool closed = end < rest.size() && rest[end] == rest[0];
    t = {closed ? token_kind::quoted : token_kind::open_quote, first,
         rest.substr(0, closed ? end + 1 : std::min(end, rest.size()))};
  } else if (is_word(rest[0])) {
    // A colon belongs to the word when the word goes on right after it: admin:0xc1, an NQN.
    std::size_t end = 1;
    while (end < rest.size() && (is_word(rest[end]) || (rest[end] == ':' && end + 1 < rest.size() &&
                                                        is_word(rest[end + 1]))))
      ++end;
    t = {token_kind::word, first, rest.substr(0, end)};
  } else {
    t = sign(first);
  }
  at_ = first + t.text.size();
  return t;
}

std::string column_text(std::size_t position) { return fmt::format("column {}", position + 1); }

std::unexpected<text_error> wrong_at(std::size_t position, std::string reason,
                                     std::string_view example) {
  return bad_text(column_text(position), position, std::move(reason), example);
}

std::unexpected<text_error> placed_in(const token& value, text_error e, std::size_t skipped) {
  e.position = std::min(e.position + skipped, value.text.size()) + value.position;
  e.part = column_text(e.position);
  return std::unexpected(std::move(e));
}

std::string token_text(const token& t) {
  if (t.kind == token_kind::end) return "the end";
  if (t.kind == token_kind::line_end) return "the end of the line";
  return t.kind == token_kind::quoted ? quoted(t.text.substr(1, t.text.size() - 2))
                                      : quoted(t.text);
}

text_error misplaced(const token& t, std::string_view wanted, std::string_view example,
                     std::string_view behind) {
  text_error e{column_text(t.position), t.position, {}, {}};
  switch (t.kind) {
    case token_kind::bad_character:
      e.reason = fmt::format("{} means nothing here; text with such characters stands in quotes",
                             quoted(t.text));
      break;
    case token_kind::open_quote:
      e.reason = fmt::format("the quote {} is not closed", t.text.substr(0, 1));
      break;
    case token_kind::half_sign:
      e.reason = t.text == "=" ? "= compares nothing; write =="
                               : fmt::format("{0} means nothing; write {0}{0}", t.text);
      break;
    default:
      e.reason = fmt::format("{} where {} is wanted{}{}", token_text(t), wanted,
                             behind.empty() ? "" : " after ", behind);
      e.example = std::string(example);
  }
  return e;
}

std::expected<std::string, text_error> text_of(const token& t) {
  if (t.kind != token_kind::quoted) return std::string(t.text);
  const std::string_view in = t.text.substr(1, t.text.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i] != '\\') {
      out += in[i];
      continue;
    }
    const std::size_t at = t.position + 1 + i;
    const char c = in[++i];  // the quote that ends the token is not escaped
    if (c == '\\' || c == '"' || c == '\'') {
      out += c;
    } else if (c == 'x' && i + 2 < in.size() && digit_of(in[i + 1]) >= 0 &&
               digit_of(in[i + 2]) >= 0) {
      out += static_cast<char>(digit_of(in[i + 1]) * 16 + digit_of(in[i + 2]));
      i += 2;
    } else {
      return std::unexpected(text_error{
          column_text(at), at, R"(a backslash stands before ", ' or another, or begins \xNN)", ""});
    }
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      out.append({'\\', c});
    else if (c >= ' ' && c <= '~')
      out += c;
    else
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return out + '"';
}

}  // namespace nvmf::wire
