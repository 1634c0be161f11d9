// SPDX-License-Identifier: BSD-2-Clause
// Any text as a script: its lines are words, statements and expressions. What is refused has a
// column within the line and a message that a terminal can show; values read back as they were.
#include <string>
#include <string_view>

#include "fuzz/input.hpp"
#include "repl/script/expression.hpp"
#include "repl/script/script_file.hpp"
#include "repl/script/statement.hpp"
#include "repl/script/variables.hpp"
#include "wire/status.hpp"
#include "wire/tables.hpp"
#include "wire/text_error.hpp"

using namespace nvmf;
using namespace nvmf::cli::repl;
using nvmf::fuzz::require;

namespace {

void check(const complaint& c, std::string_view line) {
  require(!c.text.empty());
  require(!c.column || *c.column <= line.size());
  for (const char x : c.text) require(static_cast<unsigned char>(x) >= ' ' && x != 0x7f);
  if (c.column) require(!wire::caret_text(line, {{}, *c.column, {}, {}}).empty());
}

std::optional<std::expected<value, std::string>> at(std::string_view path) {
  if (path == "c.status") return value::of_status(wire::status_value(0, 0x80));
  if (path == "c.cns") return value::of_number(1, &wire::cns_values);
  if (path == "c.none") return value{};
  if (path.starts_with("c.")) return std::unexpected(std::string{"no such thing"});
  if (path.starts_with("b")) return value::of_bytes({}, nullptr);
  return std::nullopt;
}

class scripts {
 public:
  void line_of(std::string_view text) {
    if (const auto d = check_line(text); !d) return check(d.error(), text);
    const auto expand = [&](std::string_view what, std::size_t column) {
      return spelled_value(what, column);
    };
    if (const auto words = split_words(text, expand); !words)
      check(words.error(), text);
    else
      for (const word& w : *words) require(w.column < text.size());
    const auto s = reader_.take({std::string{text}, "fuzz", ++number_});
    if (!s) check(s.error(), text);
    const auto first = first_word(text);
    if (!first) return;
    const auto v = evaluated(text, first->column + first->text.size());
    if (!v) return check(v.error(), text);
    vars_.set("x", v->snapshot());
    read_back(*v);
  }

 private:
  std::expected<value, complaint> evaluated(std::string_view text, std::size_t from) {
    const auto e = parse_expression(text, from);
    if (!e) return std::unexpected(e.error());
    const names_of_words names{
        .variable = [this](std::string_view name) { return vars_.find(name); },
        .path = at,
        .all = [] { return std::vector<std::string>{"x", "c"}; }};
    std::vector<compared> made;
    auto v = evaluate(*e, names, &made);
    for (const compared& c : made)
      require(c.left_from < c.left_to && c.left_to <= text.size() && c.right_from < c.right_to &&
              c.right_to <= text.size());
    return v;
  }

  std::expected<std::string, complaint> spelled_value(std::string_view what, std::size_t column) {
    const auto v = evaluated(std::string(column, ' ') + std::string{what}, column);
    if (!v) return std::unexpected(v.error());
    return spelled(*v);
  }

  static void read_back(const value& v) {
    (void)shown(v);
    if (v.is != value::kind::number && v.is != value::kind::duration &&
        v.is != value::kind::boolean)
      return;
    const value again = value_of_word(spelled(v));
    require(again.is == v.is && again.number == v.number);
  }

  block_reader reader_;
  variables vars_;
  std::size_t number_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  scripts s;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    s.line_of(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return 0;
}
