// SPDX-License-Identifier: BSD-2-Clause
#include "perfetto_view.hpp"

#include <fmt/format.h>

#include <nvmf/status.hpp>

#include <algorithm>
#include <utility>

#include "render/status.hpp"
#include "tracing/clock_text.hpp"
#include "tracing/pdu_text.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::cli {

namespace {

std::string queue_name(const trace::connection& c) {
  return c.queue_known() ? fmt::format("queue {}", c.qid()) : fmt::format("c{}", c.number());
}

std::string result_text(const trace::command& k, const trace::completion& done) {
  switch (done.how) {
    case trace::fate::replaced:
      return "no completion was seen, and its CID came again";
    case trace::fate::ended:
      return "no completion: the connection ended";
    case trace::fate::left:
      return "no completion in the capture";
    case trace::fate::completed:
    case trace::fate::success:
      break;
  }
  if (done.failed())
    return to_text(nvme_status::from_field(done.status & 0x7fff), set_of(k.opcode()));
  return done.how == trace::fate::success ? "ok by SUCCESS flag" : "ok";
}

}  // namespace

std::expected<std::unique_ptr<perfetto_view>, std::string> perfetto_view::create(
    const std::string& path, const trace_filter& filter) {
  auto file = trace_event_file::create(path);
  if (!file) return std::unexpected(file.error());
  return std::unique_ptr<perfetto_view>{new perfetto_view(std::move(*file), filter)};
}

perfetto_view::queue& perfetto_view::of(const trace::connection& c) { return queues_[c.number()]; }

void perfetto_view::on_connection(const trace::connection& c) {
  file_.since_begin(c.begun().ns);
  of(c) = {};
}

std::uint32_t perfetto_view::add_process(const std::string& name) {
  names_.push_back(name);
  return ++processes_;
}

void perfetto_view::name_process(std::uint32_t process, const std::string& name) {
  if (std::string& kept = names_[process - 1]; !kept.empty())
    kept = name;
  else
    put_name(process, name);
}

void perfetto_view::put_name(std::uint32_t process, const std::string& name) {
  trace_event(events_, 'M', "process_name", {process, 0}).arguments().text("name", name).end();
}

// Once something stands in it.
void perfetto_view::show_process(std::uint32_t process) {
  const std::string name = std::exchange(names_[process - 1], {});
  if (name.empty()) return;
  put_name(process, name);
  trace_event(events_, 'M', "process_sort_index", {process, 0})
      .arguments()
      .number("sort_index", process)
      .end();
}

// The association that a Connect belongs to (Base 2.0, 3.3.1): one of the Admin Queue begins it,
// one of an I/O queue names the controller that it was given.
void perfetto_view::settle_by_connect(const trace::connection& c, queue& q, const trace::pdu& p) {
  const trace::agreement& a = c.agreed();
  const auto key = [&](std::uint64_t cntlid) {
    return fmt::format("{}\n{}\n{:#x}", a.host_nqn, a.subsystem_nqn, cntlid);
  };
  if (a.qid != 0 && p.data.size() >= wire::connect_data.size) {
    const auto it = associations_.find(key(wire::get<wire::connect_data, "cntlid">(p.data)));
    if (it != associations_.end()) return settle(c, q, it->second);
  }
  if (a.host_nqn.empty()) return settle(c, q, 0);
  settle(c, q,
         add_process(fmt::format("{} > {}", shown_name(a.host_nqn), shown_name(a.subsystem_nqn))));
}

// `process`: 0 for one of its own.
void perfetto_view::settle(const trace::connection& c, queue& q, std::uint32_t process) {
  q.process = process != 0 ? process
                           : add_process(fmt::format("c{} {} > {}", c.number(), to_text(c.host()),
                                                     to_text(c.controller())));
  for (const early_pdu& p : q.early) draw_pdu(c, q, events_, p, true);
  q.early = {};
}

