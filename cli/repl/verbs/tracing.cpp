// SPDX-License-Identifier: BSD-2-Clause
// watch, trace, events: what happens, as it happens and afterwards.
#include <fmt/format.h>

#include "../verbs.hpp"
#include "../workbench.hpp"
#include "wire/names.hpp"

namespace nvmf::cli::repl {
namespace {

done events(workbench& bench, arguments args) {
  std::size_t count = 20;
  if (!args.empty()) {
    const auto n = args.take("");
    const auto value = number_of(*n, "events");
    if (!value) return std::unexpected(value.error());
    count = *value;
  }
  if (auto d = args.end(); !d) return d;
  const auto& all = bench.events();
  const std::size_t from = all.size() > count ? all.size() - count : 0;
  for (std::size_t i = from; i < all.size(); ++i)
    bench.say(fmt::format("{:<8} {}", all[i].queue,
                          event_line(all[i].what, all[from].what.at, bench.look())));
  return {};
}

done watch(workbench& bench, arguments args) {
  constexpr std::array<std::string_view, 3> names{"off", "on", "all"};  // as watched has them
  const auto w = args.take("on, off or all");
  if (!w) return std::unexpected(w.error());
  const auto it = std::ranges::find(names, w->text);
  if (it == names.end())
    return wrong(fmt::format("{} is not on, off or all", wire::quoted(w->text)), w->column);
  std::optional<event_filter> only;
  if (const word* next = args.peek(); next != nullptr && it != names.begin()) {
    const std::size_t column = args.line().words.back().column;
    auto f = take_event_filter(args);
    if (!f) return std::unexpected(f.error());
    if (f->within)
      return wrong("within is for `expect event`: events are watched until watch off", column);
    only = std::move(*f);
  }
  if (auto d = args.end(); !d) return d;
  bench.options.watch = static_cast<watched>(it - names.begin());
  bench.options.watch_only = std::move(only);
  return {};
}

done trace(workbench& bench, arguments args) {
  const auto w = args.take("on or off");
  if (!w) return std::unexpected(w.error());
  if (w->text != "on" && w->text != "off")
    return wrong(fmt::format("{} is not on or off", wire::quoted(w->text)), w->column);
  const bool on = w->text == "on";
  if (on && args.take_keyword("pcap")) {
    const auto path = args.take("a file to write");
    if (!path) return std::unexpected(path.error());
    if (auto d = args.end(); !d) return d;
    if (bench.capture)
      return wrong("a capture is being written already: trace off ends it", path->column);
    auto made = pcap_writer::open(path->text);
    if (!made) return wrong(made.error(), path->column);
    bench.capture = std::move(*made);
    return {};
  }
  if (auto d = args.end(); !d) return d;
  bench.options.traced_from.reset();
  if (on) bench.options.traced_from = bench.on().now();
  if (on || !bench.capture) return {};
  const auto written = bench.capture->finish();
  bench.capture.reset();
  if (!written) return wrong(written.error(), w->column);
  bench.say(*written);
  return {};
}

constexpr std::array<example, 1> events_examples{{{"events 10", "the last ten"}}};
constexpr std::array<example, 4> watch_examples{{
    {"watch off", "callbacks print no more"},
    {"watch all", "those of keep alives, of bring-ups and of shutdowns too"},
    {"watch on io_cb cid=3", "only these, with the words of `expect event`"},
    {"watch on pdu pdu=r2t", "R2Ts, instead of callbacks"},
}};
constexpr std::array<example, 3> trace_examples{{
    {"trace on", "a line for each PDU, of all queues"},
    {"trace on pcap session.pcap", "a file for wireshark and tshark"},
    {"trace off", "ends both"},
}};

}  // namespace

void add_tracing_verbs(verb_list& to) {
  const auto add = [&](verb_info info, simple_verb::action does) {
    to.push_back(std::make_unique<simple_verb>(info, does));
  };
  add({"events", "[N]", "show the last events", "", events_examples}, events);
  add({"watch", "off | on|all [EVENT] [KEY=VALUE]...",
       "let callbacks print as they fire, or other events",
       "on: those of your own commands, as in the beginning. A connection's own commands, such as "
       "keep alives, are seen with all, and by `events` in any case. With an event that prints "
       "instead of callbacks; names and keys are those of `expect event`.",
       watch_examples},
      watch);
  add({"trace", "on [pcap FILE] | off", "print each PDU that leaves or comes",
       "With its header decoded; capsules where there are no PDUs. With pcap they go to a file: "
       "each queue is a TCP connection in it, to port 4420, and digests are those that the bytes "
       "should have, or the opposite where one was wrong.",
       trace_examples},
      trace);
}

}  // namespace nvmf::cli::repl
