// SPDX-License-Identifier: BSD-2-Clause
#include "text_view.hpp"

#include <nvmf/status.hpp>

#include "render/status.hpp"
#include "tracing/pdu_text.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/numbers.hpp"

namespace nvmf::cli {

namespace {

std::string_view arrow(trace::way w) { return w == trace::way::to_controller ? ">" : "<"; }

}  // namespace

void text_view::add(tone t, std::string_view text) {
  if (look_.colours())
    line_.append(look_(t, text));
  else
    line_.append(text);
}

void text_view::begin(const trace::connection& c, std::int64_t ns, std::string_view sign) {
  line_.clear();
  clock_.append(line_, ns);
  add(" c");
  append_number(line_, c.number());
  if (c.queue_known()) {
    add(" q");
    append_number(line_, c.qid());
  }
  line_.push_back(' ');
  add(sign);
  line_.push_back(' ');
}

void text_view::put(picker::answer what, const sight& s) {
  line_.push_back('\n');
  out_.put(what, s, {line_.data(), line_.size()});
}

void text_view::add_cid(std::uint16_t cid) {
  constexpr std::string_view digits = "0123456789abcdef";
  const char text[] = {'0',
                       'x',
                       digits[cid >> 12],
                       digits[(cid >> 8) & 15],
                       digits[(cid >> 4) & 15],
                       digits[cid & 15],
                       ' '};
  line_.append(std::begin(text), std::end(text));
}

void text_view::on_connection(const trace::connection& c) {
  clock_.start(c.begun().ns);
  const sight s{.on = c};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, c.begun().ns, "*");
  fmt::format_to(std::back_inserter(line_), "host {} controller {}", to_text(c.host()),
                 to_text(c.controller()));
  put(what, s);
}

void text_view::on_command(const trace::connection& c, const trace::command& k,
                           const trace::pdu& p) {
  const sight s{.on = c, .of = &k, .pdu = p.type};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, p.ended.ns, ">");
  add_cid(k.cid);
  known_commands::known& about = known_.of(k);
  add(tone::name, about.name);
  about.fields.append(line_, trace::byte_span{k.sqe}.first(k.whole ? 64 : 0));
  if (!k.whole) add(" (cut off in the capture)");
  if (k.in_capsule > 0)
    fmt::format_to(std::back_inserter(line_), ", {} bytes in the capsule", k.in_capsule);
  if (k.whole && is_connect(k) && !c.agreed().host_nqn.empty())
    fmt::format_to(std::back_inserter(line_), " hostnqn={} subnqn={}",
                   shown_name(c.agreed().host_nqn), shown_name(c.agreed().subsystem_nqn));
  if (verbosity_ > 0) add_details(p, &k, nullptr);
  put(what, s);
}

void text_view::add_latency(const trace::command& k, const trace::completion& done) {
  const trace::latency_parts l = latency_of(k, done);
  add(", ");
  append_duration(line_, l.total);
  std::string_view before = " = ";
  const auto part = [&](std::string_view name, std::optional<std::int64_t> ns) {
    if (!ns) return;
    add(before);
    add(name);
    append_duration(line_, *ns);
    before = " + ";
  };
  part("r2t ", l.to_r2t);
  part("wait ", l.to_data);
  part("data ", l.data);
  part("end ", l.to_end);
}

void text_view::add_result(const trace::command& k, const trace::completion& done) {
  switch (done.how) {
    case trace::fate::replaced:
      return add(tone::bad, "no completion was seen, and its CID came again");
    case trace::fate::ended:
      return add(tone::bad, "no completion: the connection ended");
    case trace::fate::left:
      return add(tone::warning, "no completion in the capture");
    case trace::fate::completed:
    case trace::fate::success:
      break;
  }
  if (done.failed())
    add(tone::bad, to_text(nvme_status::from_field(done.status & 0x7fff), set_of(k.opcode())));
  else
    add(done.how == trace::fate::success ? "ok by SUCCESS flag" : "ok");
  // What the command answers with, when that is not zero.
  if (!done.cqe.empty() && k.whole && wire::load_le(done.cqe, 0, 8) != 0) {
    line_fields result(wire::cqe_form(k.sqe, k.admin, done.cqe), 0, 8);
    result.append(line_, done.cqe);
  }
  if (k.bytes() > 0) {
    add(", ");
    append_number(line_, k.bytes());
    add(" bytes");
  }
  if (k.bad_digests > 0) {
    add(", ");
    add(tone::bad, fmt::format("{} digests wrong", k.bad_digests));
  }
}

