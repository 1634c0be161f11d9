// SPDX-License-Identifier: BSD-2-Clause
#include "json_view.hpp"

#include <fmt/format.h>

#include <nvmf/status.hpp>

#include "render/fields.hpp"
#include "render/json.hpp"
#include "render/status.hpp"
#include "tracing/pdu_text.hpp"
#include "wire/commands.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/uuid.hpp"

namespace nvmf::cli {

namespace {

namespace json = boost::json;

std::string_view way_name(trace::way w) {
  return w == trace::way::to_controller ? "to-controller" : "to-host";
}

std::string_view fate_name(trace::fate f) {
  constexpr std::string_view names[] = {"completed", "success-flag", "replaced", "connection-ended",
                                        "capture-ended"};
  return names[static_cast<std::size_t>(f)];
}

std::string_view digest_name(trace::digest_state s) {
  constexpr std::string_view names[] = {"none", "good", "bad", "unknown"};
  return names[static_cast<std::size_t>(s)];
}

// What every record begins with; `what` stands under the name of its kind.
json::object record_json(std::string_view kind, const trace::stamp& at, const trace::connection& c,
                         json::object what, std::optional<std::uint16_t> cid = std::nullopt) {
  json::object o = trace_record(kind);
  o["time_ns"] = at.ns;
  o["frame"] = at.packet;
  o["connection"] = c.number();
  if (c.queue_known()) o["qid"] = c.qid();
  if (cid) o["cid"] = *cid;
  o[kind] = std::move(what);
  return o;
}

void optional_json(json::object& o, std::string_view key, std::optional<std::int64_t> v) {
  if (v) o[key] = *v;
}

json::object agreed_json(const trace::agreement& a) {
  json::object o;
  if (a.ic_request) {
    o["hpda"] = a.hpda;
    o["maxr2t"] = a.maxr2t;
  }
  if (a.ic_response) {
    o["cpda"] = a.cpda;
    o["maxh2cdata"] = a.maxh2cdata;
    o["header_digest"] = a.header_digest;
    o["data_digest"] = a.data_digest;
  }
  if (a.connect) {
    o["qid"] = a.qid;
    o["sqsize"] = a.sqsize;
    o["kato_ms"] = a.kato_ms;
    o["sq_flow_control"] = !a.no_sq_flow_control;
    wire::uuid id;
    std::ranges::copy(a.host_id, id.bytes.begin());
    o["host_id"] = to_text(id);
    o["host_nqn"] = json_text(a.host_nqn);
    o["subsystem_nqn"] = json_text(a.subsystem_nqn);
  }
  if (a.cntlid) o["cntlid"] = *a.cntlid;
  if (a.identified) {
    o["mdts"] = a.mdts;
    o["ioccsz"] = a.ioccsz;
    o["iorcsz"] = a.iorcsz;
    o["maxcmd"] = a.maxcmd;
  }
  return o;
}

}  // namespace

json::object trace_record(std::string_view kind) {
  return {{"schema", trace_schema}, {"record", kind}};
}

json::object connection_json(const trace::connection& c) {
  const trace::connection_counts& n = c.counts();
  return {{"host", to_text(c.host())},
          {"controller", to_text(c.controller())},
          {"agreed", agreed_json(c.agreed())},
          {"commands", n.commands},
          {"completions", n.completions},
          {"failed", n.failed},
          {"pdus", n.pdus},
          {"bytes_to_controller", n.bytes[0]},
          {"bytes_to_host", n.bytes[1]},
          {"most_outstanding", c.most_outstanding()},
          {"digests",
           {{"good", n.digests_good}, {"bad", n.digests_bad}, {"unknown", n.digests_unknown}}},
          {"notices", n.notices}};
}

void json_view::put(picker::answer what, const sight& s, const json::object& o) {
  out_.put(what, s, json_line(o));
}

void json_view::on_connection(const trace::connection& c) {
  const sight s{.on = c};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  put(what, s,
      record_json("opened", c.begun(), c,
                  {{"host", to_text(c.host())},
                   {"controller", to_text(c.controller())},
                   {"fabric", c.carried_by() == trace::fabric::rdma ? "rdma" : "tcp"}}));
}

void json_view::on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) {
  if (verbosity_ == 0) return;
  const sight s{.on = c, .of = of, .pdu = p.type};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  const wire::layout* form = trace::form_of(p);
  json::object o;
  o["way"] = way_name(p.going);
  o["type"] = form != nullptr ? json::value(form->name) : json::value();
  o["header"] = form != nullptr ? fields_json(*form, p.header) : json::object{{"type", p.type}};
  o["data_bytes"] = p.data_bytes;
  if (p.bytes_missing > 0) o["bytes_missing"] = p.bytes_missing;
  o["header_digest"] = digest_name(p.header_digest);
  o["data_digest"] = digest_name(p.data_digest);
  if (verbosity_ > 1) o["data"] = hex_text(p.data);
  const auto cid = of != nullptr ? std::optional{of->cid} : std::nullopt;
  put(what, s, record_json("pdu", p.ended, c, std::move(o), cid));
}

