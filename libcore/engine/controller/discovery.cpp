// SPDX-License-Identifier: BSD-2-Clause
#include "discovery.hpp"

#include <algorithm>

#include "connect.hpp"
#include "text_field.hpp"
#include "wire/layouts/discovery.hpp"
#include "wire/nqn.hpp"

namespace nvmf::engine {
namespace {

using wire::discovery_entry;
using wire::discovery_log;
using wire::mutable_byte_span;
using wire::set;

constexpr std::string_view mapped_prefix = "::ffff:";  // an IPv4 address in IPv6 clothes

bool is_wildcard(std::string_view address) {
  return address.empty() || address == "0.0.0.0" || address == "::";
}

wire::adrfam family_of(std::uint8_t trtype, std::string_view address) {
  if (trtype == static_cast<std::uint8_t>(wire::trtype::intra_host))
    return wire::adrfam::intra_host;
  return address.contains(':') ? wire::adrfam::ipv6 : wire::adrfam::ipv4;
}

// TSAS of an entry: TCP without security is all zeroes; RDMA is reliable connected, by RDMA CM.
void put_tsas(mutable_byte_span entry, std::uint8_t trtype) {
  const auto tsas = wire::bytes_of<discovery_entry, "tsas">(entry);
  if (trtype != static_cast<std::uint8_t>(wire::trtype::rdma)) return;
  set<wire::tsas_rdma_layout, "qptype">(tsas, 1);
  set<wire::tsas_rdma_layout, "prtype">(tsas, 1);
  set<wire::tsas_rdma_layout, "cms">(tsas, 1);
}

void put_entry(mutable_byte_span entry, const discovery_port& port,
               const discovery_subsystem& subsystem, std::string_view asked_on) {
  std::string_view address = is_wildcard(port.address) ? address_of(asked_on) : port.address;
  if (address.starts_with(mapped_prefix) && address.contains('.'))
    address.remove_prefix(mapped_prefix.size());
  set<discovery_entry, "trtype">(entry, port.trtype);
  set<discovery_entry, "adrfam">(entry, static_cast<std::uint8_t>(family_of(port.trtype, address)));
  set<discovery_entry, "subtype">(entry, static_cast<std::uint8_t>(wire::subtype::nvm));
  const auto treq = wire::bytes_of<discovery_entry, "treq">(entry);
  set<wire::treq_layout, "tsc">(treq, static_cast<std::uint8_t>(wire::treq::not_required));
  set<wire::treq_layout, "dsqfc">(treq, 1);
  set<discovery_entry, "portid">(entry, port.portid);
  set<discovery_entry, "cntlid">(entry, subsystem.static_model ? cntlid_any_static : cntlid_any);
  set<discovery_entry, "asqsz">(entry, admin_queue_entries_max);
  put_padded(wire::bytes_of<discovery_entry, "trsvcid">(entry), std::to_string(port.port));
  wire::put_nqn(wire::bytes_of<discovery_entry, "subnqn">(entry), subsystem.nqn);
  put_padded(wire::bytes_of<discovery_entry, "traddr">(entry), address);
  put_tsas(entry, port.trtype);
}

}  // namespace

bool host_allowed(std::span<const std::string> allowed_hosts, std::string_view host_nqn) {
  return allowed_hosts.empty() || std::ranges::find(allowed_hosts, host_nqn) != allowed_hosts.end();
}

std::string_view address_of(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    return end == std::string_view::npos ? text : text.substr(1, end - 1);
  }
  const auto colon = text.find(':');
  // More than one colon is a bare IPv6 address.
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos)
    return text;
  return text.substr(0, colon);
}

std::vector<std::byte> discovery_page(const discovery_source& source, std::string_view host_nqn,
                                      std::string_view asked_on) {
  std::vector<std::byte> page(discovery_log.size);
  std::uint64_t records = 0;
  for (const discovery_subsystem& subsystem : source.subsystems) {
    if (!host_allowed(subsystem.allowed_hosts, host_nqn)) continue;
    for (const discovery_port& port : source.ports) {
      const std::size_t at = page.size();
      page.resize(at + discovery_entry.size);
      put_entry(mutable_byte_span{page}.subspan(at), port, subsystem, asked_on);
      ++records;
    }
  }
  set<discovery_log, "genctr">(page, source.generation);
  set<discovery_log, "numrec">(page, records);
  return page;
}

}  // namespace nvmf::engine
