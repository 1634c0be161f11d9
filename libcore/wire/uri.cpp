// SPDX-License-Identifier: BSD-2-Clause
#include "uri.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host.hpp"
#include "names.hpp"
#include "nqn.hpp"
#include "numbers.hpp"
#include "uri_parts.hpp"

namespace nvmf::wire {

namespace {

constexpr std::array transports{uri_transport::tcp, uri_transport::rdma, uri_transport::loop};
constexpr std::string_view example = "nvme+tcp://192.0.2.1:4420/nqn.2014-08.org.example:disk1";

std::unexpected<uri_error> fail(std::string_view part, std::size_t position, std::string reason) {
  return std::unexpected(
      uri_error{std::string(part), position, std::move(reason), std::string(example)});
}

// An error found in the part of the text that starts at `offset`.
std::unexpected<uri_error> moved(uri_error e, std::size_t offset) {
  e.position += offset;
  e.example = example;
  return std::unexpected(std::move(e));
}

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

// Where byte `decoded` of the decoded text stands in the encoded one, which decodes without error.
std::size_t encoded_position(std::string_view encoded, std::size_t decoded) {
  std::size_t at = 0;
  for (; decoded > 0 && at < encoded.size(); --decoded) at += encoded[at] == '%' ? 3u : 1u;
  return at;
}

std::expected<uri_transport, uri_error> parse_scheme(std::string_view text) {
  const std::size_t end = text.find("://");
  constexpr std::string_view known[] = {"nvme+tcp", "nvme+rdma", "nvme+loop"};
  if (end == text.npos)
    return fail("scheme", 0,
                fmt::format("{} does not start with nvme+tcp://, nvme+rdma:// or nvme+loop://",
                            quoted(text)));
  const std::string scheme = to_lower(text.substr(0, end));
  for (std::size_t i = 0; i < transports.size(); ++i)
    if (scheme == known[i]) return transports[i];
  return fail("scheme", 0,
              fmt::format("{} is none of nvme+tcp, nvme+rdma and nvme+loop{}",
                          quoted(text.substr(0, end)), did_you_mean(scheme, known)));
}

std::expected<void, uri_error> parse_authority(uri& u, std::string_view text, std::size_t offset) {
  if (text.find('@') != text.npos)
    return fail("host", offset + text.find('@'), "an NVMe URI has no user before the host");
  if (u.transport == uri_transport::loop) {
    if (const auto bad = check_loop_name(text); bad) return moved(*bad, offset);
    u.host = text;
    return {};
  }
  const auto e = parse_endpoint(text);
  if (!e) return moved(e.error(), offset);
  u.host = e->host;
  u.port = e->port.value_or(0);
  return {};
}

std::expected<void, uri_error> parse_path(uri& u, std::string_view path, std::size_t offset) {
  const std::size_t slash = path.find('/');
  const std::string_view name = path.substr(0, slash);
  const auto nqn = percent_decode(name, "subnqn");
  if (!nqn) return moved(nqn.error(), offset);
  if (!nqn->empty() || slash != path.npos) {
    if (auto good = check_nqn(*nqn, "subnqn"); !good) {
      uri_error e = good.error();
      e.position = encoded_position(name, e.position);
      return moved(std::move(e), offset);
    }
  }
  u.nqn = *nqn;
  if (slash == path.npos) return {};
  const auto nsid = parse_nsid(path.substr(slash + 1));
  if (!nsid) {
    uri_error e = nsid.error();
    e.reason += "; a slash within the NQN is written %2F";
    return moved(std::move(e), offset + slash + 1);
  }
  u.nsid = *nsid;
  return {};
}

std::expected<void, uri_error> parse_query(uri& u, std::string_view query, std::size_t offset) {
  for (std::size_t start = 0; start <= query.size();) {
    const std::size_t end = std::min(query.find('&', start), query.size());
    const auto item = query.substr(start, end - start);
    const std::size_t equals = item.find('=');
    const auto key = item.substr(0, equals);
    const auto value = equals == item.npos ? std::string_view{} : item.substr(equals + 1);
    if (const auto bad = set_option(u, key, value)) {
      const bool in_value = bad->part != "option" && equals != item.npos;
      return moved(*bad, offset + start + (in_value ? equals + 1 : 0));
    }
    start = end + 1;
  }
  return {};
}

}  // namespace

std::string_view transport_name(uri_transport t) {
  switch (t) {
    case uri_transport::tcp:
      return "tcp";
    case uri_transport::rdma:
      return "rdma";
    case uri_transport::loop:
      return "loop";
  }
  return "";
}

std::uint16_t default_port(uri_transport t, std::string_view nqn) {
  if (t == uri_transport::loop) return 0;
  const bool discovery = nqn.empty() || is_discovery_nqn(nqn);
  return t == uri_transport::tcp && discovery ? 8009 : 4420;
}

std::expected<uri, uri_error> parse_uri(std::string_view text) {
  if (text.size() > uri_max_length)
    return fail("URI", uri_max_length, fmt::format("is longer than {} bytes", uri_max_length));
  uri u;
  const auto transport = parse_scheme(text);
  if (!transport) return std::unexpected(transport.error());
  u.transport = *transport;
  if (const auto hash = text.find('#'); hash != text.npos)
    return fail("URI", hash, "has no part after #; within an NQN it is written %23");
  const std::size_t start = text.find("://") + 3;
  const std::size_t question = std::min(text.find('?', start), text.size());
  const std::size_t slash = std::min(text.find('/', start), question);
  const auto authority = parse_authority(u, text.substr(start, slash - start), start);
  if (!authority) return std::unexpected(authority.error());
  if (slash < question) {
    const auto path = parse_path(u, text.substr(slash + 1, question - slash - 1), slash + 1);
    if (!path) return std::unexpected(path.error());
  }
  if (question < text.size()) {
    const auto query = parse_query(u, text.substr(question + 1), question + 1);
    if (!query) return std::unexpected(query.error());
  }
  if (u.port == 0) u.port = default_port(u.transport, u.nqn);
  return u;
}

std::expected<uri, uri_error> parse_address(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  const std::size_t key = first == text.npos ? text.npos : text.find_first_of(":=", first);
  const bool spdk = key != text.npos && is_trid_key(text.substr(first, key - first));
  return spdk ? parse_trid(text) : parse_uri(text);
}

std::string to_text(const uri& u) {
  const std::optional<std::uint16_t> port =
      u.transport == uri_transport::loop ? std::nullopt : std::optional(u.port);
  std::string out =
      fmt::format("nvme+{}://{}", transport_name(u.transport), to_text(endpoint{u.host, port}));
  if (!u.nqn.empty()) out += "/" + percent_encode(u.nqn);
  if (u.nsid != 0) out += fmt::format("/{}", u.nsid);
  char separator = '?';
  const auto option = [&](std::string_view key, std::optional<bool> value) {
    if (value) out += fmt::format("{}{}={}", separator, key, *value ? "on" : "off");
    if (value) separator = '&';
  };
  option("hdgst", u.hdgst);
  option("ddgst", u.ddgst);
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (char c : text) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (alnum || std::string_view("-._~!$&'()*+,;=:@").find(c) != std::string_view::npos)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::expected<std::string, text_error> percent_decode(std::string_view text,
                                                      std::string_view what) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto high = i + 2 < text.size() ? hex_value(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? hex_value(text[i + 2]) : std::nullopt;
    if (!high || !low)
      return fail(what, i, "% is not followed by two hexadecimal digits; a % itself is %25");
    out += static_cast<char>((*high << 4) | *low);
    i += 2;
  }
  return out;
}

}  // namespace nvmf::wire
