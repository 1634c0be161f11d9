// SPDX-License-Identifier: BSD-2-Clause
#include "app.hpp"

#include <doctest/doctest.h>

#include <boost/json/parse.hpp>
#include <iomanip>
#include <sstream>

#include "arguments.hpp"
#include "help.hpp"

using namespace nvmf::cli;

namespace {

struct ran {
  exit_status status;
  std::string out, err;
};

ran run(std::vector<std::string> argv, bool terminal = false) {
  std::istringstream in;
  std::ostringstream out, err;
  nvmf::transport_registry transports;
  const exit_status s = run_app(
      argv,
      {.in = in, .out = out, .err = err, .out_is_terminal = terminal, .err_is_terminal = terminal},
      transports);
  return {s, out.str(), err.str()};
}

std::string json_error(const ran& r) {
  const auto v = boost::json::parse(r.out);
  CHECK(v.at("error").at("status").to_number<int>() == static_cast<int>(r.status));
  return std::string{v.at("error").at("message").as_string()};
}

}  // namespace

TEST_CASE("without a command: usage, on stderr") {
  const ran r = run({});
  CHECK(r.status == exit_status::usage);
  CHECK(r.out.empty());
  CHECK(r.err == "nvmfctl: a command is missing (see nvmfctl --help)\n");
}

TEST_CASE("help names every command, and each command's help every option") {
  const ran all = run({"--help"});
  CHECK(all.status == exit_status::ok);
  CHECK(all.err.empty());
  for (const command_factory make : all_commands()) {
    const auto cmd = make();
    const std::string name{cmd->info().name};
    CHECK(all.out.find("  " + name + " ") != std::string::npos);
    option_table table;
    cmd->add_options(table);
    const ran help = run({name, "--help"});
    CHECK(help.status == exit_status::ok);
    CHECK(help.out == run({"help", name}).out);
    for (const option& row : table.rows())
      CHECK_MESSAGE(help.out.find(row.long_name()) != std::string::npos, name, row.names);
    CHECK(!cmd->info().summary.empty());
    CHECK(cmd->info().summary.back() != '.');
    CHECK_MESSAGE(!cmd->info().examples.empty(), name);
    for (std::size_t at = 0, end; at < help.out.size(); at = end + 1) {
      end = help.out.find('\n', at);
      CHECK_MESSAGE(end - at <= 100, help.out.substr(at, end - at));
    }
  }
}

namespace {

// As a shell takes it apart: at blanks, but not between single quotes, up to what is the shell's.
std::vector<std::string> words_of(std::string_view line) {
  std::istringstream in{std::string{line}};
  std::vector<std::string> words;
  std::string word;
  while (in >> std::ws) {
    const bool quoted = in.peek() == '\'';
    if (!(quoted ? in >> std::quoted(word, '\'') : in >> word)) break;
    if (!quoted && std::string_view{"|<>&"}.contains(word[0])) break;
    words.push_back(word);
  }
  return words;
}

}  // namespace

TEST_CASE("every example is a command line that parses") {
  option_table globals;
  global_options options;
  add_global_options(globals, options);
  for (const command_factory make : all_commands())
    for (const example& e : make()->info().examples) {
      const auto words = words_of(e.line);
      const split_arguments parts = split(words, globals);
      const auto cmd = make_command(all_commands(), parts.command);
      REQUIRE_MESSAGE(cmd != nullptr, e.line);
      option_table table;
      cmd->add_options(table);
      const auto filled = fill_options(globals, table, parts.words);
      CHECK_MESSAGE(filled.has_value(), e.line << ": " << (filled ? "" : filled.error()));
      CHECK_MESSAGE((!parts.has_trailing || !cmd->info().trailing.empty()), e.line);
    }
}

TEST_CASE("options of all commands have distinct names, also from the global ones") {
  option_table globals;
  global_options options;
  add_global_options(globals, options);
  for (const command_factory make : all_commands()) {
    option_table table;
    const auto cmd = make();
    cmd->add_options(table);
    std::vector<std::string_view> seen;
    for (const option_table* t : {&globals, &table})
      for (const option& row : t->rows())
        for (const std::string_view name : {row.long_name(), row.short_name()}) {
          if (name.empty() || (name == row.short_name() && name == row.long_name())) continue;
          CHECK_MESSAGE(std::ranges::find(seen, name) == seen.end(), cmd->info().name, name);
          seen.push_back(name);
        }
  }
}

TEST_CASE("an unknown command suggests the near one") {
  const ran r = run({"vesrion"});
  CHECK(r.status == exit_status::usage);
  CHECK(r.err == "nvmfctl: unknown command 'vesrion'; did you mean version?\n");
  CHECK(run({"zzzzzzzzzz"}).err == "nvmfctl: unknown command 'zzzzzzzzzz' (see nvmfctl --help)\n");
}

TEST_CASE("a failure with --json is one document too") {
  CHECK(json_error(run({"--json", "nonsense"})).starts_with("unknown command"));
  CHECK(json_error(run({"version", "--json", "x"})).starts_with("version: unexpected argument"));
  CHECK(json_error(run({"--json", "manual", "--directory", "/none/at/all"}))
            .starts_with("manual: --directory: /none/"));
}

TEST_CASE("colours only on a terminal, unless asked for") {
  CHECK(run({"--help"}).out.find('\x1b') == std::string::npos);
  CHECK(run({"--help"}, true).out.find('\x1b') != std::string::npos);
  CHECK(run({"--help", "--color=never"}, true).out.find('\x1b') == std::string::npos);
  CHECK(run({"--help", "--color", "always"}).out.find('\x1b') != std::string::npos);
}

TEST_CASE("output that cannot be written is an error") {
  std::istringstream in;
  std::ostringstream err;
  std::ostream broken{nullptr};
  nvmf::transport_registry transports;
  const std::vector<std::string> argv{"version"};
  const auto s = run_app(argv, {.in = in, .out = broken, .err = err}, transports);
  CHECK(s == exit_status::internal_error);
  CHECK(err.str().starts_with("nvmfctl: standard output: write failed"));
}

TEST_CASE("a log file that cannot be opened is named") {
  const ran r = run({"--log-file", "/none/at/all", "version"});
  CHECK(r.status == exit_status::usage);
  CHECK(r.err.starts_with("nvmfctl: --log-file: "));
  CHECK(r.err.find("/none/at/all") != std::string::npos);
}

TEST_CASE("a man page has the sections that scripts and people look for") {
  for (const command_factory make : all_commands()) {
    const auto cmd = make();
    const std::string page = command_manual(*cmd);
    for (const char* section :
         {".TH ", ".SH NAME\n", ".SH SYNOPSIS\n", ".SH EXAMPLES\n", ".SH EXIT STATUS\n"})
      CHECK_MESSAGE(page.find(section) != std::string::npos, cmd->info().name, section);
  }
}