event_track perfetto_view::track(const trace::connection& c, queue& q, lane& l, unsigned order,
                                 const std::string& name, bool shown) {
  if (q.process == 0) settle(c, q, 0);
  if (l.thread == 0) l.thread = ++threads_;
  const event_track on{q.process, l.thread};
  if (l.named || !shown) return on;
  l.named = true;
  show_process(q.process);
  trace_event(events_, 'M', "thread_name", on).arguments().text("name", name).end();
  trace_event(events_, 'M', "thread_sort_index", on)
      .arguments()
      .number("sort_index", std::uint64_t{c.qid()} << 20 | order)
      .end();
  return on;
}

event_track perfetto_view::way_track(const trace::connection& c, queue& q, trace::way w,
                                     bool shown) {
  const bool to_host = w == trace::way::to_host;
  lane& l = q.ways[to_host ? 1 : 0];
  return track(c, q, l, to_host ? 1 : 0,
               l.named ? std::string{}
                       : fmt::format("{} PDUs {}", queue_name(c),
                                     to_host ? "to the host" : "to the controller"),
               shown);
}

event_track perfetto_view::slot_track(const trace::connection& c, queue& q, std::uint32_t number) {
  if (q.slots.size() <= number) q.slots.resize(number + 1);
  lane& l = q.slots[number].on;
  return track(c, q, l, number + 2,
               l.named       ? std::string{}
               : number == 0 ? queue_name(c)
                             : fmt::format("{} ({})", queue_name(c), number + 1),
               true);
}

void perfetto_view::draw_flow(char phase, line_buffer& to, const trace::connection& c,
                              const trace::command& k, event_track on, std::int64_t ns) {
  trace_event e(to, phase, "command", on);
  e.text("cat", "flow").time("ts", ns);
  line_.clear();
  line_.number(c.number());
  line_.push_back('.');
  line_.number(k.number);
  e.text("id", line_.view());
  if (phase == 'f') e.text("bp", "e");
  e.end();
}

void perfetto_view::draw_depth(const trace::connection& c, queue& q, std::size_t depth,
                               std::int64_t ns) {
  trace_event(events_, 'C', queue_name(c) + " depth", {q.process, 0})
      .time("ts", ns)
      .arguments()
      .number("commands", depth)
      .end();
}

void perfetto_view::on_command(const trace::connection& c, const trace::command& k,
                               const trace::pdu& p) {
  queue& q = of(c);
  if (q.process == 0 && k.whole && is_connect(k)) settle_by_connect(c, q, p);
  if (q.slots.size() <= k.slot) q.slots.resize(k.slot + 1);
  q.slots[k.slot].last_step = 0;
  q.slots[k.slot].depth = c.outstanding();
  if (filter_.always()) {
    slot_track(c, q, k.slot);
    draw_depth(c, q, c.outstanding(), file_.since_begin(k.sent.ns));
  }
  file_.write(events_);
}

std::int64_t perfetto_view::draw_pdu(const trace::connection& c, queue& q, line_buffer& to,
                                     const early_pdu& p, bool shown) {
  const event_track on = way_track(c, q, p.going, shown);
  lane& l = q.ways[p.going == trace::way::to_host ? 1 : 0];
  // What one packet carries happened at once: a nanosecond each makes it visible.
  const std::int64_t from = std::max(file_.since_begin(p.begun.ns), l.free_at);
  const std::int64_t end = std::max(file_.since_begin(p.ended.ns), from + 1);
  l.free_at = end;
  trace_event(to, 'X', p.name, on)
      .time("ts", from)
      .time("dur", end - from)
      .arguments()
      .number("frame", p.ended.packet)
      .end();
  ++slices_;
  return from;
}

