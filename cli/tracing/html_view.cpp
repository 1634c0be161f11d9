// SPDX-License-Identifier: BSD-2-Clause
#include "html_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nvmf/status.hpp>

#include "render/status.hpp"
#include "trace/rdma/rdma_facts.hpp"
#include "tracing/pdu_text.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::cli {

namespace {

constexpr std::size_t common = wire::pdu_common.size;

std::uint32_t saturated(std::uint64_t n) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(n, ~std::uint32_t{0}));
}

bool is(const trace::pdu& p, wire::pdu_type type) {
  return p.type == static_cast<std::uint8_t>(type);
}

std::string status_of(std::uint16_t status, const trace::command& k) {
  if ((status & 0x7ff) == 0) return "ok";
  return to_text(nvme_status::from_field(status & 0x7fff), set_of(k.opcode()));
}

// The fields of a PDU, and what NVMe/RDMA has in place of them and besides.
std::string told_fields(const trace::pdu& p) {
  const wire::layout* form = trace::form_of(p);
  std::string out = pdu_fields(p);
  if (form != nullptr && form != wire::pdu_layout(p.type))
    out = fmt::format("{} {}", form->name, out);
  if (p.rdma == nullptr || p.rdma->private_data != nullptr) return out;
  out += fmt::format("{}psn={:#x}", out.empty() ? "" : " ", p.rdma->psn);
  if (p.rdma->key) out += fmt::format(" key={:#x} address={:#x}", *p.rdma->key, p.rdma->address);
  return out;
}

float time_or_none(const std::optional<std::int64_t>& ns) {
  return ns ? static_cast<float>(*ns) : html_command::no_time;
}

}  // namespace

bool html_view::full() const {
  return records_.pdus.size() + waiting_ >= limits_.pdus ||
         records_.texts.bytes() >= limits_.text_bytes;
}

html_view::open_connection* html_view::find(const trace::connection& c) {
  const auto at = open_.find(c.number());
  return at == open_.end() ? nullptr : &at->second;
}

html_view::open_command& html_view::slot(open_connection& on, const trace::command& k) {
  if (on.commands.size() <= k.slot) on.commands.resize(k.slot + 1);
  return on.commands[k.slot];
}

std::uint32_t html_view::form_number(const wire::layout& form) {
  auto& forms = records_.forms;
  const auto at = std::ranges::find(forms, &form);
  if (at != forms.end()) return static_cast<std::uint32_t>(at - forms.begin());
  forms.push_back(&form);
  return static_cast<std::uint32_t>(forms.size() - 1);
}

void html_view::on_connection(const trace::connection& c) {
  open_connection& on = open_[c.number()];
  if (filter_.matches({.on = c, .ns = c.begun().ns})) show(on, c);
}

bool html_view::show(open_connection& on, const trace::connection& c) {
  if (on.index) return true;
  auto& all = records_.connections;
  if (all.size() >= limits_.connections) {
    if (!on.left_out) ++records_.connections_left_out;
    on.left_out = true;
    return false;
  }
  on.index = static_cast<std::uint16_t>(all.size());
  all.push_back(
      {.number = c.number(), .host = to_text(c.host()), .controller = to_text(c.controller())});
  return true;
}

// What a line of text says, without what the record has in numbers.
std::string html_view::text_of(const trace::connection& c, const trace::pdu& p,
                               const trace::command* of) {
  line_buffer line;
  if (of != nullptr && is(p, wire::pdu_type::capsule_cmd)) {
    known_.of(*of).fields.append(line, trace::byte_span{of->sqe}.first(of->whole ? 64 : 0));
    if (of->whole && is_connect(*of) && !c.agreed().host_nqn.empty())
      fmt::format_to(std::back_inserter(line), " hostnqn={} subnqn={}",
                     shown_name(c.agreed().host_nqn), shown_name(c.agreed().subsystem_nqn));
    if (!of->whole) line.append(std::string_view{" cut off in the capture"});
  } else if (of != nullptr && is(p, wire::pdu_type::capsule_resp) &&
             p.header.size() >= wire::pdu_capsule_resp.size) {
    const trace::byte_span cqe = p.header.subspan(common, wire::cqe_layout.size);
    const auto status = static_cast<std::uint16_t>(wire::load_le(cqe, 14, 2) >> 1);
    line.append(std::string_view{" "});
    line.append(status_of(status, *of));
    if (of->whole && wire::load_le(cqe, 0, 8) != 0) {
      line_fields result(wire::cqe_form(of->sqe, of->admin, cqe), 0, 8);
      result.append(line, cqe);
    }
  } else {
    return told_fields(p);
  }
  const std::string_view text = line.view();
  return std::string{text.substr(text.starts_with(' ') ? 1 : 0)};
}

void html_view::on_command(const trace::connection& c, const trace::command& k, const trace::pdu&) {
  open_connection* on = find(c);
  if (on == nullptr) return;
  open_command& to = slot(*on, k);
  to.kept = 0;
  to.record = {.sent_ns = k.sent.ns,
               .name = records_.texts.add(known_.of(k).name),
               .form = form_number(wire::sqe_form(k.opcode(), k.admin, k.fctype())),
               .cid = k.cid};
}

