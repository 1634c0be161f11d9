// SPDX-License-Identifier: BSD-2-Clause
#include "filter.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "rule_symbols.hpp"
#include "wire/expression/command_fields.hpp"
#include "wire/expression/guide.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/text_error.hpp"

namespace nvmf::cli {
namespace {

using wire::expression_field;
using wire::field_value;
using wire::value_kind;

using wire::command_fields::connection_names;
using wire::command_fields::host_names;
using wire::command_fields::max32;
constexpr std::array<std::string_view, 1> subsystem_names{"subnqn"};

enum field_number : std::size_t {
  f_cmd,
  f_opcode,
  f_fctype,
  f_conn,
  f_queue,
  f_cid,
  f_nsid,
  f_slba,
  f_nlb,
  f_host,
  f_subsystem,
  f_pdu,
  f_frame,
  f_rule,
  f_severity,
  f_by,
  f_status,
  f_failed,
  f_latency,
  f_bytes,
  f_r2ts,
  f_digest_errors,
  f_count,
};

constexpr std::array fields{
    wire::command_fields::cmd,
    wire::command_fields::opcode,
    wire::command_fields::fctype,
    expression_field{.name = "conn",
                     .title = "number of the connection: the c1, c2 of each line",
                     .example = "2",
                     .max = max32,
                     .also = connection_names},
    wire::command_fields::queue,
    wire::command_fields::cid,
    wire::command_fields::nsid,
    wire::command_fields::slba,
    wire::command_fields::nlb,
    expression_field{.name = "host",
                     .title = "NQN of the host, when its Connect was seen",
                     .kind = value_kind::text,
                     .example = "\"nqn.2014-08.org.example:host\"",
                     .also = host_names},
    expression_field{.name = "subsystem",
                     .title = "NQN of the subsystem, when the Connect was seen",
                     .kind = value_kind::text,
                     .example = "\"nqn.2014-08.org.example:subsystem\"",
                     .also = subsystem_names},
    expression_field{.name = "pdu",
                     .title = "type of the PDU; with it every PDU is asked, not the command",
                     .example = "r2t",
                     .max = 0xff,
                     .symbols = &wire::pdu_types},
    expression_field{.name = "frame",
                     .title = "number of the packet that ended the command's capsule",
                     .example = "1200"},
    expression_field{.name = "rule",
                     .title = "the rule that was broken: of lines about rules only",
                     .kind = value_kind::symbol,
                     .example = "r2t-range",
                     .lookup = lookup_rule,
                     .spell = spell_rule},
    expression_field{.name = "severity",
                     .title = "of that rule",
                     .kind = value_kind::symbol,
                     .example = "error",
                     .lookup = lookup_severity,
                     .spell = spell_severity},
    expression_field{.name = "by",
                     .title = "who broke that rule: host or controller",
                     .kind = value_kind::symbol,
                     .example = "controller",
                     .lookup = lookup_side,
                     .spell = spell_side},
    expression_field{.name = "status",
                     .title = "status of the completion, by name, SCT/SC or number",
                     .kind = value_kind::symbol,
                     .example = "lba-out-of-range",
                     .lookup = wire::lookup_status,
                     .spell = wire::spell_status},
    expression_field{.name = "failed",
                     .title = "the command was answered, and not with success",
                     .kind = value_kind::flag,
                     .example = "true"},
    expression_field{.name = "latency",
                     .title = "from the command's capsule to its completion",
                     .kind = value_kind::duration,
                     .example = "1ms"},
    expression_field{
        .name = "bytes", .title = "data of the command, whichever way it went", .example = "4K"},
    expression_field{
        .name = "r2ts", .title = "R2T PDUs of the command", .example = "1", .max = max32},
    expression_field{.name = "digest-errors",
                     .title = "PDUs of the command whose header or data digest does not match",
                     .example = "1",
                     .max = max32},
};
static_assert(fields.size() == f_count);

// A field of the command by its name in the layout; commands without it have none.
field_value sqe_field(const trace::command& c, std::string_view name) {
  if (!c.whole) return field_value::absent();
  const wire::field* f = wire::sqe_form(c.sqe, c.admin).find(name);
  return f == nullptr ? field_value::absent() : field_value::of(wire::get(c.sqe, *f));
}

field_value text_or_absent(const std::string& s) {
  return s.empty() ? field_value::absent() : field_value::of(std::string_view{s});
}

template <class Part>
field_value of_rule(const sight& s, Part part) {
  if (s.broken == nullptr) return field_value::absent();
  return field_value::of(static_cast<std::uint64_t>(part(*s.broken)));
}

field_value of_command(const trace::command& c, std::size_t number) {
  switch (number) {
    case f_cmd:
      return field_value::of(wire::command_number(c.admin, c.opcode(), c.fctype()));
    case f_opcode:
      return field_value::of(c.opcode());
    case f_fctype:
      return c.opcode() == wire::fabrics_opcode ? field_value::of(c.fctype())
                                                : field_value::absent();
    case f_cid:
      return field_value::of(c.cid);
    case f_nsid:
      return sqe_field(c, "nsid");
    case f_slba:
      return sqe_field(c, "slba");
    case f_nlb:
      return sqe_field(c, "nlb");
    case f_frame:
      return field_value::of(c.sent.packet);
    default:
      return field_value::absent();
  }
}

field_value of_end(const trace::command& c, const trace::completion& done, std::size_t number) {
  switch (number) {
    case f_status:
      return done.answered() ? field_value::of(std::uint64_t{done.status} & 0x7ff)
                             : field_value::absent();
    case f_failed:
      return field_value::of(done.answered() && done.failed() ? 1 : 0);
    case f_latency: {
      const std::int64_t total = latency_of(c, done).total;
      if (!done.answered() || total < 0) return field_value::absent();
      return field_value::of(static_cast<std::uint64_t>(total));
    }
    case f_bytes:
      return field_value::of(c.bytes());
    case f_r2ts:
      return field_value::of(c.r2ts);
    case f_digest_errors:
      return field_value::of(c.bad_digests);
    default:
      return field_value::absent();
  }
}

}  // namespace

std::expected<trace_filter, std::string> trace_filter::parse(std::string_view text) {
  auto condition = wire::expression::parse(text, fields);
  if (!condition)
    return std::unexpected(to_text(condition.error()) + "\n" +
                           wire::caret_text(text, condition.error()));
  trace_filter f;
  f.condition_ = std::move(*condition);
  for (const std::size_t i : {f_status, f_failed, f_latency, f_bytes, f_r2ts, f_digest_errors})
    f.needs_end_ = f.needs_end_ || f.condition_.uses(i);
  return f;
}

bool trace_filter::waits(const sight& s) const {
  return needs_end_ || (window_ != nullptr && !window_->holds(s.of->sent.ns, s.of->sent.ns) &&
                        !window_->is_over(s.of->sent.ns));
}

// A command that goes on is in every window that does not end before it.
bool trace_filter::in_window(const sight& s) const {
  if (window_ == nullptr) return true;
  if (s.of != nullptr)
    return window_->holds(s.of->sent.ns, s.done != nullptr
                                             ? s.done->at.ns
                                             : std::numeric_limits<std::int64_t>::max());
  return !s.ns || window_->holds(*s.ns, *s.ns);
}

bool trace_filter::matches(const sight& s) const {
  if (!in_window(s)) return false;
  return condition_.matches([&](std::size_t number) -> field_value {
    const trace::agreement& agreed = s.on.agreed();
    switch (number) {
      case f_conn:
        return field_value::of(s.on.number());
      case f_queue:
        return s.on.queue_known() ? field_value::of(s.on.qid()) : field_value::absent();
      case f_host:
        return text_or_absent(agreed.host_nqn);
      case f_subsystem:
        return text_or_absent(agreed.subsystem_nqn);
      case f_pdu:
        return s.pdu ? field_value::of(*s.pdu) : field_value::absent();
      case f_rule:
        return of_rule(s, [](const trace::violation& v) { return v.id; });
      case f_severity:
        return of_rule(s, [](const trace::violation& v) { return row_of(v.id).weight; });
      case f_by:
        return of_rule(s, [](const trace::violation& v) { return v.by; });
      case f_cid:
        if (s.of == nullptr && s.broken != nullptr && s.broken->cid)
          return field_value::of(*s.broken->cid);
        break;
      default:
        break;
    }
    if (s.of == nullptr) return field_value::absent();
    if (number < f_status) return of_command(*s.of, number);
    return s.done == nullptr ? field_value::absent() : of_end(*s.of, *s.done, number);
  });
}

const wire::topic& trace_filter_topic() {
  static const wire::topic topic{
      "trace-filter",
      "Trace filters: which commands and PDUs are shown",
      {
          {{},
           "A condition on the command that a line belongs to. When it asks for something that is "
           "known at the end of a command only (status, failed, latency, bytes, r2ts, "
           "digest-errors), all lines of the command are shown together at its end. Lines that "
           "belong to no command have a conn, a queue, the names and a pdu.",
           {}},
          wire::conditions_section(),
          wire::fields_section(fields),
          {"Examples",
           {},
           {
               {"cmd == read && latency > 1ms && conn == 2", "slow Reads of one connection"},
               {"failed", "what did not succeed"},
               {"queue == admin && cmd != keep-alive", "bring-up, without its heartbeat"},
               {"pdu in (r2t, h2c-data)", "with -v: how writes get their data across"},
               {"severity == error || failed", "what went wrong, by rule or by status"},
               {"rule in (r2t-range, r2t-limit)", "R2T PDUs that should not have been"},
               {"host =~ \"web\" && bytes >= 64K", "large transfers of some hosts"},
           }},
      }};
  return topic;
}

}  // namespace nvmf::cli