void text_view::on_completion(const trace::connection& c, const trace::command& k,
                              const trace::completion& done, const trace::pdu* by) {
  const sight s{.on = c,
                .of = &k,
                .done = &done,
                .pdu = by != nullptr ? std::optional{by->type} : std::nullopt};
  out_.settle(s);
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, done.at.ns, done.answered() ? "<" : "!");
  add_cid(k.cid);
  add(tone::name, known_.of(k).name);
  line_.push_back(' ');
  add_result(k, done);
  if (done.answered()) add_latency(k, done);
  if (verbosity_ > 0 && done.how == trace::fate::completed && by != nullptr)
    add_details(*by, &k, &done);
  put(what, s);
}

void text_view::add_agreement(const trace::agreement& a) {
  fmt::format_to(std::back_inserter(line_), ", header digest {}, data digest {}",
                 a.header_digest ? "on" : "off", a.data_digest ? "on" : "off");
}

void text_view::on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) {
  const auto type = static_cast<wire::pdu_type>(p.type);
  const bool capsule = type == wire::pdu_type::capsule_cmd || type == wire::pdu_type::capsule_resp;
  if (capsule && of != nullptr) return;  // its command or completion has a line
  const bool data = type == wire::pdu_type::r2t || type == wire::pdu_type::h2c_data ||
                    type == wire::pdu_type::c2h_data;
  // Of a response to nobody a notice says more.
  if ((data || type == wire::pdu_type::capsule_resp) && verbosity_ == 0) return;
  const sight s{.on = c, .of = of, .pdu = p.type};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, p.ended.ns, arrow(p.going));
  if (of != nullptr) add_cid(of->cid);
  add(pdu_line(p));
  if (type == wire::pdu_type::icresp) add_agreement(c.agreed());
  if (verbosity_ > 0) add_details(p, of, nullptr);
  put(what, s);
}

void text_view::add_details(const trace::pdu& p, const trace::command* of,
                            const trace::completion* done) {
  line_.push_back('\n');
  add(pdu_details(p, of, done, verbosity_ > 1));
  // put() ends the line.
  if (line_.size() > 0 && line_[line_.size() - 1] == '\n') line_.resize(line_.size() - 1);
}

void text_view::on_notice(const trace::connection& c, const trace::notice& n) {
  const sight s{.on = c, .pdu = n.about != nullptr ? std::optional{n.about->type} : std::nullopt};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, n.at.ns, "!");
  add(tone::warning, notice_text(n));
  put(what, s);
}

void text_view::on_violation(const trace::connection& c, const trace::violation& v) {
  const sight s{.on = c, .pdu = v.pdu, .broken = &v};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, v.at.ns, "!");
  if (v.cid) add_cid(*v.cid);
  const bool error = row_of(v.id).weight == trace::severity::error;
  add(error ? tone::bad : tone::warning, fmt::format("{} (frame {})", to_text(v), v.at.packet));
  put(what, s);
}

void text_view::on_suspension(const trace::connection& c, const trace::suspension& why) {
  const sight s{.on = c};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, why.at.ns, "!");
  add(tone::warning, to_text(why));
  put(what, s);
}

void text_view::on_end(const trace::connection& c, const trace::stamp& at, bool closed) {
  out_.forget(c.number());
  const sight s{.on = c};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, at.ns, "*");
  const trace::connection_counts& n = c.counts();
  fmt::format_to(std::back_inserter(line_), "{}: {} commands, {} failed, {} bytes > {} bytes <",
                 closed ? "closed" : "the capture ends", n.commands, n.failed, n.bytes[0],
                 n.bytes[1]);
  put(what, s);
}

}  // namespace nvmf::cli
