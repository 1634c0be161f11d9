// SPDX-License-Identifier: BSD-2-Clause
#include "capsule_text.hpp"

#include <nvmf/status.hpp>

#include "render/status.hpp"
#include "tracing/clock_text.hpp"
#include "tracing/pdu_text.hpp"
#include "wire/layouts/forms.hpp"

namespace nvmf::cli {

namespace {

using namespace std::string_view_literals;

void append_latency(fmt::memory_buffer& to, const trace::command& k,
                    const trace::completion& done) {
  const trace::latency_parts l = latency_of(k, done);
  to.append(", "sv);
  append_duration(to, l.total);
  std::string_view before = " = ";
  const auto part = [&](std::string_view name, std::optional<std::int64_t> ns) {
    if (!ns) return;
    to.append(before);
    to.append(name);
    append_duration(to, *ns);
    before = " + ";
  };
  part("r2t ", l.to_r2t);
  part("wait ", l.to_data);
  part("data ", l.data);
  part("end ", l.to_end);
}

}  // namespace

void capsule_text::append(fmt::memory_buffer& to, tone t, std::string_view text) const {
  if (look_.colours())
    to.append(look_(t, text));
  else
    to.append(text);
}

void capsule_text::append_cid(fmt::memory_buffer& to, std::uint16_t cid) {
  constexpr std::string_view digits = "0123456789abcdef";
  const char text[] = {'0',
                       'x',
                       digits[cid >> 12],
                       digits[(cid >> 8) & 15],
                       digits[(cid >> 4) & 15],
                       digits[cid & 15],
                       ' '};
  to.append(std::begin(text), std::end(text));
}

void capsule_text::append_command(fmt::memory_buffer& to, const trace::connection& c,
                                  const trace::command& k) {
  append_cid(to, k.cid);
  known_commands::known& about = known_.of(k);
  append(to, tone::name, about.name);
  about.fields.append(to, trace::byte_span{k.sqe}.first(k.whole ? 64 : 0));
  if (!k.whole) to.append(" (cut off in the capture)"sv);
  if (k.in_capsule > 0)
    fmt::format_to(std::back_inserter(to), ", {} bytes in the capsule", k.in_capsule);
  if (k.whole && is_connect(k) && !c.agreed().host_nqn.empty())
    fmt::format_to(std::back_inserter(to), " hostnqn={} subnqn={}", shown_name(c.agreed().host_nqn),
                   shown_name(c.agreed().subsystem_nqn));
}

void capsule_text::append_result(fmt::memory_buffer& to, const trace::command& k,
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
    to.append(done.how == trace::fate::success ? "ok by SUCCESS flag"sv : "ok"sv);
  // What the command answers with, when that is not zero.
  if (!done.cqe.empty() && k.whole && wire::load_le(done.cqe, 0, 8) != 0) {
    line_fields result(wire::cqe_form(k.sqe, k.admin, done.cqe), 0, 8);
    result.append(to, done.cqe);
  }
  if (k.bytes() > 0) {
    to.append(", "sv);
    append_number(to, k.bytes());
    to.append(" bytes"sv);
  }
  if (k.bad_digests > 0) {
    to.append(", "sv);
    append(to, tone::bad, fmt::format("{} digests wrong", k.bad_digests));
  }
}

void capsule_text::append_completion(fmt::memory_buffer& to, const trace::command& k,
                                     const trace::completion& done) {
  append_cid(to, k.cid);
  append(to, tone::name, known_.of(k).name);
  to.push_back(' ');
  append_result(to, k, done);
  if (done.answered()) append_latency(to, k, done);
}

}  // namespace nvmf::cli
