// SPDX-License-Identifier: BSD-2-Clause
#include "discovery_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "transports.hpp"
#include "wire/host.hpp"
#include "wire/layouts/discovery.hpp"
#include "wire/nqn.hpp"
#include "wire/numbers.hpp"
#include "wire/tables.hpp"

namespace nvmf::cli {
namespace {

// Printable text up to the first NUL, without the padding.
std::string text_of(wire::byte_span field) {
  std::string text;
  for (const std::byte b : field) {
    if (b == std::byte{0}) break;
    const char c = static_cast<char>(b);
    text += c >= ' ' && c <= '~' ? c : '?';
  }
  return text.erase(text.find_last_not_of(' ') + 1);
}

std::string name_of(const wire::table& t, std::uint64_t value) {
  const wire::row* r = t.find(static_cast<std::uint32_t>(value));
  return r != nullptr ? std::string{r->name} : fmt::format("0x{:02x}", value);
}

// 0.0.0.0 and :: say where a target listens, not where a host could go.
bool is_wildcard(std::string_view address) {
  return std::ranges::all_of(address, [](char c) { return c == '0' || c == '.' || c == ':'; });
}

void check_address(discovery_view& v) {
  if (v.address.empty()) {
    v.problems.emplace_back("the address is empty");
    return;
  }
  const auto kind = wire::check_host(v.address);
  if (!kind) {
    v.problems.push_back(
        fmt::format("the address {}: {}", wire::quoted(v.address), kind.error().reason));
    return;
  }
  if (is_wildcard(v.address))
    v.problems.push_back(fmt::format(
        "the address {} means any address of the target: nobody can connect to it", v.address));
  const std::string_view is = *kind == wire::host_kind::ipv6   ? "ipv6"
                              : *kind == wire::host_kind::ipv4 ? "ipv4"
                                                               : "name";
  if (v.family != is && is != "name")
    v.problems.push_back(
        fmt::format("the address family says {}, the address {} is {}", v.family, v.address, is));
}

std::optional<std::uint16_t> check_port(discovery_view& v) {
  const auto port = wire::parse_number(v.service, {}, {.min = 1, .max = 65535});
  if (port) return static_cast<std::uint16_t>(*port);
  v.problems.push_back(v.service.empty() ? "there is no port"
                                         : fmt::format("the port {}: {}", wire::quoted(v.service),
                                                       port.error().reason));
  return std::nullopt;
}

// Which of our transports an entry is of. Intra-host is what the loop calls itself.
std::optional<wire::uri_transport> transport_of(const discovery_view& v) {
  if (v.transport == "tcp") return wire::uri_transport::tcp;
  if (v.transport == "rdma") return wire::uri_transport::rdma;
  if (v.transport == "intra-host") return wire::uri_transport::loop;
  return std::nullopt;
}

void check_use(discovery_view& v, wire::uri_transport via) {
  const auto type = transport_of(v);
  if (!type) {
    v.problems.push_back(fmt::format("the transport {} is not one of this program", v.transport));
    return;
  }
  for (const transport_note& note : transport_notes())
    if (note.type == wire::transport_name(*type) && !note.built_in)
      v.problems.push_back(fmt::format("this build has no {} transport", note.type));
  if (*type == wire::uri_transport::loop && via != *type)
    v.problems.emplace_back("it can be reached within the target's own program only");
  std::optional<std::uint16_t> port = 0;
  if (*type != wire::uri_transport::loop) {
    check_address(v);
    port = check_port(v);
  }
  if (const auto good = wire::check_nqn(v.nqn); !good)
    v.problems.push_back(fmt::format("the NQN {}: {}", wire::quoted(v.nqn), good.error().reason));
  if (!v.problems.empty() || !port) return;
  wire::uri uri;
  uri.transport = *type;
  uri.host = v.address;
  uri.port = *port;
  uri.nqn = v.nqn;
  v.uri = to_text(uri);
}

}  // namespace

discovery_view view_of(const discovery_entry& entry, wire::uri_transport via) {
  using wire::bytes_of;
  using wire::get;
  const wire::byte_span e{entry};
  discovery_view v;
  v.transport = name_of(wire::transport_types, get<wire::discovery_entry, "trtype">(e));
  v.family = name_of(wire::address_families, get<wire::discovery_entry, "adrfam">(e));
  v.subsystem = name_of(wire::subsystem_types, get<wire::discovery_entry, "subtype">(e));
  v.address = text_of(bytes_of<wire::discovery_entry, "traddr">(e));
  v.service = text_of(bytes_of<wire::discovery_entry, "trsvcid">(e));
  v.nqn = text_of(bytes_of<wire::discovery_entry, "subnqn">(e));
  v.port_id = static_cast<std::uint16_t>(get<wire::discovery_entry, "portid">(e));
  v.cntlid = static_cast<std::uint16_t>(get<wire::discovery_entry, "cntlid">(e));
  const auto treq = bytes_of<wire::discovery_entry, "treq">(e);
  v.secure_channel = name_of(wire::treq_secure_channels, get<wire::treq_layout, "tsc">(treq));
  check_use(v, via);
  return v;
}

}  // namespace nvmf::cli
