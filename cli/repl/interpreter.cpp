// SPDX-License-Identifier: BSD-2-Clause
#include "interpreter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "script/paths.hpp"
#include "script/script_file.hpp"
#include "workbench.hpp"

namespace nvmf::cli::repl {
namespace {

constexpr std::size_t events_told = 8;

std::optional<std::size_t> within(std::optional<std::size_t> column, std::string_view text) {
  if (!column) return std::nullopt;
  return std::min(*column, text.size());
}

}  // namespace

interpreter::interpreter(workbench& bench) : bench_(bench) {}

bool complete_line(std::string& text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (!text.ends_with('\\')) return true;
  text.back() = ' ';
  return false;
}

void interpreter::tell(const complaint& c, const line& l, const std::vector<std::string>& details) {
  std::string where = "nvmfctl";
  const auto column = within(c.column, l.text);
  if (!l.source.empty()) where = fmt::format("{}:{}", l.source, l.number);
  if (column && !l.source.empty()) where += fmt::format(":{}", *column + 1);
  std::string text = fmt::format("{}: {}", where, c.text);
  if (column) text += "\n" + wire::caret_text(l.text, {{}, *column, {}, {}});
  for (const auto& d : details) text += "\n  " + d;
  bench_.world().err << text << "\n";
  bench_.world().err.flush();
}

std::unexpected<complaint> interpreter::fail(complaint c, const line& l, tested as,
                                             const std::vector<std::string>& found) {
  if (quiet_ > 0) return std::unexpected(std::move(c));
  tell(c, l, found);
  last_stop_ = stop{c, l.source, l.number};
  if (failures_.size() < failures_max) failures_.push_back(*last_stop_);
  if (as.name.empty()) {
    const auto from = std::min(l.text.find_first_not_of(" \t"), l.text.size());
    as.name = l.text.substr(from);
  }
  as.source = l.source;
  as.number = l.number;
  as.met = false;
  as.why = c.text;
  report_.add(std::move(as));
  return std::unexpected(std::move(c));
}

std::vector<std::string> interpreter::last_events() const {
  std::vector<std::string> lines;
  const auto& all = bench_.events();
  const std::size_t from = all.size() > events_told ? all.size() - events_told : 0;
  if (!all.empty()) lines.emplace_back("the last events:");
  for (std::size_t i = from; i < all.size(); ++i) {
    lines.push_back(fmt::format("  {:<8} {}", all[i].queue,
                                event_line(all[i].what, all[from].what.at, style{})));
    while (lines.back().ends_with('\n')) lines.back().pop_back();
  }
  return lines;
}

std::optional<std::expected<value, std::string>> interpreter::path(std::string_view text) {
  constexpr std::string_view buf = "buf ", failure = "failure";
  if (text.starts_with(buf)) {
    text.remove_prefix(buf.size());
    const std::size_t end = std::min(text.find_first_of(".["), text.size());
    for (const path_kind& k : path_kinds())
      if (k.what == "buffer") return k.read(bench_, text.substr(0, end), text.substr(end));
    return std::nullopt;
  }
  if (auto v = find_path(bench_, text)) return v;
  if (!text.starts_with(failure)) return std::nullopt;
  const std::string_view member = text.substr(failure.size());
  if (member == ".text") return failure_ ? value::of_text(failure_->text) : value{};
  if (member == ".status")
    return failure_ ? value::of_number(static_cast<std::uint64_t>(failure_->status),
                                       &wire::exit_statuses)
                    : value{};
  return std::unexpected(no_member(failure, member, ".text .status, of the last must-fail"));
}

names_of_words interpreter::names() {
  return {.variable = [this](std::string_view name) { return variables_.find(name); },
          .path = [this](std::string_view text) { return path(text); },
          .all =
              [this] {
                std::vector<std::string> all;
                for (const auto n : variables_.names()) all.emplace_back(n);
                for (const path_kind& k : path_kinds())
                  for (const auto n : k.names(bench_)) all.emplace_back(n);
                return all;
              }};
}

std::expected<value, complaint> interpreter::value_of(std::string_view text, std::size_t from,
                                                      std::vector<compared>* made) {
  const auto e = parse_expression(text, from);
  if (!e) return std::unexpected(e.error());
  return evaluate(*e, names(), made);
}

done interpreter::split(line& l) {
  auto words = split_words(l.text, [this](std::string_view what, std::size_t column) {
    return expand(what, column, names());
  });
  if (!words) return std::unexpected(std::move(words.error()));
  l.words = std::move(*words);
  return {};
}

done interpreter::take(block_reader& reader, std::string text, const std::string& source,
                       std::size_t number) {
  line l{std::move(text), source, number};
  if (auto d = check_line(l.text); !d) {
    if (l.text.size() > line_bytes_max) l.text.resize(60);
    return fail(d.error(), l);
  }
  auto whole = reader.take(l);
  if (!whole) return fail(whole.error(), l);
  return *whole ? execute(**whole) : done{};
}

std::expected<interpreter::fed, complaint> interpreter::feed(std::string text, std::string source,
                                                             std::size_t number) {
  if (auto d = take(reader_, std::move(text), source, number); !d)
    return std::unexpected(d.error());
  return reader_.open() ? fed::needs_more : fed::ran;
}

done interpreter::finish() {
  if (!reader_.open()) return {};
  const auto [c, l] = reader_.unfinished();
  reader_.forget();
  return fail(c, l);
}

done interpreter::run_line(std::string text, std::string source, std::size_t number) {
  const auto f = feed(std::move(text), std::move(source), number);
  if (!f) return std::unexpected(f.error());
  return {};
}

done interpreter::run_stream(std::istream& in, const std::string& source) {
  block_reader reader;
  std::string text;
  std::size_t number = 0, first = 1;
  done result;
  const auto stops = [&](done d) {
    if (d) return false;
    const bool interrupted = d.error().status == exit_status::interrupted;
    if (result) result = std::move(d);
    return !keep_going_ || interrupted || quiet_ > 0;
  };
  while (!bench_.quitting) {
    auto part = next_line(in);
    if (!part) break;
    ++number;
    if (text.empty()) first = number;
    // What is longer than a line may be is told by its first bytes.
    if (text.size() <= line_bytes_max) text += part->text;
    if (!complete_line(text) && part->ended) continue;
    if (stops(take(reader, std::exchange(text, {}), source, first))) return result;
  }
  if (bench_.take_interrupt()) {  // while the next line was awaited
    (void)stops(fail({"interrupted", {}, exit_status::interrupted}, {{}, source, number + 1}));
    return result;
  }
  if (!text.empty() && stops(take(reader, std::move(text), source, first))) return result;
  if (reader.open() && !bench_.quitting) {
    const auto [c, l] = reader.unfinished();
    (void)stops(fail(c, l));
  }
  return result;
}

done interpreter::run_script(std::istream& in, const std::string& path) {
  if (path == "-") return run_stream(in, "stdin");
  files_.push_back(path);
  auto d = run_stream(in, path);
  files_.pop_back();
  return d;
}

}  // namespace nvmf::cli::repl
