// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <vector>

#include "context.hpp"
#include "tracing/capture_file.hpp"
#include "tracing/live_source.hpp"
#include "tracing/outputs.hpp"
#include "tracing/privileges.hpp"
#include "tracing/proxy_source.hpp"
#include "tracing/report.hpp"

namespace nvmf::cli {
namespace {

class trace_command final : public command, public takes_trailing {
 public:
  const command_info& info() const override;
  void add_options(option_table& table) override;
  void set_trailing(std::vector<std::string> words) override { command_ = std::move(words); }
  result run(context& ctx) override;

 private:
  // What is wrong with the choice of a source; empty: nothing.
  std::string misused() const;
  result run_file(context& ctx, outputs& out, trace::tracer& t, stop_signals& stop);
  result run_interface(context& ctx, outputs& out, trace::tracer& t, stop_signals& stop);
  std::expected<live_capture, std::string> open_interface(context& ctx);
  // What the outputs make of it, with what is to be warned of.
  static result finish(context& ctx, outputs& out, trace::tracer& t, bool warn);
  result told(const trace::tracer& t, const capture_end& end, result r) const;

  // What people call the traffic.
  std::string source() const {
    if (!proxy_.routes.empty()) return "a proxy";
    return file_.empty() ? live_.interface : file_ == "-" ? "standard input" : file_;
  }

