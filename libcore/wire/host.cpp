// SPDX-License-Identifier: BSD-2-Clause
#include "host.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "numbers.hpp"

namespace nvmf::wire {

namespace {

constexpr std::string_view digits = "0123456789";
constexpr std::string_view hex_digits = "0123456789abcdefABCDEF";
constexpr std::size_t name_max_length = 253;
constexpr std::size_t label_max_length = 63;
constexpr std::size_t scope_max_length = 31;

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::unexpected<text_error> bad_ipv4(std::size_t position, std::string reason) {
  return bad_text("host", position, std::move(reason), "192.0.2.1");
}
std::unexpected<text_error> bad_ipv6(std::size_t position, std::string reason) {
  return bad_text("host", position, std::move(reason), "[2001:db8::1]");
}

std::expected<host_kind, text_error> check_ipv4(std::string_view host) {
  std::size_t start = 0;
  for (int part = 0; part < 4; ++part) {
    const std::size_t dot = host.find('.', start);
    const auto number = host.substr(start, dot == host.npos ? dot : dot - start);
    if (number.empty() || number.find_first_not_of(digits) != number.npos)
      return bad_ipv4(start, fmt::format("{} is not an IPv4 address", quoted(host)));
    // Some resolvers read a leading zero as octal: two machines would go to two places.
    if (number.size() > 1 && number[0] == '0')
      return bad_ipv4(start, fmt::format("{} in an IPv4 address has a leading zero", number));
    if (number.size() > 3 || !parse_number(number, "host", {.max = 255}))
      return bad_ipv4(start, fmt::format("{} in an IPv4 address is more than 255", quoted(number)));
    if ((dot == host.npos) != (part == 3))
      return bad_ipv4(dot == host.npos ? host.size() : dot, "an IPv4 address has four numbers");
    start = dot + 1;
  }
  return host_kind::ipv4;
}

std::expected<void, text_error> check_scope(std::string_view scope, std::size_t position) {
  if (scope.empty())
    return bad_text("host", position, "the scope after % is missing", "[fe80::1%25eth0]");
  if (scope.size() > scope_max_length)
    return bad_text("host", position, "the scope is too long", "[fe80::1%25eth0]");
  for (std::size_t i = 0; i < scope.size(); ++i)
    if (!is_alnum(scope[i]) && std::string_view("._-@").find(scope[i]) == std::string_view::npos)
      return bad_text("host", position + i,
                      fmt::format("{} cannot be part of a scope", quoted(scope.substr(i, 1))),
                      "[fe80::1%25eth0]");
  return {};
}

// RFC 4291, 2.2: eight groups of up to four digits, one run of zero groups as ::, the last two
// groups possibly as an IPv4 address.
std::expected<host_kind, text_error> check_ipv6(std::string_view host) {
  const std::size_t percent = host.find('%');
  if (percent != host.npos) {
    const auto scope = check_scope(host.substr(percent + 1), percent + 1);
    if (!scope) return std::unexpected(scope.error());
  }
  const std::string_view text = host.substr(0, percent);
  int groups = 0;
  bool run = false;
  std::size_t i = 0;
  if (text.starts_with(':') && !text.starts_with("::"))
    return bad_ipv6(0, "an IPv6 address does not start with a single colon");
  while (i < text.size()) {
    if (text.substr(i).starts_with("::")) {
      if (run) return bad_ipv6(i, "an IPv6 address has :: once only");
      run = true;
      i += 2;
      continue;
    }
    if (text[i] == ':' && ++i == text.size())
      return bad_ipv6(i - 1, "an IPv6 address does not end with a single colon");
    const std::size_t end = std::min(text.find(':', i), text.size());
    const auto group = text.substr(i, end - i);
    if (end == text.size() && group.find('.') != group.npos) {
      if (const auto v4 = check_ipv4(group); !v4) return bad_ipv6(i, v4.error().reason);
      groups += 2;
    } else if (group.empty() || group.size() > 4 ||
               group.find_first_not_of(hex_digits) != group.npos) {
      return bad_ipv6(i, fmt::format("{} is not a group of an IPv6 address", quoted(group)));
    } else {
      ++groups;
    }
    i = end;
  }
  if (run ? groups > 7 : groups != 8)
    return bad_ipv6(0, fmt::format("an IPv6 address has eight groups, {} are given", groups));
  return host_kind::ipv6;
}

std::expected<host_kind, text_error> check_name(std::string_view host) {
  if (host.size() > name_max_length)
    return bad_text("host", name_max_length,
                    fmt::format("a host name has at most {} characters", name_max_length),
                    "example.org");
  std::size_t label = 0;
  for (std::size_t i = 0; i <= host.size(); ++i) {
    const bool end = i == host.size();
    if (!end && host[i] != '.') {
      if (!is_alnum(host[i]) && host[i] != '-' && host[i] != '_')
        return bad_text("host", i,
                        fmt::format("{} cannot be part of a host name", quoted(host.substr(i, 1))),
                        "example.org");
      continue;
    }
    if (i == label && !(end && i > 0))  // one dot at the end is the root
      return bad_text("host", i, "a host name has no empty label", "example.org");
    if (i - label > label_max_length)
      return bad_text("host", label,
                      fmt::format("a label has at most {} characters", label_max_length),
                      "example.org");
    label = i + 1;
  }
  return host_kind::name;
}

std::expected<endpoint, text_error> with_port(std::string host, std::string_view text,
                                              std::size_t colon, std::uint16_t min_port) {
  endpoint e{std::move(host), std::nullopt};
  if (colon == text.npos) return e;
  const auto port = parse_number(text.substr(colon + 1), "port", {.min = min_port, .max = 65535});
  if (!port) {
    text_error error = port.error();
    error.position += colon + 1;
    error.example = "4420";
    return std::unexpected(error);
  }
  e.port = static_cast<std::uint16_t>(*port);
  return e;
}

std::expected<endpoint, text_error> parse_bracketed(std::string_view text, std::uint16_t min_port) {
  const std::size_t close = text.find(']');
  if (close == text.npos) return bad_ipv6(text.size(), "the closing bracket is missing");
  std::string host(text.substr(1, close - 1));
  // RFC 6874 writes the % before a scope as %25. A scope that is just 25 keeps its plain %.
  if (const auto p = host.find("%25"); p != host.npos && p + 3 < host.size()) host.erase(p + 1, 2);
  if (host.find(':') == host.npos)
    return bad_ipv6(1,
                    fmt::format("{} is not an IPv6 address; brackets are for those", quoted(host)));
  if (const auto kind = check_ipv6(host); !kind) {
    text_error error = kind.error();
    error.position += 1;  // the bracket
    return std::unexpected(error);
  }
  if (close + 1 < text.size() && text[close + 1] != ':')
    return bad_text("host", close + 1, "a colon and the port, or nothing, follow the bracket",
                    "[2001:db8::1]:4420");
  return with_port(std::move(host), text, close + 1 < text.size() ? close + 1 : text.npos,
                   min_port);
}

}  // namespace

std::expected<host_kind, text_error> check_host(std::string_view host) {
  if (host.empty()) return bad_text("host", 0, "is empty", "example.org");
  if (host.find(':') != host.npos) return check_ipv6(host);
  if (host.find_first_not_of("0123456789.") == host.npos) return check_ipv4(host);
  return check_name(host);
}

std::expected<endpoint, text_error> parse_endpoint(std::string_view text, std::uint16_t min_port) {
  if (text.starts_with('[')) return parse_bracketed(text, min_port);
  const std::size_t colon = text.find(':');
  if (colon != text.npos && text.find(':', colon + 1) != text.npos)
    return bad_text("host", colon, "an IPv6 address stands in brackets", "[2001:db8::1]:4420");
  const std::string_view host = text.substr(0, colon);
  if (const auto kind = check_host(host); !kind) return std::unexpected(kind.error());
  return with_port(std::string(host), text, colon, min_port);
}

std::string to_text(const endpoint& e) {
  std::string out = e.host;
  if (out.find(':') != out.npos) {
    if (const auto p = out.find('%'); p != out.npos) out.insert(p + 1, "25");
    out = "[" + out + "]";
  }
  return e.port ? fmt::format("{}:{}", out, *e.port) : out;
}

}  // namespace nvmf::wire
