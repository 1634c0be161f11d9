// SPDX-License-Identifier: BSD-2-Clause
// Addresses in SPDK's spelling (transport identifiers), and what they share with URIs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "host.hpp"
#include "names.hpp"
#include "nqn.hpp"
#include "numbers.hpp"
#include "uri_parts.hpp"

namespace nvmf::wire {

namespace {

constexpr std::string_view example =
    "trtype:TCP adrfam:IPv4 traddr:192.0.2.1 trsvcid:4420 subnqn:nqn.2014-08.org.example:disk1";
constexpr std::string_view keys[] = {"trtype", "adrfam", "traddr", "trsvcid",
                                     "subnqn", "ns",     "hdgst",  "ddgst"};
constexpr std::string_view options[] = {"hdgst", "ddgst"};

uri_error wrong(std::string_view part, std::string reason) {
  return {std::string(part), 0, std::move(reason), std::string(example)};
}

std::optional<uri_error> set_transport(uri& u, std::string_view value) {
  const std::string name = to_lower(value);
  for (uri_transport t : {uri_transport::tcp, uri_transport::rdma, uri_transport::loop})
    if (name == transport_name(t)) {
      u.transport = t;
      return std::nullopt;
    }
  return wrong("trtype", fmt::format("{} is none of TCP, RDMA and loop", quoted(value)));
}

std::optional<uri_error> set_service(uri& u, std::string_view value) {
  const auto port = parse_number(value, "trsvcid", {.min = 1, .max = 65535});
  if (!port) return port.error();
  u.port = static_cast<std::uint16_t>(*port);
  return std::nullopt;
}

std::optional<uri_error> set_key(uri& u, std::string& family, std::string_view key,
                                 std::string_view value) {
  if (value.empty()) return wrong(key, "has no value");
  if (key == "trtype") return set_transport(u, value);
  if (key == "trsvcid") return set_service(u, value);
  if (key == "adrfam") {
    family = to_lower(value);
    if (family == "ipv4" || family == "ipv6") return std::nullopt;
    return wrong(key, fmt::format("{} is neither IPv4 nor IPv6", quoted(value)));
  }
  if (key == "traddr") {
    // Checked when the transport is known.
    u.host = value;
    return std::nullopt;
  }
  if (key == "subnqn") {
    u.nqn = value;
    if (const auto good = check_nqn(value, key); !good) return good.error();
    return std::nullopt;
  }
  if (key == "ns") {
    const auto nsid = parse_nsid(value);
    if (!nsid) return nsid.error();
    u.nsid = *nsid;
    return std::nullopt;
  }
  return set_option(u, key, value);
}

std::optional<uri_error> check_whole(const uri& u, std::string_view family) {
  if (u.transport == uri_transport::loop) {
    if (u.port != 0) return wrong("trsvcid", "a loop target has no service");
    return check_loop_name(u.host);
  }
  const auto kind = check_host(u.host);
  if (!kind) {
    uri_error e = kind.error();
    e.part = "traddr";
    return e;
  }
  const bool clash = (family == "ipv4" && *kind == host_kind::ipv6) ||
                     (family == "ipv6" && *kind == host_kind::ipv4);
  if (clash) return wrong("traddr", fmt::format("{} is not of the family {}", u.host, family));
  return std::nullopt;
}

}  // namespace

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::optional<uri_error> check_loop_name(std::string_view name) {
  constexpr std::string_view loop_example = "nvme+loop://target1/nqn.2014-08.org.example:disk1";
  if (name.empty()) return uri_error{"name", 0, "is empty", std::string(loop_example)};
  const std::size_t bad =
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
  if (bad == name.npos) return std::nullopt;
  if (name[bad] == ':')
    return uri_error{"name", bad, "a loop target has no port", std::string(loop_example)};
  return uri_error{"name", bad,
                   fmt::format("{} cannot be part of the name", quoted(name.substr(bad, 1))),
                   std::string(loop_example)};
}

std::expected<std::uint32_t, uri_error> parse_nsid(std::string_view text) {
  const auto n = parse_number(text, "nsid", {.min = 1, .max = 0xfffffffe});
  if (!n) return std::unexpected(n.error());
  return static_cast<std::uint32_t>(*n);
}

std::optional<uri_error> set_option(uri& u, std::string_view key, std::string_view value) {
  const std::string name = to_lower(key);
  std::optional<bool>* target = nullptr;
  if (name == "hdgst") target = &u.hdgst;
  if (name == "ddgst") target = &u.ddgst;
  if (!target)
    return wrong("option", fmt::format("{} is neither hdgst nor ddgst{}", quoted(key),
                                       did_you_mean(name, options)));
  if (target->has_value()) return wrong("option", fmt::format("{} is given twice", name));
  const std::string v = to_lower(value);
  const bool on = v == "on" || v == "1" || v == "true" || v == "yes";
  const bool off = v == "off" || v == "0" || v == "false" || v == "no";
  if (!on && !off) return wrong(name, fmt::format("{} is neither on nor off", quoted(value)));
  *target = on;
  return std::nullopt;
}

bool is_trid_key(std::string_view key) {
  return std::ranges::find(keys, to_lower(key)) != std::end(keys);
}

std::expected<uri, uri_error> parse_trid(std::string_view text) {
  if (text.size() > uri_max_length)
    return std::unexpected(
        wrong("address", fmt::format("is longer than {} bytes", uri_max_length)));
  uri u;
  std::string family;
  std::set<std::string, std::less<>> seen;
  std::size_t address_at = 0;
  const auto failed = [&](uri_error e, std::size_t offset) {
    e.position += offset;
    e.example = example;
    return std::unexpected(std::move(e));
  };
  constexpr std::string_view blanks = " \t\n";
  for (std::size_t at = text.find_first_not_of(blanks); at != text.npos;
       at = text.find_first_not_of(blanks, at)) {
    const std::size_t end = std::min(text.find_first_of(blanks, at), text.size());
    const std::string_view word = text.substr(at, end - at);
    const std::size_t colon = word.find_first_of(":=");
    const std::string key = to_lower(word.substr(0, colon));
    if (!is_trid_key(key))
      return failed(
          wrong("key", fmt::format("{} is not a key of an address{}", quoted(word.substr(0, colon)),
                                   did_you_mean(key, keys))),
          at);
    if (!seen.insert(key).second) return failed(wrong(key, "is given twice"), at);
    if (colon == word.npos) return failed(wrong(key, "has no value"), at + word.size());
    if (key == "traddr") address_at = at + colon + 1;
    if (auto bad = set_key(u, family, key, word.substr(colon + 1)))
      return failed(std::move(*bad), at + colon + 1);
    at = end;
  }
  for (std::string_view key : {"trtype", "traddr"})
    if (!seen.contains(key)) return failed(wrong(key, "is missing"), text.size());
  if (auto bad = check_whole(u, family)) return failed(std::move(*bad), address_at);
  if (u.port == 0) u.port = default_port(u.transport, u.nqn);
  if (u.nsid != 0 && u.nqn.empty()) return failed(wrong("ns", "needs a subnqn"), 0);
  return u;
}

}  // namespace nvmf::wire
