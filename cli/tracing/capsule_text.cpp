// SPDX-License-Identifier: BSD-2-Clause
#include "capsule_text.hpp"

#include <fmt/format.h>

#include <nvmf/status.hpp>

#include "render/status.hpp"
#include "tracing/clock_text.hpp"
#include "tracing/pdu_text.hpp"
#include "wire/layouts/forms.hpp"

namespace nvmf::cli {

namespace {

void append_latency(line_buffer& to, const trace::command& k, const trace::completion& done) {
  const trace::latency_parts l = latency_of(k, done);
  to.literal(", ");
  append_duration(to, l.total);
  std::string_view before = " = ";
  const auto part = [&](const auto& name, std::optional<std::int64_t> ns) {
    if (!ns) return;
    to.append(before);
    to.literal(name);
    append_duration(to, *ns);
    before = " + ";
  };
  part("r2t ", l.to_r2t);
  part("wait ", l.to_data);
  part("data ", l.data);
  part("end ", l.to_end);
}

}  // namespace

void capsule_text::append(line_buffer& to, tone t, std::string_view text) const {
  if (look_.colours())
    to.append(look_(t, text));
  else
    to.append(text);
}

void capsule_text::append_cid(line_buffer& to, std::uint16_t cid) {
  constexpr std::string_view digits = "0123456789abcdef";
  const char text[] = {'0',
                       'x',
                       digits[cid >> 12],
                       digits[(cid >> 8) & 15],
                       digits[(cid >> 4) & 15],
                       digits[cid & 15],
                       ' ',
                       '\0'};
  to.literal(text);
}

void capsule_text::append_command(line_buffer& to, const trace::connection& c,
                                  const trace::command& k) {
  append_cid(to, k.cid);
  known_commands::known& about = known_.of(k);
  append(to, tone::name, about.name);
  about.fields.append(to, trace::byte_span{k.sqe}.first(k.whole ? 64 : 0));
  if (!k.whole) to.literal(" (cut off in the capture)");
  if (k.in_capsule > 0) {
    to.literal(", ");
    to.number(k.in_capsule);
    to.literal(" bytes in the capsule");
  }
  if (k.whole && is_connect(k) && !c.agreed().host_nqn.empty())
    fmt::format_to(std::back_inserter(to), " hostnqn={} subnqn={}", shown_name(c.agreed().host_nqn),
                   shown_name(c.agreed().subsystem_nqn));
}

void capsule_text::append_result(line_buffer& to, const trace::command& k,
                                 const trace::completion& done) const {
  switch (done.how) {
    case trace::fate::replaced:
      return append(to, tone::bad, "no completion was seen, and its CID came again");
    case trace::fate::ended:
      return append(to, tone::bad, "no completion: the connection ended");
    case trace::fate::left:
      return append(to, tone::warning, "no completion in the capture");
    case trace::fate::completed:
    case trace::fate::success:
      break;
  }
  if (done.failed())
    append(to, tone::bad,
           to_text(nvme_status::from_field(done.status & 0x7fff), set_of(k.opcode())));
  else
    done.how == trace::fate::success ? to.literal("ok by SUCCESS flag") : to.literal("ok");
  // What the command answers with, when that is not zero.
  if (!done.cqe.empty() && k.whole && wire::load_le(done.cqe, 0, 8) != 0) {
    line_fields result(wire::cqe_form(k.sqe, k.admin, done.cqe), 0, 8);
    result.append(to, done.cqe);
  }
  if (k.bytes() > 0) {
    to.literal(", ");
    to.number(k.bytes());
    to.literal(" bytes");
  }
  if (k.bad_digests > 0) {
    to.literal(", ");
    append(to, tone::bad, fmt::format("{} digests wrong", k.bad_digests));
  }
}

void capsule_text::append_completion(line_buffer& to, const trace::command& k,
                                     const trace::completion& done) {
  append_cid(to, k.cid);
  append(to, tone::name, known_.of(k).name);
  to.push_back(' ');
  append_result(to, k, done);
  if (done.answered()) append_latency(to, k, done);
}

}  // namespace nvmf::cli
