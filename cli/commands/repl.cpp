// SPDX-License-Identifier: BSD-2-Clause
// run: the debugger's language in a file. `repl` (prompt.cpp) speaks it at a prompt.
#include <fmt/format.h>

#include <fstream>
#include <istream>

#include "context.hpp"
#include "registry.hpp"
#include "repl/interpreter.hpp"
#include "repl/outcome.hpp"
#include "repl/workbench.hpp"

namespace nvmf::cli {
namespace {

class run_command final : public command {
 public:
  const command_info& info() const override {
    static constexpr std::array<example, 3> examples{{
        {"run smoke.nvmf", "the lines of a file"},
        {"run -", "of standard input"},
        {"run -c 'sqe id identify cns=controller' -c 'show id'", "of the command line"},
    }};
    using enum exit_status;
    static constexpr std::array statuses{resolve,         connect,    initialize_connection,
                                         fabrics_connect, timeout,    protocol_error,
                                         peer_closed,     expectation};
    static constexpr command_info about{
        .name = "run",
        .summary = "run a script of the debugger",
        .usage = "",
        .details =
            "Runs lines of the debugger's language, which `nvmfctl repl` speaks at a prompt; "
            "`help` in it lists the commands. The first line that is wrong ends the script, with "
            "its place, and with the exit status of what went wrong.",
        .examples = examples,
        .statuses = statuses,
        .keys = repl::outcome_keys,
    };
    return about;
  }
  void add_options(option_table& table) override {
    table.text("FILE", "FILE", file_, "the script; - is standard input").completion =
        completes::file;
    table.texts("-c,--command", "LINE", lines_, "a line to run, before those of FILE").repeats =
        true;
  }
  result run(context& ctx) override {
    if (file_.empty() && lines_.empty())
      return result::fail(exit_status::usage, "run: give a FILE, or lines with -c");
    std::ifstream file;
    if (!file_.empty() && file_ != "-") {
      file.open(file_, std::ios::binary);
      if (!file)
        return result::fail(exit_status::usage,
                            fmt::format("run: {}: cannot be opened for reading", file_));
    }
    repl::workbench bench(ctx);
    repl::interpreter interpreter(bench);
    repl::done last;
    for (std::size_t n = 0; last && !bench.quitting && n < lines_.size(); ++n)
      last = interpreter.run_line(lines_[n], "-c", n + 1);
    if (last && !file_.empty() && !bench.quitting)
      last = interpreter.run_stream(file_ == "-" ? ctx.in : file, file_ == "-" ? "stdin" : file_);
    bench.say_goodbye();
    return repl::outcome("run", bench, interpreter, last);
  }

 private:
  std::string file_;
  std::vector<std::string> lines_;
};

}  // namespace

std::unique_ptr<command> make_run() { return std::make_unique<run_command>(); }

}  // namespace nvmf::cli
