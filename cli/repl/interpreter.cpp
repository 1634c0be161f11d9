// SPDX-License-Identifier: BSD-2-Clause
#include "interpreter.hpp"

#include <fmt/format.h>

#include <ostream>

#include "workbench.hpp"

namespace nvmf::cli::repl {

bool complete_line(std::string& text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (!text.ends_with('\\')) return true;
  text.back() = ' ';
  return false;
}

void interpreter::tell(const complaint& c, const line& l) {
  std::string where = "nvmfctl";
  if (!l.source.empty()) where = fmt::format("{}:{}", l.source, l.number);
  if (c.column && !l.source.empty()) where += fmt::format(":{}", *c.column + 1);
  std::string text = fmt::format("{}: {}", where, c.text);
  if (c.column) text += "\n" + wire::caret_text(l.text, {{}, *c.column, {}, {}});
  bench_.world().err << text << "\n";
  bench_.world().err.flush();
}

done interpreter::run_line(std::string text, std::string source, std::size_t number) {
  line l{std::move(text), std::move(source), number};
  const auto run = [&]() -> done {
    auto words = split_words(l.text);
    if (!words) return std::unexpected(std::move(words.error()));
    l.words = std::move(*words);
    if (l.words.empty()) return {};
    ++lines_run_;
    const auto v = find_verb(l.words.front());
    if (!v) return std::unexpected(v.error());
    return (*v)->run(bench_, arguments(l));
  };
  done ran = run();
  if (!ran) {
    tell(ran.error(), l);
    last_stop_ = stop{ran.error(), l.source, l.number};
  }
  return ran;
}

done interpreter::run_stream(std::istream& in, const std::string& source) {
  std::string text, part;
  std::size_t number = 0, first = 1;
  while (!bench_.quitting && std::getline(in, part)) {
    ++number;
    if (text.empty()) first = number;
    text += part;
    if (!complete_line(text) && !in.eof()) continue;
    if (auto d = run_line(std::exchange(text, {}), source, first); !d) return d;
  }
  return {};
}

}  // namespace nvmf::cli::repl
