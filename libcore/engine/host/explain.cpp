// SPDX-License-Identifier: BSD-2-Clause
#include "explain.hpp"

#include <fmt/format.h>

#include "explain_parts.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/render_walk.hpp"
#include "wire/tables.hpp"

namespace nvmf::engine {

namespace {

// The value that stands in `bytes` at a field, as people write it.
std::string value_at(const wire::layout& structure, wire::byte_span bytes,
                     const wire::located_field& at) {
  std::string text;
  wire::for_each_field(structure, bytes, [&](const wire::field_view& v) {
    if (v.event == wire::walk_event::value && v.row == at.row && v.offset == at.offset)
      text = wire::value_text(v);
    return true;
  });
  return text;
}

bool is_connect(const host_failure& why) {
  return why.opcode == wire::fabrics_opcode &&
         why.fctype == static_cast<std::uint8_t>(wire::fabrics_type::connect);
}

// The controller broke a rule after the connection was up, or sent an illegal value.
void explain_violation(const host_failure& why, explanation& out) {
  const protocol_error& v = *why.violation;
  if (const wire::layout* structure = wire::find_layout(v.structure))
    point_at(out, *structure, {}, v.offset);
  out.value = v.limit == 0 ? fmt::format("{}", v.value)
                           : fmt::format("{} (expected or allowed: {})", v.value, v.limit);
  if (v.fes == static_cast<std::uint16_t>(wire::fes::header_digest_error)) {
    out.cause = "a PDU header arrived damaged: its digest does not match";
    out.advice =
        "something between changes bytes, or one side computes digests wrongly; try without -g";
    return;
  }
  out.cause = fmt::format("the controller broke the protocol: {}", v.reason);
  out.advice = "this is a fault of the target; `nvmfctl describe` shows the structure";
}

void explain_termreq(const host_failure& why, explanation& out) {
  const protocol_error& v = *why.violation;
  const wire::row* row = wire::fes_codes.find(v.fes);
  out.cause = fmt::format("the controller says that we broke the protocol: {} (FES {}, FEI {:X}h)",
                          row != nullptr ? row->title : "unknown status", v.fes, v.fei);
  if (const wire::layout* structure = wire::find_layout(v.structure);
      structure != nullptr && v.offset < structure->size && v.offset != 0)
    point_at(out, *structure, {}, v.offset);
  out.advice =
      v.fes == static_cast<std::uint16_t>(wire::fes::header_digest_error)
          ? "one side computes header digests wrongly, or bytes are damaged; try without -g"
          : "one of the two sides is wrong: look at the PDU with a trace";
}

void explain_late(const host_failure& why, explanation& out) {
  if (why.opcode == static_cast<std::uint8_t>(wire::admin_opcode::keep_alive)) {
    out.cause = "the controller or the network has stopped: Keep Alive was not answered";
    out.advice = "check the target; a longer -k/--keep-alive-tmo bears longer pauses";
  } else if (why.stage == host_stage::enable) {
    out.cause = "the controller did not become ready in the time that it asks for (CAP.TO)";
    out.advice = "look at the target: its storage may be missing or still starting";
  } else if (is_connect(why)) {
    out.cause =
        "the target took the connection and leaves Connect unanswered: it hangs, or has no more "
        "room for controllers";
    out.advice = "see the target's log; --timeout changes how long we wait";
  } else {
    out.cause = "the controller takes commands and does not answer them";
    out.advice = "see the target's log; --timeout changes how long we wait";
  }
}

void explain_end(const host_failure& why, const association_options& asked, explanation& out) {
  if (why.stage == host_stage::fabrics_connect) {
    out.cause =
        "the target closed the connection on Connect: some do so when the host is not allowed or "
        "the NQN is unknown";
    const std::string port = port_hint(asked);
    out.advice = "check the subsystem NQN and the allowed hosts, and see the target's log";
    if (!port.empty()) out.advice += "; " + port;
  } else if (why.stage == host_stage::ready) {
    out.cause = "the target ended the connection: it was stopped, or has given us up";
    out.advice =
        "see the target's log; a Keep Alive Timeout (-k) that is too short shows like this";
  } else {
    out.cause = fmt::format("the target ended the connection in stage {}", why.stage_name());
    out.advice = "see the target's log";
  }
}

void explain_refusal(const host_failure& why, explanation& out) {
  if (why.status.is(wire::fabrics_status_code::authentication_required)) {
    out.cause = "the controller wants this host to authenticate before any other command";
    out.advice = "this version cannot; allow the host without a secret on the target";
  } else if (why.stage == host_stage::io_queues) {
    out.cause = "the controller does not give this host I/O queues";
    out.advice = "try fewer with -i/--nr-io-queues, or none (-i 0)";
  } else if (why.stage == host_stage::properties || why.stage == host_stage::enable) {
    out.cause = "the controller lacks a property that every fabrics controller has";
    out.advice = "this is a fault of the target";
  } else {
    out.cause = "the controller does not do what every controller of this kind must";
    out.advice = "this is a fault of the target; see its log";
  }
}

void explain_cause(const host_failure& why, const association_options& asked, explanation& out) {
  if (why.code == errc::aborted) {
    out.cause = "it was stopped on this side";
    out.advice = "nothing: start it again when it is wanted";
  } else if (std::string_view{why.code.category().name()} == "rdma") {
    explain_connection(why, asked, out);
  } else if (why.code == errc::invalid_argument && why.sent_sqe.empty()) {
    out.cause = "an option has a value that cannot be sent";
    out.advice = "change that option";
  } else if (why.stage == host_stage::resolve || why.stage == host_stage::connect) {
    explain_connection(why, asked, out);
  } else if (why.stage == host_stage::exchange) {
    explain_exchange(why, asked, out);
  } else if (why.code == errc::terminated && why.violation) {
    explain_termreq(why, out);
  } else if (why.code == errc::protocol_violation && why.violation) {
    explain_violation(why, out);
  } else if (why.code == errc::timed_out) {
    explain_late(why, out);
  } else if (why.code == errc::controller_fatal) {
    out.cause = "the target itself has failed, or does not accept the configuration (CC)";
    out.advice = "see the target's log, and restart it";
  } else if (why.code == errc::data_digest) {
    out.cause = "data arrived damaged: its digest does not match";
    out.advice =
        "something between changes bytes, or one side computes digests wrongly; try "
        "without -G";
  } else if (why.code == errc::data_incomplete) {
    out.cause = "the controller called the command complete and had not sent all of its data";
    out.advice = "this is a fault of the target";
  } else if (why.code) {
    explain_end(why, asked, out);
  } else if (is_connect(why)) {
    explain_connect(why, asked, out);
  } else {
    explain_refusal(why, out);
  }
}

}  // namespace

std::string_view name_at(const wire::layout& structure, wire::byte_span bytes,
                         std::uint64_t offset) {
  const auto at = wire::field_at(structure, offset, bytes);
  return at ? at->row->name : std::string_view{};
}

void point_at(explanation& out, const wire::layout& structure, wire::byte_span bytes,
              std::uint64_t offset) {
  const auto at = wire::field_at(structure, offset, bytes);
  if (!at) {
    out.field =
        fmt::format("byte {} of {}, which has {} bytes", offset, structure.title, structure.size);
    return;
  }
  out.field =
      fmt::format("{} ({}), byte {} of {}", at->path, at->row->title, offset, structure.title);
  if (!bytes.empty()) out.value = value_at(structure, bytes, *at);
}

explanation explain(const host_failure& why, const association_options& asked) {
  explanation out;
  out.what = !why.detail.empty() ? why.detail
             : why.code          ? why.code.message()
                                 : to_text(why.status, why.opcode == wire::fabrics_opcode
                                                           ? wire::status_set::fabrics
                                                           : wire::status_set::nvm);
  explain_cause(why, asked, out);
  return out;
}

}  // namespace nvmf::engine
