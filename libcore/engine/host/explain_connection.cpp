// SPDX-License-Identifier: BSD-2-Clause
// From the name of the target to the end of the IC exchange.
#include <fmt/format.h>

#include <system_error>

#include "explain_parts.hpp"
#include "wire/host.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/layouts/rdma.hpp"
#include "wire/nqn.hpp"

namespace nvmf::engine {

namespace {

constexpr std::uint16_t io_port = 4420;
constexpr std::uint16_t discovery_port = 8009;

// Who speaks first, or answers what it does not understand, gives itself away by its first byte.
struct first_byte {
  std::uint8_t value;
  std::string_view who;
};
constexpr first_byte first_bytes[] = {
    {'H', "an HTTP server (its answer begins with 'H')"},
    {'<', "a server that answers in HTML or XML"},
    {'S', "an SSH server (its answer begins with 'S')"},
    {'2', "a mail or FTP server (its answer begins with '2')"},
    {'4', "a mail or FTP server (its answer begins with '4')"},
    {'5', "a mail or FTP server (its answer begins with '5')"},
    {'-', "a Redis server (its answer begins with '-')"},
    {0x15, "a TLS server (its answer is a TLS alert)"},
    {0x16, "a TLS server (its answer is a TLS handshake)"},
    {0x80, "an RPC service"},
};

std::string_view speaker(std::uint64_t first) {
  for (const first_byte& f : first_bytes)
    if (f.value == first) return f.who;
  if (first == 0) return "something that sends back what it receives, or NVMe/TCP host software";
  if (first >= 0x20 && first < 0x7f) return "a service that speaks a text protocol";
  return "another kind of service, or a damaged stream";
}

std::string address(const association_options& asked) {
  return to_text(wire::endpoint{asked.to.host, asked.to.port});
}

bool is_any(std::error_code code, std::initializer_list<std::errc> list) {
  for (const std::errc e : list)
    if (code == e) return true;
  return false;
}

// The peer refused our ICReq by a TermReq: FEI points into it.
void explain_refused_icreq(const host_failure& why, explanation& out) {
  const auto fes = static_cast<wire::fes>(why.violation->fes);
  out.cause = "the controller does not accept what ICReq asks for";
  out.advice = "ask for less: no digests (-g, -G off), HPDA 0, MAXR2T 0";
  if (fes != wire::fes::invalid_header_field && fes != wire::fes::unsupported_parameter) return;
  point_at(out, wire::pdu_icreq, {}, why.violation->fei);
  const std::string_view name = name_at(wire::pdu_icreq, {}, why.violation->fei);
  if (name == "pfv") out.cause = "the controller speaks another version of NVMe/TCP (PFV)";
  if (name == "hpda")
    out.cause = "the controller does not support the data alignment asked for (HPDA)";
  if (name == "hdgst_enable") out.cause = "the controller does not take the digests asked for";
  if (name == "maxr2t") out.cause = "the controller does not take more than one R2T per command";
}

void explain_bad_icresp(const host_failure& why, const association_options& asked,
                        explanation& out) {
  const protocol_error& v = *why.violation;
  if (v.offset == 0 && v.structure != wire::pdu_icresp.name) {
    out.value = fmt::format("{:02X}h", v.value);
    out.field = "the first byte of the answer";
    out.cause = fmt::format("{} answers there, not NVMe/TCP", speaker(v.value));
    out.advice = fmt::format(
        "check the port: {} is the usual one for subsystems, {} for discovery; {} was used",
        io_port, discovery_port, asked.to.port);
    return;
  }
  point_at(out, wire::pdu_icresp, {}, v.offset);
  out.value = fmt::format("{} (allowed: {})", v.value, v.limit);
  out.cause = fmt::format("the controller's ICResp breaks NVMe/TCP: {}", v.reason);
  out.advice = "this is a fault of the target; other hosts may not check it";
}

// Over RDMA the private data of the connection manager stands where TCP has ICReq and ICResp.
void explain_private_data(const host_failure& why, explanation& out) {
  if (why.violation && why.code == errc::refused) {
    out.cause =
        "who listens there speaks no NVMe/RDMA, has no room for another connection, or is about to "
        "end";
    out.advice = fmt::format("check the port, {} is the usual one, and the target's log", io_port);
    return;
  }
  if (!why.violation || why.code != errc::protocol_violation) {
    out.cause = "the controller does not take a queue like the one that was asked for";
    out.advice =
        "ask for fewer entries (-Q/--queue-size) or queues (-i/--nr-io-queues), and see the "
        "target's log";
    return;
  }
  const protocol_error& v = *why.violation;
  point_at(out, wire::rdma_cm_accept, {}, v.offset);
  // Its length, which no field has.
  if (v.limit == wire::rdma_cm_accept.size) out.field = "the length of its private data";
  out.value = fmt::format("{} (expected or allowed: {})", v.value, v.limit);
  if (v.offset == 0) {
    out.cause = fmt::format("another kind of service answers there, not NVMe/RDMA: {}", v.reason);
    out.advice = fmt::format("check the port: {} is the usual one", io_port);
    return;
  }
  out.cause = fmt::format("the controller's private data breaks NVMe/RDMA: {}", v.reason);
  out.advice = "this is a fault of the target; other hosts may not check it";
}

}  // namespace

std::string port_hint(const association_options& asked) {
  if (asked.transport != "tcp") return {};
  const bool discovery = wire::is_discovery_nqn(asked.subsystem_nqn);
  if (!discovery && asked.to.port == discovery_port)
    return fmt::format(
        "port {} is that of the discovery service; subsystems are usually at {} "
        "(`nvmfctl discover` tells)",
        discovery_port, io_port);
  if (discovery && asked.to.port == io_port)
    return fmt::format("many targets have the discovery service at port {} only", discovery_port);
  return {};
}

void explain_connection(const host_failure& why, const association_options& asked,
                        explanation& out) {
  const std::error_code code = why.code;
  if (why.stage == host_stage::resolve) {
    out.cause = fmt::format("\"{}\" is misspelt, or this machine's name service does not know it",
                            asked.to.host);
    out.advice = "try the numeric address; IPv6 addresses stand in brackets";
  } else if (code == errc::no_transport || code == errc::transport_refused) {
    out.cause = fmt::format("this build has no transport \"{}\" that can do what was asked",
                            asked.transport);
    out.advice = "`nvmfctl --version` lists the transports";
  } else if (std::string_view{code.category().name()} == "rdma") {
    out.cause = fmt::format("RDMA does not work on this machine, or not to {}", address(asked));
    out.advice = "`nvmfctl rdma` lists the devices and what stands in the way of each";
  } else if (code == std::errc::connection_refused) {
    out.cause = fmt::format("nothing listens at {}", address(asked));
    out.advice = fmt::format(
        "check that the target runs and which port it listens on: {} is the usual one for "
        "subsystems, {} for discovery",
        io_port, discovery_port);
  } else if (code == errc::timed_out || code == std::errc::timed_out) {
    out.cause = fmt::format("{} does not answer: it is down, or a firewall drops the packets",
                            address(asked));
    out.advice = "try ping and the target's own console; --timeout changes how long we wait";
  } else if (is_any(code, {std::errc::host_unreachable, std::errc::network_unreachable})) {
    out.cause = fmt::format("there is no route to {} from here", asked.to.host);
    out.advice = "check the address, the routes, and -w/--host-traddr if it is used";
  } else if (is_any(code, {std::errc::address_not_available, std::errc::invalid_argument}) &&
             !asked.transport_settings.source_address.empty()) {
    out.cause = fmt::format("{} is not an address of this machine that reaches the target",
                            asked.transport_settings.source_address);
    out.advice = "leave -w/--host-traddr out, or use an address that `ip address` lists";
  } else if (is_any(code, {std::errc::permission_denied, std::errc::operation_not_permitted})) {
    out.cause = "this machine does not let us connect (firewall, sandbox)";
    out.advice = "look at the local firewall and at the limits of the container";
  } else if (is_any(code, {std::errc::connection_reset, std::errc::connection_aborted})) {
    out.cause = fmt::format(
        "{} took the connection and dropped it at once: a firewall, or a service "
        "that has no room",
        address(asked));
    out.advice = "check the port and the target's log";
  } else {
    out.cause = "this system could not make the connection";
    out.advice = "check the address, the network, and the limits of this machine";
  }
}

void explain_exchange(const host_failure& why, const association_options& asked, explanation& out) {
  if (asked.transport == "rdma") return explain_private_data(why, out);
  if (why.code == errc::terminated && why.violation) return explain_refused_icreq(why, out);
  if (why.code == errc::protocol_violation && why.violation)
    return explain_bad_icresp(why, asked, out);
  if (why.code == errc::timed_out) {
    out.cause = fmt::format(
        "{} takes the connection and then says nothing: another kind of service, one that waits "
        "for TLS, or a target that hangs",
        address(asked));
    out.advice =
        fmt::format("check the port ({} for subsystems, {} for discovery) and the target's log",
                    io_port, discovery_port);
    return;
  }
  out.cause = "what listens there is no NVMe/TCP service, wants TLS, or takes no more connections";
  out.advice = "check the port and the target's log";
}

}  // namespace nvmf::engine