void perfetto_view::on_pdu(const trace::connection& c, const trace::pdu& p,
                           const trace::command* of_command) {
  const auto type = static_cast<wire::pdu_type>(p.type);
  if (type == wire::pdu_type::capsule_cmd || type == wire::pdu_type::capsule_resp) return;
  queue& q = of(c);
  const wire::layout* form = trace::form_of(p);
  early_pdu drawn{form != nullptr ? std::string{form->name} : fmt::format("type {:#x}", p.type),
                  p.going, p.begun, p.ended};
  if (p.data_bytes > 0) drawn.name += fmt::format(" {}", p.data_bytes);
  const bool waits = of_command != nullptr && !filter_.always();
  if (of_command == nullptr && !filter_.always() &&
      !filter_.matches({.on = c, .pdu = p.type, .ns = p.ended.ns}))
    return;
  if (q.process == 0 && of_command == nullptr) {
    if (q.early.size() < early_max) q.early.push_back(std::move(drawn));
    return;
  }
  way_track(c, q, p.going, !waits);  // named outside of what waits
  file_.write(events_);
  const std::int64_t from = draw_pdu(c, q, events_, drawn, !waits);
  if (of_command != nullptr) {
    slot& s = q.slots[of_command->slot];
    s.last_step = from;
    draw_flow('t', events_, c, *of_command, way_track(c, q, p.going, !waits), from);
    if (waits) {
      if (s.waiting.size() + events_.size() > waiting_bytes_max ||
          waiting_bytes_ + events_.size() > all_waiting_bytes_max) {
        ++left_out_;
      } else {
        s.waiting.append(events_.view());
        waiting_bytes_ += events_.size();
        s.waits_on[static_cast<std::size_t>(p.going)] = true;
      }
      return events_.clear();
    }
  }
  file_.write(events_);
}

const perfetto_view::arguments_of& perfetto_view::arguments(const trace::command& k) {
  const auto [it, fresh] = arguments_.try_emplace(command_key(k));
  if (!fresh) return it->second;
  for (const wire::field& f : wire::sqe_form(k.opcode(), k.admin, k.fctype()).fields) {
    if (f.name == "nsid") it->second.nsid = &f;
    if (f.name == "slba") it->second.slba = &f;
    if (f.name == "nlb") it->second.nlb = &f;
  }
  return it->second;
}

void perfetto_view::draw_command(const trace::connection& c, const trace::command& k,
                                 const trace::completion& done, event_track on, std::int64_t from,
                                 std::int64_t to) {
  trace_event e(events_, 'X', known_.of(k).name, on);
  e.time("ts", from).time("dur", to - from).text("cat", done.failed() ? "failed" : "command");
  e.arguments().hex("cid", k.cid);
  if (k.whole) {
    const arguments_of& a = arguments(k);
    if (a.nsid != nullptr) e.number("nsid", wire::get(k.sqe, *a.nsid));
    if (a.slba != nullptr) e.hex("slba", wire::get(k.sqe, *a.slba));
    if (a.nlb != nullptr) e.number("blocks", wire::get(k.sqe, *a.nlb) + 1);
  }
  e.number("bytes", k.bytes()).text("status", result_text(k, done));
  line_.clear();
  words_.append_command(line_, c, k);
  e.text("command", line_.view());
  e.number("frame", k.sent.packet);
  if (done.answered()) e.number("completed_frame", done.at.packet);
  e.end();
  ++slices_;
}

void perfetto_view::draw_phases(const trace::command& k, const trace::completion& done,
                                event_track on, std::int64_t from, std::int64_t to) {
  if (!done.answered()) return;
  const trace::latency_parts l = latency_of(k, done);
  std::int64_t at = from;
  const auto part = [&](std::string_view name, std::optional<std::int64_t> ns) {
    if (!ns || *ns <= 0 || at >= to) return;
    const std::int64_t end = std::min(at + *ns, to);
    trace_event(events_, 'X', name, on).time("ts", at).time("dur", end - at).end();
    at = end;
  };
  part("to R2T", l.to_r2t);
  part("to data", l.to_data);
  part("data", l.data);
  part("to completion", l.to_end);
}

