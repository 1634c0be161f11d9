// SPDX-License-Identifier: BSD-2-Clause
#include "host_options.hpp"

#include <fmt/format.h>

#include "transports.hpp"
#include "wire/host.hpp"
#include "wire/nqn.hpp"

namespace nvmf::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view address_help =
    "nvme+tcp://HOST[:PORT]/SUBNQN[/NSID], nvme+rdma:// or nvme+loop://NAME/SUBNQN";

constexpr std::chrono::milliseconds kato_max{0xffffffff};  // Connect, KATO: 32 bits

// Does the address itself say a port?
bool names_port(std::string_view address) {
  const std::size_t scheme = address.find("://");
  if (scheme == std::string_view::npos) return address.find("trsvcid:") != std::string_view::npos;
  address.remove_prefix(scheme + 3);
  const auto at = wire::parse_endpoint(address.substr(0, address.find_first_of("/?")));
  return at && at->port.has_value();
}

// `given` tells later whether the option was used.
void note_use(option& row, bool& given) {
  row.set = [&given, set = std::move(row.set)](std::string_view text) {
    given = true;
    return set(text);
  };
}

}  // namespace

void host_options::add_address(option_table& table) {
  table.text("URI", "URI", uri_, address_help);
  add_long_address(table);
}

void host_options::add_long_address(option_table& table) {
  table.text("-t,--transport", "TYPE", transport_,
             "instead of a URI: the transport, tcp, rdma or loop");
  table.text("-a,--traddr", "ADDRESS", address_,
             "instead of a URI: name or address, IPv6 as it is");
  table.text("-s,--trsvcid", "PORT", service_, "instead of a URI: the port, 4420 if not given");
  table.text("-n,--nqn", "NQN", nqn_, "the subsystem's NQN, if the URI has none");
}

void host_options::add_connection(option_table& table) {
  table.text("-q,--hostnqn", "NQN", hostnqn_, "the host's NQN (default: see FILES in nvmfctl(1))")
      .fallback.clear();
  table.text("-I,--hostid", "UUID", hostid_, "the host identifier (default: the NQN's)");
  table.text("-w,--host-traddr", "ADDRESS", options_.transport_settings.source_address,
             "local address to connect from");
  note_use(table.duration("-k,--keep-alive-tmo", "MS", options_.keep_alive, 1ms,
                          "keep alive timeout, milliseconds unless a unit follows; 0 is none",
                          {.max = kato_max}),
           keep_alive_given_);
  table.flag("-g,--hdr-digest", hdgst_, "ask for header digests");
  table.flag("-G,--data-digest", ddgst_, "ask for data digests");
  table.number("--hpda", "N", hpda_, "PDU data alignment asked for, HPDA: (N + 1) * 4 bytes", 0,
               31);
  table.number("--maxr2t", "N", options_.transport_settings.max_r2t,
               "R2Ts a command may have outstanding (MAXR2T is one less)", 1, 65536);
  table
      .number("--cntlid", "ID", options_.controller_id,
              "controller to ask for; 0xffff: any (dynamic model), 0xfffe: any static one")
      .fallback = "0xffff";
  table.duration("--timeout", "SECONDS", options_.timeout, 1s,
                 "longest wait for any one answer: name, connection, PDU, command", {.min = 1ms});
  faults_.add_options(table, role::host);
  target_faults_.add_target_option(table);
}

void host_options::add_queues(option_table& table) {
  note_use(table.number("-i,--nr-io-queues", "N", options_.io_queues,
                        "I/O queues to ask for; 0: the admin queue only", 0, 65535),
           queues_given_);
  add_queue_options(table);
}

void host_options::add_queue_options(option_table& table) {
  table.number("-Q,--queue-size", "N", options_.io_queue_size, "entries of an I/O queue", 2, 65536);
  table.number("--admin-queue-size", "N", options_.admin_queue_size, "entries of the admin queue",
               2, 4096);
  table.flag("--disable-sqflow", options_.disable_sq_flow_control,
             "ask for queues without SQ flow control");
}

