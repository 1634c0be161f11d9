// SPDX-License-Identifier: BSD-2-Clause
#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tracing/json_view.hpp"

namespace nvmf::cli {
namespace {

constexpr std::size_t ports_shown = 5;

// "ports 80, 443, 22": the busiest first.
std::string ports_text(const trace::tracer& t) {
  std::vector<std::pair<std::uint64_t, std::uint16_t>> by_packets;
  for (const auto& [port, packets] : t.other_ports()) by_packets.emplace_back(packets, port);
  std::ranges::sort(by_packets, std::greater{});
  if (by_packets.size() > ports_shown) by_packets.resize(ports_shown);
  std::string out;
  for (const auto& [packets, port] : by_packets)
    out += fmt::format("{}{}", out.empty() ? " (ports " : ", ", port);
  return out.empty() ? out : out + ")";
}

}  // namespace

std::string inside_text(const trace::tracer& t) {
  const trace::packet_counts& n = t.counts();
  std::string out = fmt::format("{} packet{}", n.packets, n.packets == 1 ? "" : "s");
  std::string separator = ": ";
  const auto part = [&](std::uint64_t count, std::string_view what) {
    if (count == 0) return;
    out += fmt::format("{}{} {}", separator, count, what);
    separator = ", ";
  };
  part(n.other_link, n.link
                         ? fmt::format("of a link that is not read: {}", trace::link_name(*n.link))
                         : std::string{});
  part(n.tcp, "of TCP" + ports_text(t));
  part(n.udp, n.roce > 0 ? fmt::format("of UDP ({} of RoCEv2)", n.roce) : std::string{"of UDP"});
  part(n.other_ip, "of other IP");
  part(n.not_ip, "that are not IP");
  part(n.fragments, "IP fragments");
  part(n.headers_cut, "with their headers cut off");
  part(n.malformed, "malformed");
  if (n.tls > 0)
    out += fmt::format("; {} connection{} with TLS, which hides what is in it", n.tls,
                       n.tls == 1 ? "" : "s");
  return out;
}

std::vector<std::string> trace_warnings(const trace::tracer& t) {
  const trace::packet_counts& n = t.counts();
  std::vector<std::string> out;
  if (n.cut > 0)
    out.push_back(fmt::format(
        "{} of {} packets were cut to at most {} bytes when they were captured: data digests are "
        "not checked there, and PDUs may be missing (tcpdump -s 0 captures all)",
        n.cut, n.packets, n.cut_at));
  if (n.flow.given_up > 0)
    out.push_back(fmt::format("{} place{} where packets are missing from the capture",
                              n.flow.given_up, n.flow.given_up == 1 ? "" : "s"));
  if (n.roce_unknown > 0)
    out.push_back(fmt::format(
        "{} packets of RDMA were not decoded: they belong to connections that were set up before "
        "the capture began",
        n.roce_unknown));
  if (n.fragments > 0)
    out.push_back(fmt::format("{} IP fragments were not put together", n.fragments));
  if (n.forgotten > 0)
    out.push_back(fmt::format("more than {} connections at once: {} quiet ones were let go",
                              trace::flows_max, n.forgotten));
  return out;
}

boost::json::object trace_summary_json(const trace::tracer& t) {
  const trace::packet_counts& n = t.counts();
  boost::json::object o;
  o["packets"] = n.packets;
  o["bytes"] = n.bytes;
  o["first_ns"] = n.first_ns;
  o["last_ns"] = n.last_ns;
  o["connections"] = n.connections;
  o["tcp"] = n.tcp;
  o["udp"] = n.udp;
  o["roce"] = n.roce;
  o["roce_unknown"] = n.roce_unknown;
  o["not_ip"] = n.not_ip;
  o["cut"] = n.cut;
  o["fragments"] = n.fragments;
  o["malformed"] = n.malformed;
  o["sent_again"] = n.flow.sent_again;
  o["out_of_order"] = n.flow.out_of_order;
  o["gaps"] = n.flow.given_up;
  boost::json::object record = trace_record("summary");
  record["summary"] = std::move(o);
  return record;
}

}  // namespace nvmf::cli
