// SPDX-License-Identifier: BSD-2-Clause
// run: the debugger's language in a file. `repl` (repl.cpp) speaks it at a prompt.
#include <fmt/format.h>

#include <fstream>
#include <istream>

#include "context.hpp"
#include "output_file.hpp"
#include "registry.hpp"
#include "repl/awaited_input.hpp"
#include "repl/interpreter.hpp"
#include "repl/outcome.hpp"
#include "repl/script/script_file.hpp"
#include "repl/workbench.hpp"
#include "tracing/inside_trace.hpp"

namespace nvmf::cli {
namespace {

class run_command final : public command {
 public:
  const command_info& info() const override;
  void add_options(option_table& table) override;
  result run(context& ctx) override;

 private:
  struct session;
  repl::done run_all(session& s, std::istream& file);

  std::string file_, junit_;
  std::vector<std::string> lines_, words_;
  trace_choice trace_;
  bool tap_ = false, keep_going_ = false;
};

struct run_command::session {
  explicit session(context& ctx) : bench(ctx), interpreter(bench) {}
  repl::workbench bench;
  repl::interpreter interpreter;
};

const command_info& run_command::info() const {
  static constexpr std::array<example, 6> examples{{
      {"run smoke.nvmf nvme+tcp://127.0.0.1/nqn.x", "the lines of a file; $1 is the URI in them"},
      {"run -", "of standard input"},
      {"run -c 'sqe id identify cns=controller' -c 'show id'", "of the command line"},
      {"run --tap --keep-going smoke.nvmf", "each expectation as a test"},
      {"run --trace=said.html smoke.nvmf nvme+tcp://127.0.0.1/nqn.x",
       "and a page of what was said"},
      {"run --junit result.xml smoke.nvmf", "and for machines that collect results"},
  }};
  static constexpr command_info about{
      .name = "run",
      .summary = "run a script of the debugger",
      .usage = "",
      .details =
          "Runs lines of the debugger's language, which `nvmfctl repl` speaks at a prompt; `help` "
          "in it lists the commands, and the sections below tell of the language. The first line "
          "that is wrong, or an expectation that is not met, ends the script, with its place, and "
          "with the exit status of what went wrong. What a script prints goes to standard output, "
          "with --tap and --json to standard error.",
      .examples = examples,
      .statuses = repl::outcome_statuses,
      .keys = repl::outcome_keys,
      .topic = "script",
  };
  return about;
}

void run_command::add_options(option_table& table) {
  table.text("FILE", "FILE", file_, "the script; - is standard input").completion = completes::file;
  table.texts("ARG", "ARG", words_, "what is $1, $2 ... in the script").repeats = true;
  table.texts("-c,--command", "LINE", lines_, "a line to run, before those of FILE").repeats = true;
  table.flag("--tap", tap_, "print each expectation as a test, in TAP 14");
  table.text("--junit", "FILE", junit_, "write the expectations to FILE, as JUnit's XML")
      .completion = completes::file;
  table.flag("--keep-going", keep_going_, "go on after a line that failed");
  trace_.add(table);
}

repl::done run_command::run_all(session& s, std::istream& file) {
  repl::done last;
  const auto stops = [&](repl::done d) {
    if (last && !d) last = d;
    return s.bench.quitting ||
           (!d && (!keep_going_ || d.error().status == exit_status::interrupted));
  };
  for (std::size_t n = 0; n < lines_.size(); ++n)
    if (stops(s.interpreter.run_line(lines_[n], "-c", n + 1))) return last;
  if (stops(s.interpreter.finish()) || file_.empty()) return last;
  repl::script_input in(s.bench);
  (void)stops(s.interpreter.run_script(file_ == "-" ? in.stream() : file, file_));
  return last;
}

result run_command::run(context& ctx) {
  if (file_.empty() && lines_.empty())
    return result::fail(exit_status::usage, "run: give a FILE, or lines with -c");
  if (tap_ && ctx.json())
    return result::fail(exit_status::usage, "run: --tap and --json both want standard output");
  std::expected<std::ifstream, std::string> file;
  if (!file_.empty() && file_ != "-") file = repl::open_script(file_);
  if (!file) return result::fail(exit_status::usage, fmt::format("run: {}", file.error()));
  if (!junit_.empty())
    if (const auto good = check_writable(junit_); !good)
      return result::fail(exit_status::usage, fmt::format("run: {}", good.error()));
  const auto shown = inside_trace::start(trace_, ctx);
  if (!shown) return result::fail(exit_status::usage, "run: " + shown.error());
  session s(ctx);
  s.bench.traced = shown->get();
  (void)s.interpreter.vars().set_arguments(words_);
  s.interpreter.keep_going(keep_going_);
  if (!junit_.empty()) s.interpreter.tests().keep();
  if (tap_) {
    s.bench.speak_to([&ctx](std::string_view text) { (ctx.err << text << "\n").flush(); });
    s.interpreter.tests().tap_to([&ctx](std::string_view text) { (ctx.out << text).flush(); });
  }
  const auto last = run_all(s, *file);
  s.interpreter.tests().end();
  s.bench.say_goodbye();
  s.bench.traced = nullptr;  // what ends now is not part of it
  result r = repl::outcome("run", s.bench, s.interpreter, last);
  inside_trace::end(*shown, ctx, "run", r);
  if (junit_.empty()) return r;
  const auto xml = s.interpreter.tests().junit(file_.empty() ? "-c" : file_);
  if (const auto good = write_file(junit_, std::as_bytes(std::span{xml})); !good && last)
    return result::fail(exit_status::usage, fmt::format("run: {}", good.error()));
  return r;
}

}  // namespace

std::unique_ptr<command> make_run() { return std::make_unique<run_command>(); }

}  // namespace nvmf::cli
