// SPDX-License-Identifier: BSD-2-Clause
#include "text_view.hpp"

#include <fmt/format.h>

#include "tracing/pdu_text.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/numbers.hpp"

namespace nvmf::cli {

namespace {

std::string_view arrow(trace::way w) { return w == trace::way::to_controller ? ">" : "<"; }

}  // namespace

void text_view::begin(const trace::connection& c, std::int64_t ns, std::string_view sign) {
  line_.clear();
  clock_.append(line_, ns);
  line_.literal(" c");
  line_.number(c.number());
  if (c.queue_known()) {
    line_.literal(" q");
    line_.number(c.qid());
  }
  line_.push_back(' ');
  add(sign);
  line_.push_back(' ');
}

void text_view::put(picker::answer what, const sight& s) {
  line_.push_back('\n');
  out_.put(what, s, line_.view());
}

void text_view::on_connection(const trace::connection& c) {
  clock_.start(c.begun().ns);
  const sight s{.on = c, .ns = c.begun().ns};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, c.begun().ns, "*");
  add(ends_text(c));
  put(what, s);
}

void text_view::on_command(const trace::connection& c, const trace::command& k,
                           const trace::pdu& p) {
  const sight s{.on = c, .of = &k, .pdu = p.type};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, p.ended.ns, ">");
  capsules_.append_command(line_, c, k);
  if (verbosity_ > 0) add_details(p, &k, nullptr);
  put(what, s);
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
  capsules_.append_completion(line_, k, done);
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
  const sight s{.on = c, .of = of, .pdu = p.type, .ns = p.ended.ns};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, p.ended.ns, arrow(p.going));
  if (of != nullptr) capsule_text::append_cid(line_, of->cid);
  add(pdu_line(p));
  if (type == wire::pdu_type::icresp && p.rdma == nullptr) add_agreement(c.agreed());
  if (verbosity_ > 0) add_details(p, of, nullptr);
  put(what, s);
}

void text_view::add_details(const trace::pdu& p, const trace::command* of,
                            const trace::completion* done) {
  line_.push_back('\n');
  add(pdu_details(p, of, done, verbosity_ > 1));
  // put() ends the line.
  if (line_.view().ends_with('\n')) line_.cut(line_.size() - 1);
}

void text_view::on_notice(const trace::connection& c, const trace::notice& n) {
  const sight s{.on = c,
                .pdu = n.about != nullptr ? std::optional{n.about->type} : std::nullopt,
                .ns = n.at.ns};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, n.at.ns, "!");
  capsules_.append(line_, tone::warning, notice_text(n));
  put(what, s);
}

// One that failed is told in any case.
void text_view::on_work(const trace::connection& c, const trace::work& w,
                        const trace::command* of) {
  if (verbosity_ == 0 && w.trouble.empty()) return;
  const sight s{.on = c, .of = of, .ns = w.done.ns};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, w.done.ns, w.trouble.empty() ? "." : "!");
  if (w.cid) capsule_text::append_cid(line_, *w.cid);
  if (w.trouble.empty())
    add(work_text(w));
  else
    capsules_.append(line_, tone::bad, work_text(w));
  put(what, s);
}

void text_view::on_violation(const trace::connection& c, const trace::violation& v) {
  const sight s{.on = c, .pdu = v.pdu, .broken = &v, .ns = v.at.ns};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, v.at.ns, "!");
  if (v.cid) capsule_text::append_cid(line_, *v.cid);
  const bool error = row_of(v.id).weight == trace::severity::error;
  capsules_.append(line_, error ? tone::bad : tone::warning,
                   fmt::format("{} (frame {})", to_text(v), v.at.packet));
  put(what, s);
}

void text_view::on_suspension(const trace::connection& c, const trace::suspension& why) {
  const sight s{.on = c, .ns = why.at.ns};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, why.at.ns, "!");
  capsules_.append(line_, tone::warning, to_text(why));
  put(what, s);
}

void text_view::on_end(const trace::connection& c, const trace::stamp& at, bool closed) {
  out_.forget(c.number());
  const sight s{.on = c, .ns = at.ns};
  const auto what = out_.wants(s);
  if (what == picker::answer::no) return;
  begin(c, at.ns, "*");
  const trace::connection_counts& n = c.counts();
  fmt::format_to(std::back_inserter(line_), "{}: {} commands, {} failed, {} bytes > {} bytes <",
                 closed ? closed_words(c) : "the capture ends", n.commands, n.failed, n.bytes[0],
                 n.bytes[1]);
  put(what, s);
}

}  // namespace nvmf::cli
