// SPDX-License-Identifier: BSD-2-Clause
#include "outputs.hpp"

#include <fmt/format.h>

#include <ostream>

#include "options.hpp"
#include "render/json.hpp"
#include "tracing/follow_view.hpp"
#include "tracing/html_output.hpp"
#include "tracing/json_view.hpp"
#include "tracing/pcapng_view.hpp"
#include "tracing/perfetto_view.hpp"
#include "tracing/report.hpp"
#include "tracing/rule_tally.hpp"
#include "tracing/statistics.hpp"
#include "tracing/text_view.hpp"
#include "tracing/window_watch.hpp"

namespace nvmf::cli {
namespace {

constexpr std::uint64_t last_max = 1'000'000;

std::expected<void, std::string> add_ports(std::string_view text, std::vector<std::uint16_t>& to) {
  while (true) {
    const std::size_t comma = text.find(',');
    const auto n = wire::parse_number(text.substr(0, comma), {}, {.min = 1, .max = 65535});
    if (!n) return std::unexpected(to_text(n.error()));
    to.push_back(static_cast<std::uint16_t>(*n));
    if (comma == std::string_view::npos) return {};
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

void output_options::add(option_table& table) {
  table
      .custom("--port", "PORT[,PORT]...", "expect NVMe/TCP on these ports, too",
              [this](std::string_view text) { return add_ports(text, ports); })
      .repeats = true;
  table.custom("--filter", "EXPRESSION", "show what fits (see Conditions and Fields)",
               [this](std::string_view text) -> std::expected<void, std::string> {
                 auto parsed = trace_filter::parse(text);
                 if (!parsed) return std::unexpected(parsed.error());
                 pick.filter = std::move(*parsed);
                 return {};
               });
  table.custom("--between", "FROM,TO",
               "show commands of this time: 2.5s,3s after the first packet; 12:34:56,12:35:00; 2s,",
               [this](std::string_view text) -> std::expected<void, std::string> {
                 auto parsed = time_window::parse(text);
                 if (!parsed) return std::unexpected(parsed.error());
                 between = std::make_shared<time_window>(*parsed);
                 return {};
               });
  table.number("--first", "N", pick.first, "end after N lines", 1).fallback = "";
  table.number("--last", "N", pick.last, "show the last N lines only", 1, last_max).fallback = "";
  table.flag("--strict", strict, "exit status 20 when a rule of NVMe/TCP was broken");
  table
      .custom("--no-rules", {}, "do not hold traffic against the rules",
              [this](std::string_view) -> std::expected<void, std::string> {
                rules = false;
                return {};
              })
      .wants = option::takes::nothing;
  table.flag("--stats", statistics, "show statistics instead of lines");
  table.flag("--follow", follow, "draw statistics on the terminal while they change");
  table.choice("--time", "HOW", time, trace_time_names, "how times are shown");
  table.text("--pcapng", "FILE", pcapng, "write the packets, with comments, for wireshark")
      .completion = completes::file;
  table.text("--perfetto", "FILE", perfetto, "write a timeline for ui.perfetto.dev").completion =
      completes::file;
  table.text("--html", "FILE", html, "write a page for a browser: ladder, latencies, violations")
      .completion = completes::file;
}

outputs::outputs(const output_options& how, bool json, int verbosity, std::ostream& out,
                 const style& look)
    : how_(how), json_(json), verbosity_(verbosity), to_(out), look_(look), out_(how.pick, out) {
  const auto show = [this](auto& view) {
    all_.add(static_cast<trace::listener&>(view));
    all_.add(static_cast<trace::violation_sink&>(view));
  };
  if (how.statistics || how.follow) {
    numbers_ = std::make_unique<nvmf::cli::statistics>(how.pick.filter);
    broken_ = std::make_unique<rule_tally>(how.pick.filter);
    all_.add(*numbers_);
    all_.add(*broken_);
  } else if (json) {
    lines_ = std::make_unique<json_view>(out_, verbosity);
    show(*lines_);
  } else {
    text_ = std::make_unique<text_view>(out_, static_cast<trace_time>(how.time), verbosity, look);
    show(*text_);
  }
  if (how.between != nullptr) {
    window_ = std::make_unique<window_watch>(*how.between);
    all_.add(static_cast<trace::listener&>(*window_));
  }
  if (how.rules || how.strict) all_.judge();
}

outputs::~outputs() = default;

std::expected<void, std::string> outputs::open() {
  const std::pair<std::string_view, const std::string&> files[] = {
      {"--pcapng", how_.pcapng}, {"--perfetto", how_.perfetto}, {"--html", how_.html}};
  for (const auto& [option, path] : files)
    if (path == "-")
      return std::unexpected(fmt::format(
          "{} -: standard output has the lines of the trace; name a file or a pipe", option));
  const auto start = [this](auto made, auto& view) -> std::expected<void, std::string> {
    if (!made) return std::unexpected(made.error());
    view = std::move(*made);
    all_.add(static_cast<trace::listener&>(*view));
    all_.add(static_cast<trace::violation_sink&>(*view));
    return {};
  };
  if (!how_.pcapng.empty())
    if (auto good = start(pcapng_view::create(how_.pcapng, how_.pick.filter), packets_); !good)
      return good;
  if (!how_.perfetto.empty())
    if (auto good = start(perfetto_view::create(how_.perfetto, how_.pick.filter), slices_); !good)
      return good;
  if (!how_.html.empty())
    return start(html_output::create(how_.html, how_.pick.filter, how_.source), page_);
  return {};
}

std::expected<void, std::string> outputs::begin(std::int64_t first_ns) {
  const bool utc = static_cast<trace_time>(how_.time) == trace_time::utc;
  if (how_.between == nullptr || how_.between->begin(first_ns, utc)) return {};
  return std::unexpected(std::string{"--between: of this capture, TO comes before FROM"});
}

bool outputs::is_over(std::int64_t ns) const { return window_ != nullptr && window_->is_over(ns); }

void outputs::follow_on(int terminal) {
  drawn_ = std::make_unique<follow_view>(how_.pick.filter, to_, terminal, look_,
                                         follow_view::clock::now());
  all_.add(static_cast<trace::listener&>(*drawn_));
}

std::optional<std::chrono::steady_clock::time_point> outputs::due() const {
  if (drawn_ == nullptr) return std::nullopt;
  return drawn_->due();
}

void outputs::tick() {
  if (drawn_ == nullptr) return;
  std::vector<std::string> below;
  if (all_.rules() != nullptr)
    below.push_back(fmt::format("rules: {} errors, {} warnings",
                                all_.rules()->count(trace::severity::error),
                                all_.rules()->count(trace::severity::warning)));
  if (!noted_.empty()) below.push_back(noted_);
  drawn_->draw(follow_view::clock::now(), below);
}

bool outputs::note(const std::string& text) {
  if (drawn_ == nullptr) return false;
  noted_ = text;
  return true;
}

void outputs::flush() {
  out_.flush();
  if (packets_ != nullptr) packets_->flush();
  const auto look = [this](const auto& view, bool& told) {
    if (view == nullptr || told) return;
    const std::string wrong = view->trouble();
    told = !wrong.empty();
    if (told && trouble_) trouble_(wrong);
  };
  look(packets_, packets_told_);
  look(slices_, slices_told_);
}

trace::tracer_options outputs::options() const {
  trace::tracer_options o;
  o.packets = packets_.get();
  o.made = packets_.get();
  o.ports.insert(o.ports.end(), how_.ports.begin(), how_.ports.end());
  // Data is kept for who shows it: structures at -v, all of it at -vv.
  constexpr std::size_t structure_bytes = 4096;
  if (numbers_ == nullptr && verbosity_ > 0)
    o.conversation.data_bytes = verbosity_ > 1 ? text_view::dump_bytes : structure_bytes;
  return o;
}

result outputs::finish(const trace::tracer& t, std::vector<std::string>& warnings) {
  out_.finish();
  if (drawn_ != nullptr) drawn_->leave();
  if (numbers_ != nullptr && json_) {
    boost::json::object record = numbers_->json();
    if (all_.rules() != nullptr) record["statistics"].as_object()["rules"] = broken_->json();
    to_ << json_line(record);
  } else if (numbers_ != nullptr && t.counts().connections > 0) {
    to_ << numbers_->text(look_, how_.unicode) << broken_->text(look_);
  }
  result r;
  r.streamed = true;
  for (std::string& w : trace_warnings(t)) warnings.push_back(std::move(w));
  // Silence could mean anything.
  if (numbers_ == nullptr && !how_.pick.filter.always() && out_.shown() == 0 &&
      t.counts().connections > 0)
    warnings.push_back(
        fmt::format("nothing fits {}: NVMe was there, on {} connection{}",
                    how_.between != nullptr ? "the filter and the time" : "the filter",
                    t.counts().connections, t.counts().connections == 1 ? "" : "s"));
  if (json_) r.document = trace_summary_json(t);
  if (all_.rules() != nullptr) add_verdict(r, warnings);
  // A capture without NVMe is a failure: nothing is written then, and what was there stays.
  if (t.counts().connections > 0) finish_files(r, warnings);
  return r;
}

// A file that was asked for and is not there weighs more than what was seen.
void outputs::finish_files(result& r, std::vector<std::string>& warnings) {
  const auto finish = [&r](auto* view, std::string_view name, boost::json::object about) {
    if (view == nullptr) return;
    if (const auto done = view->finish(); !done) {
      r.status = exit_status::usage;
      r.error = "trace: " + done.error();
    } else if (r.document.contains("summary")) {
      about["file"] = view->path();
      r.document["summary"].as_object()[name] = std::move(about);
    }
  };
  boost::json::object packets, slices;
  if (packets_ != nullptr)
    packets = {{"packets", packets_->packets()},
               {"comments", packets_->comments()},
               {"left_out", packets_->left_out()}};
  if (slices_ != nullptr)
    slices = {{"slices", slices_->slices()}, {"left_out", slices_->left_out()}};
  if (packets_ != nullptr && packets_->hurried() > 0)
    warnings.push_back(
        fmt::format("{}: {} packets could not be waited for until it was known whether they fit: "
                    "some are there that do not, some that would only complete others are not",
                    how_.pcapng, packets_->hurried()));
  finish(packets_.get(), "pcapng", std::move(packets));
  finish(slices_.get(), "perfetto", std::move(slices));
  finish(page_.get(), "html", page_ != nullptr ? page_->json() : boost::json::object{});
  if (page_ != nullptr)
    if (std::string missing = page_->left_out_text(); !missing.empty())
      warnings.push_back(fmt::format("{}: {}", how_.html, missing));
}

void outputs::add_verdict(result& r, std::vector<std::string>& warnings) const {
  const trace::checker& rules = *all_.rules();
  const std::uint64_t errors = rules.count(trace::severity::error);
  const std::uint64_t broken = errors + rules.count(trace::severity::warning);
  const std::uint64_t notes = rules.count(trace::severity::note);
  if (r.document.contains("summary"))
    r.document["summary"].as_object()["rules"] = {{"errors", errors},
                                                  {"warnings", broken - errors},
                                                  {"notes", notes},
                                                  {"suspended", rules.suspended()}};
  const auto count = [](std::uint64_t n, std::string_view what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
  };
  std::string text = fmt::format("rules: {}, {}, {}", count(errors, "error"),
                                 count(broken - errors, "warning"), count(notes, "note"));
  if (how_.strict && broken > 0) {
    r.status = exit_status::protocol_error;
    r.error = "trace: " + text;
  } else if (broken + notes > 0) {
    warnings.push_back(std::move(text));
  }
}

}  // namespace nvmf::cli