void json_view::on_completion(const trace::connection& c, const trace::command& k,
                              const trace::completion& done, const trace::pdu* by) {
  const sight s{.on = c,
                .of = &k,
                .done = &done,
                .pdu = by != nullptr ? std::optional{by->type} : std::nullopt};
  out_.settle(s);
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  const auto info = wire::command_of_sqe(k.admin, k.opcode(), k.fctype());
  json::object o;
  o["name"] = info.name.empty() ? to_text(info) : std::string{info.name};
  o["opcode"] = k.opcode();
  if (k.whole) o["sqe"] = fields_json(wire::sqe_form(k.sqe, k.admin), k.sqe);
  o["in_capsule"] = k.in_capsule;
  o["bytes_to_controller"] = k.in_capsule + k.h2c_bytes;
  o["bytes_to_host"] = k.c2h_bytes;
  o["r2ts"] = k.r2ts;
  o["h2c_pdus"] = k.h2c_pdus;
  o["c2h_pdus"] = k.c2h_pdus;
  o["digest_errors"] = k.bad_digests;
  o["fate"] = fate_name(done.how);
  if (done.answered()) {
    const trace::latency_parts l = latency_of(k, done);
    o["status"] = status_json(nvme_status::from_field(done.status & 0x7fff), set_of(k.opcode()));
    o["completed_frame"] = done.at.packet;
    o["latency_ns"] = l.total;
    optional_json(o, "to_r2t_ns", l.to_r2t);
    optional_json(o, "to_data_ns", l.to_data);
    optional_json(o, "data_ns", l.data);
    optional_json(o, "to_end_ns", l.to_end);
  }
  if (!done.cqe.empty()) o["cqe"] = fields_json(wire::cqe_form(k.sqe, k.admin, done.cqe), done.cqe);
  put(what, s, record_json("command", k.sent, c, std::move(o), k.cid));
}

void json_view::on_notice(const trace::connection& c, const trace::notice& n) {
  const sight s{.on = c, .pdu = n.about != nullptr ? std::optional{n.about->type} : std::nullopt};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  put(what, s,
      record_json("notice", n.at, c,
                  {{"way", way_name(n.going)},
                   {"name", name_of(n.kind)},
                   {"text", json_text(notice_text(n))}}));
}

void json_view::on_violation(const trace::connection& c, const trace::violation& v) {
  const sight s{.on = c, .pdu = v.pdu, .broken = &v};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  const trace::rule_row& row = row_of(v.id);
  json::object shown{{"field", v.shown.field}, {"allowed", to_text(v.shown.allowed)}};
  if (v.shown.seen) shown["seen"] = *v.shown.seen;
  json::object o{
      {"way", way_name(v.going)}, {"rule", row.name},   {"severity", name_of(row.weight)},
      {"by", name_of(v.by)},      {"offset", v.offset}, {"evidence", std::move(shown)},
      {"section", row.section}};
  put(what, s, record_json("violation", v.at, c, std::move(o), v.cid));
}

void json_view::on_suspension(const trace::connection& c, const trace::suspension& why) {
  const sight s{.on = c};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  put(what, s,
      record_json(
          "rules-suspended", why.at, c,
          {{"way", way_name(why.going)}, {"why", name_of(why.why)}, {"text", to_text(why)}}));
}

void json_view::on_end(const trace::connection& c, const trace::stamp& at, bool closed) {
  out_.forget(c.number());
  const sight s{.on = c};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  json::object o = connection_json(c);
  o["closed"] = closed;
  put(what, s, record_json("ended", at, c, std::move(o)));
}

}  // namespace nvmf::cli
