// SPDX-License-Identifier: BSD-2-Clause
#include "statistics.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <nvmf/status.hpp>

#include "render/json.hpp"
#include "render/status.hpp"
#include "render/text.hpp"
#include "tracing/clock_text.hpp"
#include "tracing/json_view.hpp"
#include "tracing/pdu_text.hpp"
#include "wire/commands.hpp"

namespace nvmf::cli {

namespace {

namespace json = boost::json;

constexpr std::pair<std::string_view, double> shares[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99_9", 0.999}};

std::string duration_text(std::uint64_t ns) {
  line_buffer b;
  append_duration(b, static_cast<std::int64_t>(ns));
  return std::string{b.view()};
}

std::string queue_text(bool known, std::uint16_t qid) {
  return known ? fmt::format("q{}", qid) : "q?";
}

std::string per(std::uint64_t n, std::uint64_t of) {
  return n == 0 ? "" : fmt::format("{:.2f}", static_cast<double>(n) / static_cast<double>(of));
}

// Of a command_key().
status_set set_of_key(std::size_t key) {
  return static_cast<wire::command_set>(key >> 8) == wire::command_set::fabrics
             ? status_set::fabrics
             : status_set::nvm;
}

json::object latency_json(const histogram& h) {
  json::object o{{"min", h.least()}, {"mean", h.mean()}};
  for (const auto& [name, share] : shares) o[name] = h.percentile(share);
  o["max"] = h.most();
  return o;
}

}  // namespace

void statistics::add(row& to, const trace::command& k, const trace::completion& done) {
  ++to.count;
  to.bytes += k.bytes();
  to.r2ts += k.r2ts;
  to.data_pdus += std::uint64_t{k.c2h_pdus} + k.h2c_pdus;
  if (!done.answered()) {
    ++to.unanswered;
    return;
  }
  const std::int64_t total = latency_of(k, done).total;
  to.latency_ns.add(total < 0 ? 0 : static_cast<std::uint64_t>(total));
  if (!done.failed()) return;
  ++to.failed;
  ++to.errors[static_cast<std::uint16_t>(done.status & 0x7ff)];
}

statistics::watched& statistics::watch(const trace::connection& c) {
  auto& [number, its] = recent_[c.number() % recent_.size()];
  if (number != c.number()) {
    number = c.number();
    its = &watches_[c.number()];
  }
  return *its;
}

void statistics::on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) {
  watch(c).limits.on_pdu(p, of);
}

void statistics::on_command(const trace::connection& c, const trace::command& k,
                            const trace::pdu& p) {
  watched& w = watch(c);
  w.limits.on_command(k);
  const bool counts = !depth_fits() || filter_.matches({.on = c, .of = &k, .pdu = p.type});
  if (w.in_depth.size() <= k.slot) w.in_depth.resize(k.slot + 1);
  w.in_depth[k.slot] = counts;
  if (counts) over_time_.command(k.sent.ns);
}

void statistics::on_completion(const trace::connection& c, const trace::command& k,
                               const trace::completion& done, const trace::pdu* by) {
  watched& w = watch(c);
  w.limits.on_completion(c, k);
  const bool fits =
      filter_.always() ||
      filter_.matches({.on = c,
                       .of = &k,
                       .done = &done,
                       .pdu = by != nullptr ? std::optional{by->type} : std::nullopt});
  if (w.in_depth.size() > k.slot && w.in_depth[k.slot])
    over_time_.completion(done.at.ns, fits && done.answered(), k.bytes());
  if (!fits) return;
  w.shown = true;
  ++w.commands;
  if (done.answered()) ++w.completions;
  if (done.answered() && done.failed()) ++w.failed;
  w.bytes[0] += k.in_capsule + k.h2c_bytes;
  w.bytes[1] += k.c2h_bytes;
  const std::size_t key = command_key(k);
  row& total = total_of(k, key);
  add(total, k, done);
  if (row* its = row_of(c, w, key, total)) add(*its, k, done);
}

statistics::row& statistics::total_of(const trace::command& k, std::size_t key) {
  if (totals_[key] == nullptr) {
    auto& total = all_[key] = std::make_unique<row>();
    total->name = known_.of(k).name;
    totals_[key] = total.get();
  }
  return *totals_[key];
}

statistics::row* statistics::row_of(const trace::connection& c, watched& w, std::size_t key,
                                    const row& total) {
  auto& [last, its] = w.recent[key % w.recent.size()];
  if (its != nullptr && last == key) return its;
  const std::pair place{c.number(), key};
  auto found = rows_.find(place);
  if (found == rows_.end()) {
    if (rows_.size() == rows_max) {
      folded_ = true;
      return nullptr;
    }
    found = rows_.emplace(place, std::make_unique<row>()).first;
    found->second->name = total.name;
    found->second->qid = c.qid();
    found->second->queue_known = c.queue_known();
  }
  last = key;
  its = found->second.get();
  return its;
}

trace::connection_counts statistics::shown_counts(const trace::connection& c,
                                                  const watched& w) const {
  trace::connection_counts n = c.counts();
  if (filter_.always()) return n;
  n.commands = w.commands;
  n.completions = w.completions;
  n.failed = w.failed;
  std::ranges::copy(w.bytes, n.bytes);
  return n;
}

void statistics::on_end(const trace::connection& c, const trace::stamp& at, bool) {
  const watched w = std::move(watch(c));
  watches_.erase(c.number());
  recent_[c.number() % recent_.size()] = {};
  if (!w.shown && !filter_.always() && !filter_.matches({.on = c, .ns = at.ns})) return;
  if (ends_.size() == connections_max) {
    ++more_connections_;
    return;
  }
  const trace::connection_counts counts = shown_counts(c, w);
  ends_.push_back({to_text(c.host()), to_text(c.controller()), c.agreed(), counts, c.number(),
                   c.most_outstanding(), w.limits.most()});
  json::object o = connection_json(c);
  o["commands"] = counts.commands;
  o["completions"] = counts.completions;
  o["failed"] = counts.failed;
  o["bytes_to_controller"] = counts.bytes[0];
  o["bytes_to_host"] = counts.bytes[1];
  o["connection"] = c.number();
  o["reached"] = w.limits.most().json();
  ends_json_.push_back(std::move(o));
}

void statistics::add_connections(std::string& out, const style& look) const {
  out += look(tone::strong, "Connections") + "\n";
  text_table t(2);
  t.add({"", "queue", "host", "controller", "commands", "failed", "bytes >", "bytes <", "depth",
         "digests wrong"});
  for (std::size_t right = 4; right < 10; ++right) t.align_right(right);
  for (const end_of& e : ends_)
    t.add({fmt::format("c{}", e.number), queue_text(e.agreed.connect, e.agreed.qid), e.host,
           e.controller, fmt::format("{}", e.counts.commands), fmt::format("{}", e.counts.failed),
           fmt::format("{}", e.counts.bytes[0]), fmt::format("{}", e.counts.bytes[1]),
           fmt::format("{}", e.most_outstanding),
           e.counts.digests_good + e.counts.digests_bad == 0
               ? "-"
               : fmt::format("{}", e.counts.digests_bad)});
  out += t.str();
  if (more_connections_ > 0) out += fmt::format("  and {} more\n", more_connections_);
  if (!filter_.always())
    out += "  Commands, failed and bytes: of what fits the filter; all else: of the whole queue.\n";
}

// What was settled at the beginning; a dash for what the capture does not have.
void statistics::add_agreements(std::string& out, const style& look) const {
  text_table limits(2), names(2);
  limits.add(
      {"", "HDGST", "DDGST", "MAXR2T", "MAXH2CDATA", "SQSIZE", "KATO", "CNTLID", "MDTS", "IOCCSZ"});
  for (std::size_t right = 3; right < 10; ++right) limits.align_right(right);
  const auto shown = [](bool known, auto value) {
    return known ? fmt::format("{}", value) : std::string{"-"};
  };
  for (const end_of& e : ends_) {
    const trace::agreement& a = e.agreed;
    const std::string number = fmt::format("c{}", e.number);
    limits.add({number, shown(a.ic_response, a.header_digest ? "on" : "off"),
                shown(a.ic_response, a.data_digest ? "on" : "off"), shown(a.ic_request, a.maxr2t),
                shown(a.ic_response, a.maxh2cdata), shown(a.connect, a.sqsize),
                a.connect ? fmt::format("{} ms", a.kato_ms) : "-",
                a.cntlid ? fmt::format("{:#x}", *a.cntlid) : "-", shown(a.identified, a.mdts),
                shown(a.identified, a.ioccsz)});
    if (!a.subsystem_nqn.empty())
      names.add({number, shown_name(a.host_nqn), shown_name(a.subsystem_nqn)});
  }
  out += look(tone::strong, "Agreed") + "\n" + limits.str();
  if (!names.empty()) out += look(tone::strong, "Host and subsystem") + "\n" + names.str();
}

const trace::agreement* statistics::identified(const end_of& e) const {
  if (e.agreed.identified) return &e.agreed;
  const auto same = [&](const end_of& other) {
    const trace::agreement &a = e.agreed, &b = other.agreed;
    return b.identified && a.cntlid && a.cntlid == b.cntlid && a.host_nqn == b.host_nqn &&
           a.subsystem_nqn == b.subsystem_nqn;
  };
  const auto found = std::ranges::find_if(ends_, same);
  return found != ends_.end() ? &found->agreed : nullptr;
}

// What was used of a limit, "12 of 128"; alone where the limit is not known, or there is none.
void statistics::add_reached(std::string& out, const style& look) const {
  text_table t(2);
  t.add({"", "PDU >", "PDU <", "outstanding", "R2Ts at once", "H2CData", "transfer", "in capsule",
         "R2T/write", "C2H/read"});
  for (std::size_t right = 1; right < 10; ++right) t.align_right(right);
  const auto of = [](std::uint64_t used, bool known, std::uint64_t most) {
    return known ? fmt::format("{} of {}", used, most) : fmt::format("{}", used);
  };
  for (const end_of& e : ends_) {
    const trace::agreement& a = e.agreed;
    const reached_limits& r = e.reached;
    const trace::agreement* const told = identified(e);
    const bool io = a.connect && a.qid > 0;
    // MDTS counts in the smallest pages, which are 4 KiB over fabrics unless CAP says more.
    const bool mdts = told != nullptr && told->mdts > 0 && told->mdts < 32;
    const bool capsules = told != nullptr && io && told->ioccsz >= 4;
    t.add({fmt::format("c{}", e.number), fmt::format("{}", r.pdu[0]), fmt::format("{}", r.pdu[1]),
           of(r.outstanding, a.connect, a.sqsize),
           of(r.r2ts, a.ic_request, std::uint64_t{a.maxr2t} + 1),
           of(r.h2c_data, a.ic_response, a.maxh2cdata),
           of(r.transfer, mdts, mdts ? std::uint64_t{4096} << told->mdts : 0),
           of(r.in_capsule, capsules, capsules ? std::uint64_t{told->ioccsz} * 16 - 64 : 0),
           per(r.r2t_pdus, r.writes), per(r.c2h_pdus, r.reads)});
  }
  out += look(tone::strong, "Reached") + "\n" + t.str();
}

void statistics::add_rows(std::string& out, const style& look) const {
  out += look(tone::strong, "Commands") + "\n";
  text_table t(2);
  t.add({"", "queue", "command", "count", "failed", "open", "bytes", "r2t", "data", "p50", "p90",
         "p99", "p99.9", "max"});
  for (std::size_t right = 3; right < 14; ++right) t.align_right(right);
  const auto show = [&](const row& r, std::string conn, std::string queue) {
    std::vector<std::string> cells{std::move(conn),
                                   std::move(queue),
                                   r.name,
                                   fmt::format("{}", r.count),
                                   fmt::format("{}", r.failed),
                                   fmt::format("{}", r.unanswered),
                                   fmt::format("{}", r.bytes),
                                   per(r.r2ts, r.count),
                                   per(r.data_pdus, r.count)};
    for (const auto& [name, share] : shares)
      cells.push_back(r.latency_ns.count() == 0 ? ""
                                                : duration_text(r.latency_ns.percentile(share)));
    cells.push_back(r.latency_ns.count() == 0 ? "" : duration_text(r.latency_ns.most()));
    t.add(std::move(cells));
  };
  for (const auto& [place, r] : rows_)
    show(*r, fmt::format("c{}", place.first), queue_text(r->queue_known, r->qid));
  if (ends_.size() > 1 || folded_)
    for (const auto& [key, r] : all_) show(*r, "all", "");
  out += t.str();
  if (folded_) out += "  Rows of further connections are in those of all.\n";
}

void statistics::add_errors(std::string& out, const style& look) const {
  text_table t(2);
  t.align_right(1);
  for (const auto& [key, r] : all_)
    for (const auto& [code, count] : r->errors)
      t.add({r->name, fmt::format("{}", count),
             to_text(nvme_status::from_field(code), set_of_key(key))});
  if (!t.empty()) out += look(tone::strong, "Errors") + "\n" + t.str();
}

std::string statistics::text(const style& look, bool unicode) const {
  std::string out;
  add_connections(out, look);
  add_agreements(out, look);
  add_reached(out, look);
  out += over_time_.text(look, unicode);
  add_rows(out, look);
  add_errors(out, look);
  return out;
}

json::object statistics::json() const {
  json::object o{{"connections", ends_json_}};
  json::array commands;
  const auto add_row = [&](const row& r, json::object place, std::size_t key) {
    json::array errors;
    for (const auto& [code, count] : r.errors)
      errors.push_back(
          json::object{{"status", status_json(nvme_status::from_field(code), set_of_key(key))},
                       {"count", count}});
    json::object one = std::move(place);
    one["command"] = r.name;
    one["count"] = r.count;
    one["failed"] = r.failed;
    one["unanswered"] = r.unanswered;
    one["bytes"] = r.bytes;
    one["r2ts"] = r.r2ts;
    one["data_pdus"] = r.data_pdus;
    one["latency_ns"] = latency_json(r.latency_ns);
    one["errors"] = std::move(errors);
    commands.push_back(std::move(one));
  };
  for (const auto& [place, r] : rows_) {
    json::object where{{"connection", place.first}};
    if (r->queue_known) where["qid"] = r->qid;
    add_row(*r, std::move(where), place.second);
  }
  for (const auto& [key, r] : all_) add_row(*r, {{"connection", nullptr}}, key);
  o["commands"] = std::move(commands);
  if (!over_time_.empty()) o["over_time"] = over_time_.json();
  json::object record = trace_record("statistics");
  record["statistics"] = std::move(o);
  return record;
}

}  // namespace nvmf::cli
