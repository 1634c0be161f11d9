// SPDX-License-Identifier: BSD-2-Clause
// Where a trace goes to, whatever its traffic comes from: the views that were asked for, fed
// together. A source makes its tracer with listener() and options(), asks done() now and then, and
// finish()es.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "clock_text.hpp"
#include "command.hpp"
#include "fan_out.hpp"
#include "picker.hpp"
#include "render/style.hpp"
#include "trace/tracer.hpp"

namespace nvmf::cli {

class follow_view;
class html_output;
class json_view;
class pcapng_view;
class perfetto_view;
class rule_tally;
class statistics;
class text_view;
class window_watch;

struct output_options {
  picking pick = {};
  bool statistics = false;
  bool follow = false;   // statistics are drawn while they change, and told at the end
  bool rules = true;     // --no-rules
  bool strict = false;   // broken rules are a failure
  bool unicode = false;  // of statistics: charts of block signs
  std::size_t time = 0;  // of trace_time_names
  std::vector<std::uint16_t> ports = {};
  // Files to write; empty: none.
  std::string pcapng, perfetto, html;
  std::string source;  // what people call the traffic

  std::shared_ptr<time_window> between = {};  // null: all

  void add(option_table& table);
  bool writes_files() const { return !pcapng.empty() || !perfetto.empty() || !html.empty(); }
};

class outputs {
 public:
  // Lines and documents go to `out`, coloured as `look` says.
  outputs(const output_options& how, bool json, int verbosity, std::ostream& out,
          const style& look);
  ~outputs();
  outputs(const outputs&) = delete;
  outputs& operator=(const outputs&) = delete;

  // Opens the files that were asked for; before anything else. The error is a sentence.
  std::expected<void, std::string> open();

  // For the tracer.
  trace::listener& listener() { return all_.listener(); }
  trace::tracer_options options() const;

  // No more is wanted: --first has been reached, or nobody reads.
  bool done() const { return out_.done(); }
  // --between: before the first packet is taken, and whether one at that time comes too late for
  // anything that is shown. The error is a sentence.
  std::expected<void, std::string> begin(std::int64_t first_ns);
  bool is_over(std::int64_t ns) const;
  // What was put out leaves. A file that cannot be written any more is told to `trouble`, once.
  void flush();
  void on_trouble(std::function<void(const std::string&)> trouble) {
    trouble_ = std::move(trouble);
  }
  // --follow: `terminal` is what `out` writes to. Before open().
  void follow_on(int terminal);
  // When tick() is due, whatever comes or does not.
  std::optional<std::chrono::steady_clock::time_point> due() const;
  void tick();
  // A sentence while the traffic goes on: false, and nothing is done, where there is no place for
  // it but standard error.
  bool note(const std::string& text);
  // The traffic is over, and the tracer has been finished. The result holds the summary (--json),
  // and the verdict of --strict; what to warn of is in `warnings`.
  result finish(const trace::tracer& t, std::vector<std::string>& warnings);

 private:
  void finish_files(result& r, std::vector<std::string>& warnings);
  void add_verdict(result& r, std::vector<std::string>& warnings) const;

  const output_options& how_;
  bool json_;
  int verbosity_;
  std::ostream& to_;
  const style& look_;
  picker out_;
  fan_out all_;
  std::unique_ptr<text_view> text_;
  std::unique_ptr<json_view> lines_;  // of JSON
  std::unique_ptr<statistics> numbers_;
  std::unique_ptr<rule_tally> broken_;
  std::unique_ptr<follow_view> drawn_;
  std::string noted_;
  std::function<void(const std::string&)> trouble_;
  bool packets_told_ = false, slices_told_ = false;
  std::unique_ptr<window_watch> window_;
  std::unique_ptr<pcapng_view> packets_;
  std::unique_ptr<perfetto_view> slices_;
  std::unique_ptr<html_output> page_;
};

}  // namespace nvmf::cli
