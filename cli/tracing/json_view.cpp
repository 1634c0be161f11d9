// SPDX-License-Identifier: BSD-2-Clause
#include "json_view.hpp"

#include <fmt/format.h>

#include <nvmf/status.hpp>

#include "render/fields.hpp"
#include "render/json.hpp"
#include "render/status.hpp"
#include "trace/rdma/rdma_facts.hpp"
#include "tracing/clock_text.hpp"
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
  const sight s{.on = c, .ns = c.begun().ns};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  put(what, s,
      record_json("opened", c.begun(), c,
                  {{"host", to_text(c.host())},
                   {"controller", to_text(c.controller())},
                   {"fabric", name_of(c.carried_by())}}));
}

void json_view::begin(std::string_view kind, const trace::stamp& at, const trace::connection& c,
                      std::optional<std::uint16_t> cid) {
  line_.clear();
  line_.literal("{\"schema\": \"");
  add(trace_schema);
  line_.literal("\", \"record\": \"");
  add(kind);
  line_.literal("\", \"time_ns\": ");
  line_.signed_number(at.ns);
  add(", \"frame\": ", at.packet);
  add(", \"connection\": ", c.number());
  if (c.queue_known()) add(", \"qid\": ", c.qid());
  if (cid) add(", \"cid\": ", *cid);
  line_.literal(", \"");
  add(kind);
  line_.literal("\": ");
}

void json_view::end(picker::answer what, const sight& s) {
  line_.literal("}\n");
  out_.put(what, s, line_.view());
}

void json_view::add_latency(const trace::command& k, const trace::completion& done) {
  const trace::latency_parts l = latency_of(k, done);
  const auto part = [this](const auto& key, std::optional<std::int64_t> ns) {
    if (!ns) return;
    line_.literal(key);
    line_.signed_number(*ns);
  };
  part(", \"latency_ns\": ", l.total);
  part(", \"to_r2t_ns\": ", l.to_r2t);
  part(", \"to_data_ns\": ", l.to_data);
  part(", \"data_ns\": ", l.data);
  part(", \"to_end_ns\": ", l.to_end);
}

void json_view::add_status(const trace::command& k, const trace::completion& done) {
  const status_set set = set_of(k.opcode());
  const auto status = static_cast<std::uint16_t>(done.status & 0x7fff);
  const std::uint32_t key = static_cast<std::uint32_t>(set) << 16 | status;
  if (last_status_ == nullptr || last_key_ != key) {
    kept_text& text = statuses_[key];
    if (text.size() == 0) {
      const std::string made = json_line(status_json(nvme_status::from_field(status), set));
      text = kept_text{", \"status\": " + made.substr(0, made.size() - 1)};
    }
    last_key_ = key;
    last_status_ = &text;
  }
  line_.append(*last_status_);
}

void json_view::on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) {
  if (verbosity_ == 0) return;
  const sight s{.on = c, .of = of, .pdu = p.type, .ns = p.ended.ns};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  const wire::layout* form = trace::form_of(p);
  begin("pdu", p.ended, c, of != nullptr ? std::optional{of->cid} : std::nullopt);
  line_.literal("{\"way\": \"");
  add(way_name(p.going));
  line_.literal("\", \"type\": ");
  if (form != nullptr) {
    line_.literal("\"");
    add(form->name);
    line_.literal("\", \"header\": ");
    fields_.append(line_, *form, p.header);
  } else {
    line_.literal("null, \"header\": {\"type\": ");
    line_.number(p.type);
    line_.literal("}");
  }
  add(", \"data_bytes\": ", p.data_bytes);
  if (p.bytes_missing > 0) add(", \"bytes_missing\": ", p.bytes_missing);
  if (p.rdma != nullptr && p.rdma->private_data == nullptr) add_rdma(*p.rdma);
  line_.literal(", \"header_digest\": \"");
  add(digest_name(p.header_digest));
  line_.literal("\", \"data_digest\": \"");
  add(digest_name(p.data_digest));
  line_.literal("\"");
  if (verbosity_ > 1) {
    line_.literal(", \"data\": \"");
    add(hex_text(p.data));
    line_.literal("\"");
  }
  line_.literal("}");
  end(what, s);
}