std::expected<wire::uri, std::string> host_options::where_long() const {
  wire::uri to;
  const std::string type = transport_.empty() ? "tcp" : transport_;
  bool known = false;
  for (const auto t :
       {wire::uri_transport::tcp, wire::uri_transport::rdma, wire::uri_transport::loop})
    if (type == wire::transport_name(t)) {
      to.transport = t;
      known = true;
    }
  if (!known)
    return std::unexpected(
        fmt::format("--transport: {} is not one of tcp, rdma, loop", wire::quoted(type)));
  if (address_.empty())
    return std::unexpected(std::string{"an address is missing: URI or --traddr"});
  const bool loop = to.transport == wire::uri_transport::loop;
  if (const auto good = wire::check_host(address_); !loop && !good)
    return std::unexpected("--traddr: " + to_text(good.error()));
  to.host = address_;
  to.nqn = nqn_;
  to.port = wire::default_port(to.transport, to.nqn);
  if (!service_.empty()) {
    const auto port = wire::parse_number(service_, {}, {.min = 1, .max = 65535});
    if (!port) return std::unexpected("--trsvcid: " + to_text(port.error()));
    to.port = static_cast<std::uint16_t>(*port);
  }
  return to;
}

std::expected<wire::uri, std::string> host_options::where(bool discovery) const {
  if (!uri_.empty() && !(transport_.empty() && address_.empty() && service_.empty()))
    return std::unexpected(
        std::string{"give a URI or --transport, --traddr and --trsvcid, not both"});
  wire::uri to;
  if (uri_.empty()) {
    const auto long_form = where_long();
    if (!long_form) return long_form;
    to = *long_form;
  } else {
    const auto parsed = wire::parse_address(uri_);
    if (!parsed) return std::unexpected(fmt::format("URI: {}", to_text(parsed.error())));
    to = *parsed;
    if (!nqn_.empty()) {
      to.nqn = nqn_;
      // The default port depends on whether there is a subsystem.
      if (!names_port(uri_)) to.port = wire::default_port(to.transport, to.nqn);
    }
  }
  if (to.nqn.empty() && discovery) to.nqn = wire::discovery_nqn;
  if (to.nqn.empty())
    return std::unexpected(
        fmt::format("{} names no subsystem (add /SUBNQN or --nqn; nvmfctl discover lists them)",
                    wire::quoted(uri_.empty() ? address_ : uri_)));
  if (const auto good = wire::check_nqn(to.nqn, "subsystem NQN"); !good)
    return std::unexpected(to_text(good.error()));
  return to;
}

std::expected<host_plan, std::string> host_options::plan(bool discovery) const {
  const auto to = where(discovery);
  if (!to) return std::unexpected(to.error());
  for (const transport_note& note : transport_notes())
    if (note.type == wire::transport_name(to->transport) && !note.built_in)
      return std::unexpected(fmt::format(
          "this build has no {} transport (nvmfctl version tells what it has)", note.type));
  auto who = make_identity(hostnqn_, hostid_);
  if (!who) return std::unexpected(who.error());
  host_plan made{*to, std::move(*who), options_, faults_, target_faults_};
  made.target_faults.seed = faults_.seed;
  association_options& o = made.options;
  o.transport = wire::transport_name(to->transport);
  o.to = {.host = to->host, .port = to->port};
  o.subsystem_nqn = to->nqn;
  o.host_nqn = made.identity.nqn;
  o.host_id = made.identity.id;
  o.transport_settings.header_digest = to->hdgst.value_or(hdgst_) || hdgst_;
  o.transport_settings.data_digest = to->ddgst.value_or(ddgst_) || ddgst_;
  o.transport_settings.alignment = (hpda_ + 1) * 4;
  o.transport_settings.connect_timeout = o.timeout;
  o.transport_settings.ic_timeout = o.timeout;
  return made;
}

}  // namespace nvmf::cli
