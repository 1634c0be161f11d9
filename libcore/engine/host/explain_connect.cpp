// SPDX-License-Identifier: BSD-2-Clause
// Fabrics Connect that was refused.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "explain_parts.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/nqn.hpp"

namespace nvmf::engine {

namespace {

using wire::fabrics_status_code;
using wire::status_code;

struct hint {
  std::string_view field;
  std::string_view cause;
  std::string_view advice;
};
// What a controller that points at a field of Connect usually means by it.
constexpr hint hints[] = {
    {"subnqn", "the target has no subsystem of that NQN at this address, or keeps this host out",
     "compare the NQN letter by letter with the target's configuration (`nvmfctl discover` lists "
     "what it offers to this host), and check that the subsystem is linked to this port"},
    {"hostnqn", "the subsystem does not allow this host NQN",
     "add the host NQN to the subsystem's allowed hosts, or use -q/--hostnqn with one that is "
     "allowed"},
    {"hostid",
     "the controller does not accept the host identifier: it is zero, or was used with another "
     "host NQN before",
     "one host has one pair: give -q/--hostnqn and -I/--hostid that belong together and that no "
     "other host uses"},
    {"cntlid", "there is no such controller, or it is not ours",
     "leave the controller ID out (FFFFh, dynamic model); FFFEh asks a static one"},
    {"kato", "the controller does not accept this Keep Alive Timeout",
     "try another -k/--keep-alive-tmo; old discovery controllers want 0, others refuse 0"},
    {"sqsize", "the controller does not take queues of this size",
     "ask for fewer entries with -Q/--queue-size (CAP.MQES is the most)"},
    {"qid", "that queue exists already, or is beyond the number of queues granted",
     "ask for fewer with -i/--nr-io-queues"},
    {"recfmt", "the controller speaks another version of Fabrics", "look at the target's version"},
    {"cattr", "the controller does not accept the attributes of the queue",
     "leave --disable-sqflow out"},
};

// IPO and IATTR (Base 2.0, 6.3): which byte of the SQE or of the data is wrong.
std::string_view point_at_invalid(const host_failure& why, explanation& out) {
  std::array<std::byte, 16> cqe{};
  wire::store_le(cqe, 0, 4, why.cqe_dw0);
  const auto ipo = wire::get<wire::connect_invalid_response, "ipo">(cqe);
  const auto iattr = wire::bytes_of<wire::connect_invalid_response, "iattr">(wire::byte_span{cqe});
  const bool in_data = wire::get<wire::iattr_layout, "data">(iattr) != 0;
  const wire::layout& structure = in_data ? wire::connect_data : wire::connect_command;
  const wire::byte_span bytes = in_data ? why.sent_data : why.sent_sqe;
  point_at(out, structure, bytes, ipo);
  return name_at(structure, bytes, ipo);
}

std::string and_port(std::string text, const association_options& asked) {
  const std::string port = port_hint(asked);
  return port.empty() ? text : fmt::format("{}; {}", text, port);
}

void explain_parameters(const host_failure& why, const association_options& asked,
                        explanation& out) {
  const std::string_view name = point_at_invalid(why, out);
  const auto* known = std::ranges::find(hints, name, &hint::field);
  if (known == std::end(hints)) {
    out.cause = "the controller does not accept a value of the Connect command";
    out.advice = and_port("see the target's log for which one", asked);
    return;
  }
  out.cause = known->cause;
  out.advice = known->advice;
  if (name == "subnqn") out.advice = and_port(out.advice, asked);
  if (name == "subnqn" && std::ranges::any_of(asked.subsystem_nqn,
                                              [](unsigned char c) { return std::isupper(c) != 0; }))
    out.advice += "; NQNs are case sensitive";
}

}  // namespace

void explain_connect(const host_failure& why, const association_options& asked, explanation& out) {
  const nvme_status s = why.status;
  if (s.is(fabrics_status_code::connect_invalid_parameters))
    return explain_parameters(why, asked, out);
  if (s.is(fabrics_status_code::connect_invalid_host)) {
    point_at(out, wire::connect_data, why.sent_data,
             wire::offset_of<wire::connect_data, "hostnqn">());
    out.cause = "the subsystem does not allow this host, or has no controller left for it";
    out.advice =
        "add the host NQN to the subsystem's allowed hosts, or use -q/--hostnqn with one that is "
        "allowed";
  } else if (s.is(fabrics_status_code::connect_controller_busy)) {
    out.cause = "the controller is in use by another host, or all controllers are taken";
    out.advice = "disconnect the other host, or wait until its Keep Alive Timeout is over";
  } else if (s.is(fabrics_status_code::connect_incompatible_format)) {
    point_at(out, wire::connect_command, why.sent_sqe,
             wire::offset_of<wire::connect_command, "recfmt">());
    out.cause = "the controller speaks another version of Fabrics";
    out.advice = "look at the target's version";
  } else if (s.is(fabrics_status_code::connect_restart_discovery)) {
    out.cause = "the subsystem has moved";
    out.advice = "read the discovery log again and connect to where it points";
  } else if (s.is(fabrics_status_code::authentication_required)) {
    out.cause = "the subsystem wants this host to authenticate (DH-HMAC-CHAP)";
    out.advice = "this version cannot; allow the host without a secret on the target";
  } else if (s.is(status_code::command_sequence_error)) {
    out.cause = "the controller does not expect a Connect of this queue now";
    out.advice = "another connection may hold the queue; wait for its Keep Alive Timeout";
  } else if (s.is(status_code::host_identifier_inconsistent)) {
    point_at(out, wire::connect_data, why.sent_data,
             wire::offset_of<wire::connect_data, "hostid">());
    out.cause = "other hosts of this subsystem use host identifiers of the other length";
    out.advice = "give the host identifier that the others expect with -I/--hostid";
  } else if (s.is(status_code::keep_alive_timeout_invalid)) {
    point_at(out, wire::connect_command, why.sent_sqe,
             wire::offset_of<wire::connect_command, "kato">());
    out.cause = "the controller does not accept this Keep Alive Timeout";
    out.advice = "try another -k/--keep-alive-tmo";
  } else if (s.is(status_code::invalid_field)) {
    out.cause =
        "the controller does not accept a value of the Connect command and does not say which; "
        "most often it is the subsystem NQN";
    out.advice = and_port("compare the NQN with what `nvmfctl discover` lists", asked);
  } else {
    out.cause = "the controller has a reason of its own";
    out.advice = and_port("see the target's log", asked);
  }
}

}  // namespace nvmf::engine