void perfetto_view::on_completion(const trace::connection& c, const trace::command& k,
                                  const trace::completion& done, const trace::pdu* by) {
  queue& q = of(c);
  slot& s = q.slots[k.slot];
  const bool fits =
      filter_.always() ||
      filter_.matches({.on = c,
                       .of = &k,
                       .done = &done,
                       .pdu = by != nullptr ? std::optional{by->type} : std::nullopt});
  if (fits) {
    const event_track on = slot_track(c, q, k.slot);
    // What fits stands for itself: a queue of which nothing does has no depth either.
    if (!filter_.always()) draw_depth(c, q, s.depth, file_.since_begin(k.sent.ns));
    draw_depth(c, q, c.outstanding() - 1, file_.since_begin(done.at.ns));
    // Clocks of several capture rings may disagree; a lane does not.
    const std::int64_t from = std::max(file_.since_begin(k.sent.ns), s.on.free_at);
    const std::int64_t to = std::max({file_.since_begin(done.at.ns), from + 1, s.last_step + 1});
    s.on.free_at = to;
    draw_command(c, k, done, on, from, to);
    draw_phases(k, done, on, from, to);
    draw_flow('s', events_, c, k, on, from);
    for (const trace::way w : {trace::way::to_controller, trace::way::to_host})
      if (s.waits_on[static_cast<std::size_t>(w)]) way_track(c, q, w);
    events_.append(s.waiting);
    draw_flow('f', events_, c, k, on, to - 1);
  }
  waiting_bytes_ -= s.waiting.size();
  s.waiting.clear();
  s.waits_on = {};
  if (is_connect(k) && c.agreed().cntlid && c.qid() == 0 && !c.agreed().host_nqn.empty() &&
      associations_.size() < associations_max) {
    const trace::agreement& a = c.agreed();
    associations_[fmt::format("{}\n{}\n{:#x}", a.host_nqn, a.subsystem_nqn, *a.cntlid)] = q.process;
    name_process(q.process, fmt::format("{} > {} cntlid {:#x}", shown_name(a.host_nqn),
                                        shown_name(a.subsystem_nqn), *a.cntlid));
  }
  file_.write(events_);
}

void perfetto_view::draw_instant(const trace::connection& c, trace::way w, std::string_view name,
                                 std::string_view text, const trace::stamp& at) {
  queue& q = of(c);
  const event_track on = way_track(c, q, w);
  trace_event(events_, 'i', name, on)
      .time("ts", file_.since_begin(at.ns))
      .text("s", "t")
      .arguments()
      .text("text", text)
      .number("frame", at.packet)
      .end();
  file_.write(events_);
}

void perfetto_view::on_notice(const trace::connection& c, const trace::notice& n) {
  const std::optional<std::uint8_t> type =
      n.about != nullptr ? std::optional{n.about->type} : std::nullopt;
  if (!filter_.always() && !filter_.matches({.on = c, .pdu = type, .ns = n.at.ns})) return;
  draw_instant(c, n.going, name_of(n.kind), notice_words(n), n.at);
}

void perfetto_view::on_violation(const trace::connection& c, const trace::violation& v) {
  if (!filter_.always() && !filter_.matches({.on = c, .pdu = v.pdu, .broken = &v, .ns = v.at.ns}))
    return;
  draw_instant(c, v.going, row_of(v.id).name, to_text(v), v.at);
}

void perfetto_view::on_suspension(const trace::connection& c, const trace::suspension& s) {
  if (!filter_.always() && !filter_.matches({.on = c, .ns = s.at.ns})) return;
  draw_instant(c, s.going, "rules-suspended", to_text(s), s.at);
}

void perfetto_view::on_end(const trace::connection& c, const trace::stamp&, bool) {
  queue& q = of(c);
  if (q.process == 0 && !q.early.empty()) settle(c, q, 0);
  file_.write(events_);
  queues_.erase(c.number());
}

std::expected<void, std::string> perfetto_view::finish() { return file_.commit(); }

}  // namespace nvmf::cli
