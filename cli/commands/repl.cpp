// SPDX-License-Identifier: BSD-2-Clause
// repl: the debugger at a prompt. `run` (run.cpp) takes the same language from a file.
#include <fmt/format.h>

#include <array>
#include <istream>

#include "context.hpp"
#include "registry.hpp"
#include "repl/awaited_input.hpp"
#include "repl/console.hpp"
#include "repl/outcome.hpp"
#include "tracing/inside_trace.hpp"

namespace nvmf::cli {
namespace {

class repl_command final : public command {
 public:
  const command_info& info() const override {
    static constexpr std::array<example, 4> examples{{
        {"repl", "the prompt; `nvmfctl` alone does the same"},
        {"repl nvme+tcp://127.0.0.1:4420/nqn.2026-01.io.example:s", "with an association"},
        {"repl --open nvme+tcp://127.0.0.1", "with a queue that has had the IC exchange only"},
        {"repl -c 'buf b 4K' -c 'sqe id identify cns=controller'", "after these lines"},
    }};
    static constexpr command_info about{
        .name = "repl",
        .summary = "debug at a prompt",
        .usage = "",
        .details =
            "A prompt for commands that build, send and watch capsules one at a time; `help` in it "
            "lists them, Tab completes names, fields and values, Ctrl-C clears the line or ends a "
            "wait, Ctrl-D leaves. Callbacks print above the line that is being typed.\n\n"
            "Lines are kept in $XDG_STATE_HOME/nvmfctl/history (~/.local/state/nvmfctl/history), "
            "except those that begin with a blank or hold keys. ~/.editrc changes the keys.\n\n"
            "A line that fails is told, and the session goes on, also after a connect to URI that "
            "failed: the exit status is 0 unless `exit STATUS` says another.\n\n"
            "When standard input or output is no terminal, or with --json, lines are read from "
            "standard input as `nvmfctl run -` does.",
        .examples = examples,
        .statuses = repl::outcome_statuses,
        .keys = repl::outcome_keys,
    };
    return about;
  }
  void add_options(option_table& table) override {
    table.text("URI", "URI", uri_, "connect to it first");
    table.flag("--open", open_, "with URI: only open one queue, the transport's part");
    table.texts("-c,--command", "LINE", lines_, "a line to run before the first that is typed")
        .repeats = true;
    trace_.add(table);
  }
  result run(context& ctx) override {
    if (open_ && uri_.empty())
      return result::fail(exit_status::usage, "repl: --open wants a URI to open a queue to");
    if (!uri_.empty()) lines_.insert(lines_.begin(), (open_ ? "open " : "connect ") + uri_);
    const bool prompt = ctx.person && !ctx.json();
    if (prompt && trace_.on && trace_.file.empty())
      return result::fail(exit_status::usage,
                          "repl: --trace wants a FILE where there is a prompt (--trace=FILE); "
                          "`trace on` shows PDUs above it");
    const auto shown = inside_trace::start(trace_, ctx);
    if (!shown) return result::fail(exit_status::usage, "repl: " + shown.error());
    repl::workbench bench(ctx);
    bench.traced = shown->get();
    repl::interpreter interpreter(bench);
    repl::done last;
    if (prompt) {
      repl::run_console(bench, interpreter, lines_);
    } else {
      for (std::size_t n = 0; last && !bench.quitting && n < lines_.size(); ++n)
        last = interpreter.run_line(lines_[n], "-c", n + 1);
      if (last && !bench.quitting) last = interpreter.finish();
      repl::script_input in(bench);
      if (last && !bench.quitting) last = interpreter.run_stream(in.stream(), "stdin");
    }
    bench.say_goodbye();
    bench.traced = nullptr;  // what ends now is not part of it
    result r = repl::outcome("repl", bench, interpreter, last);
    inside_trace::end(*shown, ctx, "repl", r);
    return r;
  }

 private:
  std::string uri_;
  bool open_ = false;
  std::vector<std::string> lines_;
  trace_choice trace_;
};

}  // namespace

std::unique_ptr<command> make_repl() { return std::make_unique<repl_command>(); }

}  // namespace nvmf::cli
