// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <array>
#include <ostream>

#include "context.hpp"
#include "render/json.hpp"
#include "tracing/capture_file.hpp"
#include "tracing/json_view.hpp"
#include "tracing/judged.hpp"
#include "tracing/report.hpp"
#include "tracing/statistics.hpp"
#include "tracing/text_view.hpp"

namespace nvmf::cli {
namespace {

constexpr std::uint64_t last_max = 1'000'000;

class trace_command final : public command {
 public:
  const command_info& info() const override;
  void add_options(option_table& table) override;
  result run(context& ctx) override;

 private:
  result told(context& ctx, const trace::tracer& t, const capture_end& end) const;
  void add_verdict(context& ctx, const trace::checker& rules, result& r) const;

  std::string file_;
  std::vector<std::uint16_t> ports_;
  picking picking_;
  bool statistics_ = false;
  bool rules_ = false, strict_ = false;
  std::size_t time_ = 0;
};

const command_info& trace_command::info() const {
  static constexpr std::array<example, 6> examples{{
      {"trace capture.pcap", "one line a capsule: commands, completions, where the time went"},
      {"trace capture.pcap --filter 'cmd==read && latency>1ms && conn==2'", "what was slow"},
      {"trace capture.pcap --stats", "counts, bytes, errors, latency percentiles"},
      {"trace -v capture.pcap --filter failed", "every PDU of the commands that failed"},
      {"trace --json capture.pcapng --last 100", "the last hundred commands, for scripts"},
      {"trace - --first 20 <capture.pcap", "from a pipe as well: tcpdump -w - -s 0 port 4420 |"},
  }};
  static constexpr std::array statuses{exit_status::protocol_error, exit_status::expectation};
  static constexpr std::array<json_key, 13> keys{{
      {"record",
       "what a line is: opened, command (when it is over), notice, ended, statistics, summary; "
       "with "
       "-v pdu. The rest of it stands under that name"},
      {"time_ns", "when, in nanoseconds since 1970: of a command the end of its capsule"},
      {"frame", "the number of that packet"},
      {"connection", "number of the connection"},
      {"qid", "its queue, when that is known"},
      {"cid", "of a command, and of a PDU that belongs to one"},
      {"opened", "\"host\" and \"controller\": their addresses"},
      {"command",
       "\"name\", \"opcode\", \"sqe\" and \"cqe\" by their fields, bytes and PDUs of its data, "
       "\"fate\" (completed, success-flag, replaced, connection-ended, capture-ended), \"status\", "
       "\"completed_frame\", \"latency_ns\" and, where there was data outside the capsule, its "
       "parts \"to_r2t_ns\", \"to_data_ns\", \"data_ns\", \"to_end_ns\""},
      {"pdu", "\"way\", \"type\", \"header\" by its fields, what became of its digests"},
      {"notice", "its \"name\"; \"text\" says it in words"},
      {"ended",
       "what the connection did, and what was \"agreed\": by IC exchange, Connect, Identify "
       "Controller"},
      {"statistics", "with --stats: \"connections\" and \"commands\""},
      {"summary", "packets of the capture, and \"gaps\": places where some are missing"},
  }};
  static constexpr command_info about{
      .name = "trace",
      .summary = "show the NVMe/TCP conversations in a capture",
      .usage = "FILE",
      .details =
          "Reads a capture of any host and target, pcap or pcapng, and shows a line for each "
          "capsule: time, connection (c1), queue (q1), direction (> to the controller, < to the "
          "host), CID, the command with its fields, and then its completion with status and "
          "latency. A latency is split where data went outside the capsule: r2t is from the "
          "command to the first R2T, wait from there to the first data, data from the first to the "
          "last, end from the last to the completion.\n\n"
          "NVMe is found by its first PDU on any TCP port; on ports 4420 and 8009, and those of "
          "--port, also where the capture begins within a connection. Segments out of order, sent "
          "again or missing are dealt with, and said where it matters. Digests are always "
          "checked. Lines that begin with ! tell what does not fit together.\n\n"
          "With --rules traffic is held against the rules of NVMe/TCP (describe rules): who broke "
          "one, "
          "what shows it, and what would have been right. --strict does that too, and its exit "
          "status "
          "is 20 when a rule was broken, notes aside.\n\n"
          "With -v every PDU is shown with its fields, with -vv also its bytes.",
      .examples = examples,
      .statuses = statuses,
      .keys = keys,
      .topic = "trace-filter",
  };
  return about;
}

void trace_command::add_options(option_table& table) {
  option& file = table.text("FILE", {}, file_, "the capture; - is standard input");
  file.required = true;
  file.completion = completes::file;
  table
      .custom("--port", "PORT", "expect NVMe/TCP on this port, too",
              [this](std::string_view text) -> std::expected<void, std::string> {
                const auto n = wire::parse_number(text, {}, {.min = 1, .max = 65535});
                if (!n) return std::unexpected(to_text(n.error()));
                ports_.push_back(static_cast<std::uint16_t>(*n));
                return {};
              })
      .repeats = true;
  table.custom("--filter", "EXPRESSION", "show what fits (see Conditions and Fields)",
               [this](std::string_view text) -> std::expected<void, std::string> {
                 auto parsed = trace_filter::parse(text);
                 if (!parsed) return std::unexpected(parsed.error());
                 picking_.filter = std::move(*parsed);
                 return {};
               });
  table.number("--first", "N", picking_.first, "end after N lines", 1).fallback = "";
  table.number("--last", "N", picking_.last, "show the last N lines only", 1, last_max).fallback =
      "";
  table.flag("--rules", rules_, "tell who broke a rule of NVMe/TCP");
  table.flag("--strict", strict_, "as --rules; exit status 20 when one was broken");
  table.flag("--stats", statistics_, "show statistics instead of lines");
  table.choice("--time", "HOW", time_, trace_time_names, "how times are shown");
}

result trace_command::run(context& ctx) {
  picker out(picking_, ctx.out);
  text_view text(out, static_cast<trace_time>(time_), ctx.options.verbosity, ctx.out_style);
  json_view json(out, ctx.options.verbosity);
  statistics numbers(picking_.filter);
  trace::listener& view = statistics_  ? static_cast<trace::listener&>(numbers)
                          : ctx.json() ? static_cast<trace::listener&>(json)
                                       : static_cast<trace::listener&>(text);
  trace::tracer_options options;
  options.ports.insert(options.ports.end(), ports_.begin(), ports_.end());
  // Data is kept for who shows it: structures at -v, all of it at -vv.
  constexpr std::size_t structure_bytes = 4096;
  if (!statistics_ && ctx.options.verbosity > 0)
    options.conversation.data_bytes =
        ctx.options.verbosity > 1 ? text_view::dump_bytes : structure_bytes;
  unseen_violations unseen;
  trace::violation_sink& sink = statistics_  ? static_cast<trace::violation_sink&>(unseen)
                                : ctx.json() ? static_cast<trace::violation_sink&>(json)
                                             : static_cast<trace::violation_sink&>(text);
  trace::checker rules(sink);
  judged_view judged(view, rules);
  const bool judge = rules_ || strict_;
  trace::tracer tracer(options, judge ? static_cast<trace::listener&>(judged) : view);
  const auto end = read_capture(file_, ctx.in, ctx.in_descriptor, tracer, [&] {
    out.flush();
    return !out.done();
  });
  if (!end)
    return {.status = exit_status::usage, .error = "trace: " + end.error(), .streamed = true};
  tracer.finish();
  out.finish();
  if (statistics_ && !ctx.json() && tracer.counts().connections > 0)
    ctx.out << numbers.text(ctx.out_style);
  if (statistics_ && ctx.json()) ctx.out << json_line(numbers.json());
  result r = told(ctx, tracer, *end);
  if (judge) add_verdict(ctx, rules, r);
  return r;
}

void trace_command::add_verdict(context& ctx, const trace::checker& rules, result& r) const {
  const std::uint64_t errors = rules.count(trace::severity::error);
  const std::uint64_t warnings = rules.count(trace::severity::warning);
  if (r.document.contains("summary"))
    r.document["summary"].as_object()["rules"] = {{"errors", errors},
                                                  {"warnings", warnings},
                                                  {"notes", rules.count(trace::severity::note)},
                                                  {"suspended", rules.suspended()}};
  const std::string text = fmt::format("rules: {} errors, {} warnings, {} notes", errors, warnings,
                                       rules.count(trace::severity::note));
  if (strict_ && errors + warnings > 0 && r.status == exit_status::ok) {
    r.status = exit_status::protocol_error;
    r.error = "trace: " + text;
  } else if (errors + warnings + rules.count(trace::severity::note) > 0) {
    ctx.warn(text);
  }
}

result trace_command::told(context& ctx, const trace::tracer& t, const capture_end& end) const {
  result r;
  r.streamed = true;
  const std::string name = file_ == "-" ? "standard input" : file_;
  if (!end.begun) {
    r.status = exit_status::usage;
    r.error = fmt::format("trace: {}: {}", name, end.damage);
    return r;
  }
  for (const std::string& w : trace_warnings(t)) ctx.warn(w);
  if (ctx.json()) r.document = trace_summary_json(t);
  if (t.counts().connections == 0) {
    r.status = exit_status::expectation;
    r.error = fmt::format("trace: {}: no NVMe/TCP inside: {}", name, inside_text(t));
    if (!end.damage.empty()) r.error += fmt::format("; {}", end.damage);
  } else if (!end.damage.empty()) {
    r.status = exit_status::expectation;
    r.error = fmt::format("trace: {}: {} (what came before was shown)", name, end.damage);
  }
  return r;
}

}  // namespace

std::unique_ptr<command> make_trace() { return std::make_unique<trace_command>(); }

}  // namespace nvmf::cli