  std::string file_;
  live_options live_;
  proxy::proxy_options proxy_;
  std::vector<std::string> command_;
  output_options how_;
};

constexpr std::string_view trace_details =
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
    "--between shows what lies in a time, partly at least: after the first packet (2.5s,3s), "
    "of day (12:34:56.5,12:35:00) or of a date (2026-01-31T12:34:56Z,); one end may be "
    "open. Pairing and rules know what came before; reading ends when all that began in it "
    "is over.\n\n"
    "With -i the traffic of an interface is shown as it passes: all TCP, or that of --port. "
    "Ctrl-C ends it, and so does --first. To open the interface takes CAP_NET_RAW; right "
    "after that root becomes the user who called sudo, or nobody (it stays root to write "
    "files), and all capabilities are gone. What came faster than it was read is counted "
    "and said.\n\n"
    "--follow draws statistics at one place of the terminal once a second: the rates, "
    "depths and latencies of the last second, and totals. What --stats tells comes at the "
    "end.\n\n"
    "Traffic is held against the rules of NVMe/TCP (describe rules), unless --no-rules: a "
    "line "
    "tells who broke one, what shows it, and what would have been right. With --strict the "
    "exit status is 20 when a rule was broken, notes aside.\n\n"
    "--pcapng writes the packets of NVMe connections to a file for wireshark, without those "
    "of "
    "others, and what is said here of capsules, rules and gaps as comments on them "
    "(frame.comment).\n\n"
    "--filter and --between decide for every output. Files hold what they keep of commands, PDUs "
    "and violations: --pcapng their packets, behind the beginning of their connections up to the "
    "answer to Connect, and those that share PDUs with them, so that wireshark can still read "
    "them; --perfetto and --html no connection of which nothing fits. --stats counts commands, "
    "failures, bytes and latencies of what fits; depth, limits and digests are of whole queues. "
    "Rules are judged on all traffic, and --strict is about all of it.\n\n"
    "--perfetto writes a timeline for ui.perfetto.dev (Open trace file): a process for each "
    "association, for each queue its commands with their phases, its PDUs in both "
    "directions, "
    "arrows from a command to its data, and how deep it is.\n\n"
    "NVMe/RDMA in captures of RoCEv2 is told in the same terms, when the capture has the "
    "messages "
    "of the connection manager that set a connection up: a READ by the controller is an R2T, "
    "its answer H2CData, a WRITE C2HData.\n\n"
    "--html writes a page for a browser, which needs no network: a ladder of the PDUs, latencies "
    "over time and as a histogram, violations, connections, search; ? in it shows its keys. It "
    "holds what fits --filter, at most the first million PDUs.\n\n"
    "With -v every PDU is shown with its fields, with -vv also its bytes.\n\n"
    "With --proxy it stands between hosts and a target that cannot be captured: it listens "
    "(port 0: a free one), connects to the target for every connection that comes, and "
    "passes on whatever bytes there are, ends and resets too; it shows them after they have "
    "left. Who reads slowly is waited for. A target that cannot be reached means a reset for "
    "the host. With --rewrite-discovery the TCP entries of discovery logs get the address of "
    "the proxy, which listens for each target that they name; digests are made anew. It runs "
    "until SIGINT or SIGTERM, which is its ordinary end, or until --first N lines are there, "
    "and then all connections are closed. With a command after -- it runs the command with "
    "NVMF_URI set to where the proxy listens, and ends with it and its exit status.";

constexpr std::array<json_key, 15> trace_keys{{
    {"record",
     "what a line is: opened, command (when it is over), violation, notice, rules-suspended, "
     "ended, statistics, summary; with -v pdu. The rest of it stands under that name"},
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
    {"pdu",
     "\"way\", \"type\", \"header\" by its fields, what became of its digests; \"rdma\": queue "
     "pair "
     "and number of its first packet, key and address of a READ or WRITE"},
    {"violation",
     "the \"rule\" (describe rule), its \"severity\", \"by\" whom it was broken, "
     "\"evidence\": the \"field\", what was \"seen\" and what is \"allowed\", the "
     "\"section\" of the specification"},
    {"rules-suspended", "\"why\" most rules are not judged any more on the connection"},
    {"notice", "its \"name\"; \"text\" says it in words"},
    {"ended",
     "what the connection did, and what was \"agreed\": by IC exchange, Connect, Identify "
     "Controller"},
    {"statistics", "with --stats: \"connections\" and \"commands\""},
    {"summary",
     "packets of the capture, and \"gaps\": places where some are missing; with -i those "
     "that were \"lost\" in the kernel and in the interface; what files were written"},
}};

const command_info& trace_command::info() const {
  static constexpr std::array<example, 14> examples{{
      {"trace capture.pcap", "one line a capsule: commands, completions, where the time went"},
      {"trace capture.pcap --filter 'cmd==read && latency>1ms && conn==2'", "what was slow"},
      {"trace capture.pcap --stats", "counts, bytes, errors, latency percentiles"},
      {"trace capture.pcap --between 0.5s,2s", "what was outstanding in that time"},
      {"trace -v capture.pcap --filter failed", "every PDU of the commands that failed"},
      {"trace --json capture.pcapng --last 100", "the last hundred commands, for scripts"},
      {"trace capture.pcap --pcapng explained.pcapng", "the packets of NVMe, with comments"},
      {"trace capture.pcap --perfetto slow.json --filter 'latency > 1ms'", "a timeline of it"},
      {"trace capture.pcap --html talk.html", "a page to look through in a browser"},
      {"trace -i lo --port 4420,8009", "what passes now, until Ctrl-C; -i any: on all interfaces"},
      {"trace -i any --follow", "rates, depths and latencies of each second, as they change"},
      {"trace - --first 20 <capture.pcap", "from a pipe as well: tcpdump -w - -s 0 port 4420 |"},
      {"trace --proxy 0,nvme+tcp://127.0.0.1:4420/nqn.2026-01.io.example:s -- nvmfctl connect",
       "what a command says to a target, by way of a proxy between them"},
      {"trace --proxy 0,nvme+tcp://127.0.0.1:4420 --rewrite-discovery -- nvmfctl discover",
       "a host that finds its way by discovery goes through the proxy, too"},
  }};
  static constexpr std::array statuses{exit_status::resolve, exit_status::connect,
                                       exit_status::protocol_error, exit_status::expectation};
  static constexpr command_info about{
      .name = "trace",
      .summary =
          "show the NVMe/TCP conversations in a capture, on an interface, or through a proxy",
      .usage = "FILE | -i IFACE | --proxy LISTEN,TARGET-URI",
      .details = trace_details,
      .examples = examples,
      .statuses = statuses,
      .trailing = "CMD [ARGUMENT]...",
      .keys = trace_keys,
      .topic = "trace-filter",
  };
  return about;
}

void trace_command::add_options(option_table& table) {
  option& file = table.text("FILE", {}, file_, "the capture; - is standard input");
  file.completion = completes::file;
  table.text("-i,--interface", "IFACE", live_.interface,
             "capture what passes on this interface; any: on all of them");
  table.size("--buffer", "SIZE", live_.buffer_bytes,
             "of the kernel, with -i, for packets that were not read yet",
             {.min = live_capture::buffer_bytes_min, .max = live_capture::buffer_bytes_max});
  add_proxy_options(table, proxy_);
  how_.add(table);
}

std::string trace_command::misused() const {
  const bool from_proxy = !proxy_.routes.empty();
  const int sources =
      (file_.empty() ? 0 : 1) + (live_.interface.empty() ? 0 : 1) + (from_proxy ? 1 : 0);
  if (sources == 0) return "a source is missing: FILE, -i IFACE, or --proxy LISTEN,TARGET-URI";
  if (sources > 1) return "one source at a time: FILE, -i IFACE, or --proxy LISTEN,TARGET-URI";
  if (!from_proxy && !command_.empty()) return "a command after -- needs --proxy";
  if (!from_proxy && proxy_.rewrite_discovery) return "--rewrite-discovery needs --proxy";
  return "";
}

result trace_command::run(context& ctx) {
  if (const std::string wrong = misused(); !wrong.empty())
    return result::fail(exit_status::usage, "trace: " + wrong);
  if (how_.between != nullptr && file_.empty())
    return result::fail(
        exit_status::usage,
        "trace: --between is about captures that are there; Ctrl-C or --first end others");
  how_.pick.filter.within(how_.between);
  if (how_.follow && (ctx.json() || ctx.out_terminal < 0))
    return result::fail(exit_status::usage,
                        "trace: --follow draws on a terminal, and standard output is none that it "
                        "could draw on (--stats tells the same at the end)");
  how_.unicode = ctx.unicode;
  how_.source = source();
  outputs out(how_, ctx.json(), ctx.options.verbosity, ctx.out, ctx.out_style);
  if (const auto opened = out.open(); !opened)
    return {.status = exit_status::usage, .error = "trace: " + opened.error(), .streamed = true};
  if (how_.follow) out.follow_on(ctx.out_terminal);
  out.on_trouble([&](const std::string& wrong) {
    const std::string text = wrong + ": it is given up, and the trace goes on";
    if (!out.note(text)) ctx.warn(text);
  });
  if (!proxy_.routes.empty()) return trace_proxy(ctx, proxy_, std::move(command_), out);
  trace::tracer tracer(out.options(), out.listener());
  stop_signals stop;
  return file_.empty() ? run_interface(ctx, out, tracer, stop) : run_file(ctx, out, tracer, stop);
}

result trace_command::finish(context& ctx, outputs& out, trace::tracer& t, bool warn) {
  t.finish();
  std::vector<std::string> warnings;
  result r = out.finish(t, warnings);
  if (warn)
    for (const std::string& w : warnings) ctx.warn(w);
  return r;
}

result trace_command::run_file(context& ctx, outputs& out, trace::tracer& t, stop_signals& stop) {
  std::expected<void, std::string> begun;
  const auto end = read_capture(
      file_, ctx.in, ctx.in_descriptor, t,
      {.progress =
           [&] {
             out.flush();
             return !out.done();
           },
       .before_read =
           [&](int fd) {
             auto woken = stop.wait(fd, out.due());
             for (; woken == stop_signals::woken::time; woken = stop.wait(fd, out.due()))
               out.tick();
             return woken == stop_signals::woken::readable;
           },
       .look = how_.between == nullptr ? std::function<bool(const trace::packet&)>{}
                                       : [&](const trace::packet& p) {
                                           if (p.at.packet == 1) begun = out.begin(p.at.ns);
                                           return begun && !out.is_over(p.at.ns);
                                         }});
  if (!begun)
    return {.status = exit_status::usage, .error = "trace: " + begun.error(), .streamed = true};
  if (!end)
    return {.status = exit_status::usage, .error = "trace: " + end.error(), .streamed = true};
  result r = finish(ctx, out, t, end->begun);
  if (!stop.stopped()) return told(t, *end, std::move(r));
  if (r.status == exit_status::ok) r.status = exit_status::interrupted;
  return r;
}

std::expected<live_capture, std::string> trace_command::open_interface(context& ctx) {
  live_.ports = how_.ports;
  auto from = live_capture::open(live_);
  if (!from) return std::unexpected(fmt::format("{}: {}", live_.interface, from.error()));
  const auto said =
      drop_privileges(invoking_user_of(ctx.sudo_uid, ctx.sudo_gid), how_.writes_files());
  if (!said) return std::unexpected(said.error());
  ctx.err << fmt::format(
      "capturing on {}: {}, {}; {}. Ctrl-C ends it.\n", live_.interface, from->link(),
      live_.ports.empty() ? "all TCP"
                          : fmt::format("TCP port{} {}", live_.ports.size() == 1 ? "" : "s",
                                        fmt::join(live_.ports, ", ")),
      *said);
  ctx.err.flush();
  return from;
}

result trace_command::run_interface(context& ctx, outputs& out, trace::tracer& t,
                                    stop_signals& stop) {
  auto from = open_interface(ctx);
  if (!from)
    return {.status = exit_status::usage, .error = "trace: " + from.error(), .streamed = true};
  const auto ended = run_live(*from, live_.interface, stop, t,
                              {.more =
                                   [&] {
                                     out.flush();
                                     return !out.done();
                                   },
                               .due = [&] { return out.due(); },
                               .tick = [&] { out.tick(); },
                               .say =
                                   [&](const std::string& text) {
                                     if (!out.note(text)) ctx.warn(text);
                                   }});
  result r = finish(ctx, out, t, true);
  const live_counts n = from->counts();
  const std::string lost = losses_text(n);
  if (!lost.empty()) ctx.warn(fmt::format("{}: in all {}", live_.interface, lost));
  if (r.document.contains("summary"))
    r.document["summary"].as_object()["lost"] = {{"kernel", n.dropped},
                                                 {"interface", n.dropped_by_interface}};
  if (ended) {
    r.status = exit_status::expectation;
    r.error = fmt::format("trace: {}: the capture ended: {}", live_.interface, *ended);
  } else if (t.counts().connections == 0) {
    r.status = exit_status::expectation;
    r.error = fmt::format("trace: {}: no NVMe/TCP was seen: {}", live_.interface, inside_text(t));
  }
  return r;
}

// What is wrong with the capture weighs more than what is wrong in it.
result trace_command::told(const trace::tracer& t, const capture_end& end, result r) const {
  const std::string name = source();
  if (!end.begun) {
    r.status = exit_status::usage;
    r.error = fmt::format("trace: {}: {}", name, end.damage);
    r.document = {};
  } else if (t.counts().connections == 0) {
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
