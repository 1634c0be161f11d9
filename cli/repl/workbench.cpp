// SPDX-License-Identifier: BSD-2-Clause
#include "workbench.hpp"

#include "fault_option.hpp"

#include <algorithm>
#include <csignal>
#include <ostream>

namespace nvmf::cli::repl {
namespace {

constexpr std::size_t events_max = 4096;

// A callback as it fires: "  +  12.3 us  io_cb       q1 cid 5  4096 bytes".
std::string_view callback_name(event_type t) {
  switch (t) {
    case event_type::receive_callback:
      return "receive_cb";
    case event_type::data_callback:
      return "io_cb";
    case event_type::error_callback:
      return "error_cb";
    case event_type::violation:
      return "violation";
    case event_type::fault:
      return "fault";
    default:
      return {};
  }
}

}  // namespace

done check_name(const word& w, std::string_view what) {
  const auto letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  const auto inner = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  std::size_t bad = 0;
  while (bad < w.text.size() && (bad == 0 ? letter(w.text[bad]) : inner(w.text[bad]))) ++bad;
  if (bad == w.text.size() && bad > 0) return {};
  return wrong(fmt::format("{} is no name for a {}: a letter, then letters, digits, _ and -",
                           wire::quoted(w.text), what),
               w.column + bad);
}

workbench::workbench(context& ctx) : ctx_(ctx), signals_(reactor_.context()) {
  say_ = [this](std::string_view text) {
    std::ostream& to = ctx_.json() ? ctx_.err : ctx_.out;  // stdout is for the document
    to << text << "\n";
    to.flush();
  };
  arm_signals();
}

workbench::~workbench() {
  // Queues end before the memory that they may use.
  say_ = [](std::string_view) {};  // what ends now ends because it is over
  for (const auto& [name, l] : listeners.all()) {
    l->made.reset();
    l->serves.reset();
    l->hand_over = {};
  }
  for (const auto& [name, in] : incoming.all()) in->handle.reset();
  for (const auto& [name, q] : queues.all()) q->raw.close();
  for (const auto& [name, c] : connections.all()) c->with.reset();
  settle();
  // What was said last may yet have to leave: with RDMA that takes the queue itself, with TCP its
  // socket.
  const auto deadline = clock::now() + std::chrono::seconds(1);
  const auto lingers = [](const auto& transport) { return transport->qpairs() != 0; };
  while (std::ranges::any_of(ctx_.transports.all(), lingers))
    if (!reactor_.run_one_until(deadline)) break;
  signals_.cancel();
  reactor_.drain(std::chrono::seconds(1));
}

void workbench::arm_signals() {
  boost::system::error_code ignored;
  signals_.add(SIGINT, ignored);
  signals_.async_wait([this](const boost::system::error_code& e, int) {
    if (e) return;
    interrupted_ = true;
    arm_signals();
  });
}

void workbench::say(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  say_(text);
}

std::expected<bool, complaint> workbench::wait_until(const std::function<bool()>& there,
                                                     std::chrono::nanoseconds limit) {
  const auto deadline = clock::now() + limit;
  interrupted_ = false;
  while (!there()) {
    if (std::exchange(interrupted_, false))
      return wrong("interrupted", {}, exit_status::interrupted);
    if (clock::now() >= deadline) return false;
    (void)reactor_.run_one_until(deadline);
  }
  return true;
}

void workbench::settle() { reactor_.run_due(); }

bool workbench::take_interrupt() {
  settle();
  return std::exchange(interrupted_, false);
}

bool workbench::run_until_stopped(const std::function<void()>& looks) {
  stop_ = interrupted_ = false;
  while (!stop_ && !interrupted_) {
    (void)reactor_.run_one_until(clock::now() + std::chrono::hours(1));
    looks();
  }
  return !std::exchange(interrupted_, false);
}

void workbench::say_goodbye() {
  const auto left = std::make_shared<std::size_t>(0);
  for (const auto& [name, c] : connections.all()) {
    if (!c->up) continue;
    ++*left;
    c->watched_by->be_quiet(true);
    c->with->shutdown([left](std::error_code) { --*left; });
  }
  (void)wait_until([left] { return *left == 0; }, options.timeout);
  for (const auto& [name, q] : queues.all()) tell_faults(*this, name, q->plan);
  for (const auto& [name, c] : connections.all()) tell_faults(*this, name, c->plan);
  for (const auto& [name, l] : listeners.all()) tell_faults(*this, name, l->plan);
  if (!capture) return;
  const auto written = capture->finish();
  capture.reset();  // what ends now is not part of it
  say(written ? *written : written.error());
}

std::expected<std::shared_ptr<queue_object>, complaint> workbench::current_queue(
    std::size_t column) const {
  if (auto q = queues.find(current_)) return q;
  if (queues.empty())
    return wrong("there is no queue yet: open URI makes one, connect URI a whole association",
                 column);
  return wrong("no queue is chosen: name one with `on QUEUE`, or choose one with `use QUEUE`",
               column);
}

// Keep alives, requests for events and what follows them, Aborts: nobody at the prompt sent them.
bool workbench::is_own(const recorded_event& e, std::string_view queue) const {
  const auto q = queues.find(queue);
  return q && q->of.lock() && !take_leave(*q, e.header, e.cid);
}

void workbench::print(const seen_event& seen) {
  const recorded_event& e = seen.what;
  if (is_pdu_event(e)) with_pdus_.insert(e.qpair);  // the IC exchange comes first
  const bool unit = is_pdu_event(e) || (is_capsule_event(e) && !with_pdus_.contains(e.qpair)) ||
                    e.type == event_type::raw_out || is_work_event(e) ||
                    (e.type == event_type::pdu_in_data && e.b != 0);
  if (options.traced_from && unit)
    say(fmt::format("{:<8} {}", seen.queue, event_line(e, *options.traced_from, look())));
  if (options.watch == watched::off || (options.watch == watched::on && seen.quiet)) return;
  std::string_view name = callback_name(e.type);
  if (options.watch_only) {
    if (!options.watch_only->matches(seen, true)) return;
    if (name.empty()) name = event_name(e.type);
  }
  if (name.empty()) return;
  const double us = std::chrono::duration<double, std::micro>(seen.since_sent).count();
  say(fmt::format(
      "{}  {}  {}{}  {}",
      look()(tone::faint, seen.timed ? fmt::format("+{:10.1f} us", us) : std::string(14, ' ')),
      look()(tone::name, fmt::format("{:<10}", name)), seen.queue,
      e.has_cid ? fmt::format(" cid {}", e.cid) : "", event_details(e)));
}

void workbench::note(const recorded_event& e, std::string_view queue, bool quiet) {
  if (e.type == event_type::paused) {
    quiet = false;
    if (const auto q = queues.find(queue)) stopping.on_paused(*q);
  }
  const auto key = std::pair{e.qpair, e.cid};
  if (e.type == event_type::command_out && e.has_cid) sent_[key] = {e.at, is_own(e, queue)};
  seen_event seen{e, std::string{queue}};
  seen.quiet = quiet;
  if (const auto it = sent_.find(key); e.has_cid && it != sent_.end()) {
    seen.since_sent = e.at - it->second.at;
    seen.timed = true;
    seen.quiet = quiet || it->second.own;
  }
  print(seen);
  events_.push_back(std::move(seen));
  ++events_noted_;
  if (events_.size() > events_max) events_.pop_front();
}

void watcher::on_event(const event& e) noexcept {
  bench_.capture_event(e);
  // Bytes moved are noise here; PDUs tell of them.
  if (e.type == event_type::sent || e.type == event_type::received) return;
  bench_.note(record(e), association_ ? fmt::format("{}:{}", name_, e.qid) : name_, quiet_);
}

void listener_watcher::on_event(const event& e) noexcept {
  bench_.capture_event(e);
  if (e.type == event_type::sent || e.type == event_type::received) return;
  const auto it = queues_.find(e.qpair);
  if (it == queues_.end())
    bench_.note(record(e), name_, quiet_);
  else
    bench_.note(record(e), it->second.queue, it->second.quiet);
}

}  // namespace nvmf::cli::repl