void html_view::on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) {
  ++sequence_;
  open_connection* on = find(c);
  if (on != nullptr) on->last[static_cast<std::size_t>(p.going)] = {p.offset, sequence_};
  const bool later = filter_.needs_end() && of != nullptr;
  if (!later && !filter_.always() &&
      !filter_.matches({.on = c, .of = of, .pdu = p.type, .ns = p.ended.ns}))
    return;
  if (on == nullptr || full()) {
    ++records_.pdus_left_out;
    return;
  }
  const html_pdu shown{
      .sequence = sequence_,
      .ns = p.ended.ns,
      .took_ns = static_cast<float>(p.ended.ns - p.begun.ns),
      .frame = saturated(p.ended.packet),
      .plen = p.plen,
      .data_bytes = p.data_bytes,
      .type = p.type,
      .to_host = p.going == trace::way::to_host,
      .digests = static_cast<std::uint8_t>(static_cast<unsigned>(p.header_digest) |
                                           static_cast<unsigned>(p.data_digest) << 4)};
  open_command* to = of != nullptr ? &slot(*on, *of) : nullptr;
  if (!later) return keep(*on, c, shown, text_of(c, p, of), to);
  ++waiting_;
  to->waiting.emplace_back(shown, text_of(c, p, of));
}

void html_view::keep(open_connection& on, const trace::connection& c, html_pdu p,
                     std::string_view text, open_command* of) {
  if (!show(on, c)) {
    ++records_.pdus_left_out;
    return;
  }
  p.connection = *on.index;
  if (of != nullptr) of->record.connection = *on.index;
  if (of != nullptr && of->kept == 0) {
    records_.commands.push_back(of->record);
    of->kept = static_cast<std::uint32_t>(records_.commands.size());
  }
  p.command = of != nullptr ? of->kept : 0;
  p.text = records_.texts.add(text);
  records_.pdus.push_back(p);
}

void html_view::on_completion(const trace::connection& c, const trace::command& k,
                              const trace::completion& done, const trace::pdu*) {
  open_connection* on = find(c);
  if (on == nullptr) return;
  open_command& of = slot(*on, k);
  waiting_ -= of.waiting.size();
  for (auto& [p, text] : of.waiting) {
    if (!filter_.matches({.on = c, .of = &k, .done = &done, .pdu = p.type})) continue;
    keep(*on, c, p, text, &of);
  }
  of.waiting.clear();
  if (of.kept == 0) return;
  html_command& to = records_.commands[of.kept - 1];
  to.fate = static_cast<std::uint8_t>(done.how);
  to.bytes = k.bytes();
  if (!done.answered()) return;
  to.failed = done.failed();
  to.status = records_.texts.add(status_of(done.status, k));
  const trace::latency_parts l = latency_of(k, done);
  to.latency_ns = static_cast<float>(l.total);
  to.to_r2t_ns = time_or_none(l.to_r2t);
  to.to_data_ns = time_or_none(l.to_data);
  to.data_ns = time_or_none(l.data);
  to.to_end_ns = time_or_none(l.to_end);
}

void html_view::add(open_connection* on, html_finding f, const sight& s, std::uint64_t sequence) {
  if (!filter_.always() && !filter_.matches(s)) return;
  if (on == nullptr || records_.findings.size() >= limits_.findings || !show(*on, s.on)) {
    ++records_.findings_left_out;
    return;
  }
  f.connection = *on->index;
  f.sequence = sequence;
  records_.findings.push_back(std::move(f));
}

void html_view::on_notice(const trace::connection& c, const trace::notice& n) {
  open_connection* on = find(c);
  std::uint64_t sequence = 0;
  if (on != nullptr && n.about != nullptr) {
    const last_pdu& last = on->last[static_cast<std::size_t>(n.going)];
    if (last.offset == n.about->offset) sequence = last.sequence;
  }
  add(on,
      {.severity = "notice",
       .rule = std::string{name_of(n.kind)},
       .text = notice_text(n),
       .ns = n.at.ns,
       .frame = n.at.packet},
      {.on = c,
       .pdu = n.about != nullptr ? std::optional{n.about->type} : std::nullopt,
       .ns = n.at.ns},
      sequence);
}

void html_view::on_violation(const trace::connection& c, const trace::violation& v) {
  open_connection* on = find(c);
  const trace::rule_row& row = row_of(v.id);
  std::uint64_t sequence = 0;
  if (on != nullptr) {
    const last_pdu& last = on->last[static_cast<std::size_t>(v.going)];
    if (last.offset == v.offset) sequence = last.sequence;
  }
  const std::string seen = v.shown.seen ? fmt::format(" is {}", *v.shown.seen) : std::string{};
  add(on,
      {.severity = std::string{name_of(row.weight)},
       .rule = std::string{row.name},
       .by = std::string{name_of(v.by)},
       .text = fmt::format("{}{}, expected {}", v.shown.field, seen, to_text(v.shown.allowed)),
       .section = std::string{row.section},
       .cid = v.cid,
       .ns = v.at.ns,
       .frame = v.at.packet},
      {.on = c, .pdu = v.pdu, .broken = &v, .ns = v.at.ns}, sequence);
}

void html_view::on_suspension(const trace::connection& c, const trace::suspension& s) {
  add(find(c),
      {.severity = "notice",
       .rule = "rules-suspended",
       .text = to_text(s),
       .ns = s.at.ns,
       .frame = s.at.packet},
      {.on = c, .ns = s.at.ns}, 0);
}

void html_view::describe(html_connection& to, const trace::connection& c) const {
  if (c.queue_known()) to.qid = c.qid();
  to.agreed = c.agreed();
  to.counts = c.counts();
  to.depth = c.most_outstanding();
}

void html_view::on_end(const trace::connection& c, const trace::stamp&, bool closed) {
  const open_connection* on = find(c);
  if (on == nullptr) return;
  if (on->index) {
    html_connection& to = records_.connections[*on->index];
    describe(to, c);
    to.closed = closed;
  }
  open_.erase(c.number());
}

const html_records& html_view::records() {
  // PDUs that waited for the end of their command came late.
  if (filter_.needs_end()) std::ranges::sort(records_.pdus, {}, &html_pdu::sequence);
  return records_;
}

}  // namespace nvmf::cli