void json_view::add_rdma(const trace::rdma_facts& r) {
  if (r.inside) {
    line_.literal(", \"rdma\": {\"inside\": true");
  } else {
    line_.literal(", \"rdma\": {\"qp\": ");
    line_.number(r.qp);
    add(", \"psn\": ", r.psn);
  }
  if (r.key) {
    add(", \"key\": ", *r.key);
    add(", \"address\": ", r.address);
  }
  if (r.invalidated) add(", \"invalidated\": ", *r.invalidated);
  line_.literal("}");
}

void json_view::on_work(const trace::connection& c, const trace::work& w,
                        const trace::command* of) {
  if (verbosity_ == 0 && w.trouble.empty()) return;
  const sight s{.on = c, .of = of, .ns = w.done.ns};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  json::object o{{"kind", json_text(w.kind)},
                 {"way", way_name(w.going)},
                 {"bytes", w.bytes},
                 {"posted_ns", w.posted.ns}};
  if (w.key) o["key"] = *w.key;
  if (w.key && w.address != 0) o["address"] = w.address;
  if (!w.trouble.empty()) o["trouble"] = json_text(w.trouble);
  put(what, s, record_json("work", w.done, c, std::move(o), w.cid));
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
  begin("command", k.sent, c, k.cid);
  line_.literal("{\"name\": \"");
  add(known_.of(k).name);
  line_.literal("\", \"opcode\": ");
  line_.number(k.opcode());
  if (k.whole) {
    line_.literal(", \"sqe\": ");
    fields_.append(line_, wire::sqe_form(k.sqe, k.admin), k.sqe);
  }
  add(", \"in_capsule\": ", k.in_capsule);
  add(", \"bytes_to_controller\": ", k.in_capsule + k.h2c_bytes);
  add(", \"bytes_to_host\": ", k.c2h_bytes);
  add(", \"r2ts\": ", k.r2ts);
  add(", \"h2c_pdus\": ", k.h2c_pdus);
  add(", \"c2h_pdus\": ", k.c2h_pdus);
  add(", \"digest_errors\": ", k.bad_digests);
  line_.literal(", \"fate\": \"");
  add(fate_name(done.how));
  line_.literal("\"");
  if (done.answered()) {
    add_status(k, done);
    add(", \"completed_frame\": ", done.at.packet);
    add_latency(k, done);
  }
  if (!done.cqe.empty()) {
    line_.literal(", \"cqe\": ");
    fields_.append(line_, wire::cqe_form(k.sqe, k.admin, done.cqe), done.cqe);
  }
  line_.literal("}");
  end(what, s);
}

void json_view::on_notice(const trace::connection& c, const trace::notice& n) {
  const sight s{.on = c,
                .pdu = n.about != nullptr ? std::optional{n.about->type} : std::nullopt,
                .ns = n.at.ns};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  put(what, s,
      record_json("notice", n.at, c,
                  {{"way", way_name(n.going)},
                   {"name", name_of(n.kind)},
                   {"text", json_text(notice_text(n))}}));
}

void json_view::on_violation(const trace::connection& c, const trace::violation& v) {
  const sight s{.on = c, .pdu = v.pdu, .broken = &v, .ns = v.at.ns};
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
  const sight s{.on = c, .ns = why.at.ns};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  put(what, s,
      record_json(
          "rules-suspended", why.at, c,
          {{"way", way_name(why.going)}, {"why", name_of(why.why)}, {"text", to_text(why)}}));
}

void json_view::on_end(const trace::connection& c, const trace::stamp& at, bool closed) {
  out_.forget(c.number());
  const sight s{.on = c, .ns = at.ns};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  json::object o = connection_json(c);
  o["closed"] = closed;
  if (closed && c.left_first())
    o["closed_by"] = *c.left_first() == trace::way::to_controller ? "host" : "controller";
  put(what, s, record_json("ended", at, c, std::move(o)));
}

}  // namespace nvmf::cli
