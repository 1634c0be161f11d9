// SPDX-License-Identifier: BSD-2-Clause
#include "rdma_view.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>

#include "render/json.hpp"
#include "render/text.hpp"

namespace nvmf::cli {
namespace {

using rdma::device_report;
using rdma::machine_report;
using rdma::port_report;

// fe80::/10 says nothing without an interface.
bool is_link_local(const std::string& address) { return address.starts_with("fe80:"); }

// TCP makes the packets of iWARP.
void add_port(text_table& rows, const device_report& of, const port_report& p, bool gids) {
  std::string about = p.state;
  if (p.mtu != 0 && of.kind != rdma::fabric_kind::iwarp)
    about += fmt::format(", {} bytes in a packet, {} at most", p.mtu, p.mtu_max);
  rows.add({fmt::format("port {}", p.number), std::move(about)});
  for (const auto& i : p.interfaces)
    rows.add({i.name, i.addresses.empty() ? "no address"
                                          : fmt::format("{}", fmt::join(i.addresses, ", "))});
  if (!gids) return;
  for (const auto& g : p.gids)
    rows.add({fmt::format("gid {}", g.index),
              fmt::format("{} {}", rdma::kind_name(g.kind), rdma::gid_text(g))});
}

void add_limits(text_table& rows, const device_report& d) {
  rows.add({"queues",
            fmt::format("{} queue pairs of {} work requests with {} pieces; completion "
                        "queues of {} entries",
                        d.queue_pairs_max, d.work_requests_max, d.pieces_max, d.completions_max)});
  rows.add(
      {"memory", fmt::format("{} bytes in a registration, {} memory windows, {} shared receive "
                             "queues",
                             d.region_bytes_max, d.windows_max, d.shared_queues_max)});
  rows.add({"READs", fmt::format("{} of ours at a time, {} of the peer's", d.reads_out_max,
                                 d.reads_in_max)});
  rows.add({"node", d.firmware.empty() ? d.node_guid
                                       : fmt::format("{}, firmware {}", d.node_guid, d.firmware)});
}

template <class T>
boost::json::array array_of(const std::vector<T>& all, auto made) {
  boost::json::array a;
  for (const T& each : all) a.push_back(made(each));
  return a;
}

boost::json::object json_of(const port_report& p) {
  return {{"number", p.number},
          {"state", p.state},
          {"mtu", p.mtu},
          {"mtu_max", p.mtu_max},
          {"interfaces", array_of(p.interfaces,
                                  [](const auto& i) {
                                    return boost::json::object{
                                        {"name", i.name},
                                        {"up", i.up},
                                        {"addresses", array_of(i.addresses, json_text)}};
                                  })},
          {"gids", array_of(p.gids, [](const auto& g) {
             return boost::json::object{{"index", g.index},
                                        {"type", rdma::kind_name(g.kind)},
                                        {"gid", rdma::gid_text(g)},
                                        {"interface", g.interface}};
           })}};
}

boost::json::object json_of(const device_report& d, const machine_report& m) {
  const auto why_not = obstacles(d, m);
  boost::json::object o{{"name", d.name},
                        {"usable", why_not.empty()},
                        {"obstacles", array_of(why_not, json_text)},
                        {"remarks", array_of(remarks(d, m), json_text)},
                        {"node_guid", d.node_guid}};
  if (!d.trouble.empty()) return o;
  o["type"] = rdma::kind_name(d.kind);
  o["firmware"] = json_text(d.firmware);
  o["limits"] = {
      {"queue_pairs", d.queue_pairs_max},  {"work_requests", d.work_requests_max},
      {"completions", d.completions_max},  {"pieces", d.pieces_max},
      {"reads_in", d.reads_in_max},        {"reads_out", d.reads_out_max},
      {"memory_windows", d.windows_max},   {"shared_receive_queues", d.shared_queues_max},
      {"region_bytes", d.region_bytes_max}};
  o["ports"] = array_of(d.ports, [](const port_report& p) { return json_of(p); });
  return o;
}

}  // namespace

std::string listen_address(const device_report& d) {
  for (const port_report& p : d.ports)
    for (const auto& i : p.interfaces)
      for (const std::string& a : i.addresses)
        if (p.active && i.up && !i.loopback && !is_link_local(a))
          return a.find(':') == std::string::npos ? a : fmt::format("[{}]", a);
  return {};
}

std::string rdma_text(const machine_report& m, const style& look, int verbosity) {
  std::string out;
  for (const device_report& d : m.devices) {
    const auto why_not = obstacles(d, m);
    const bool usable = why_not.empty();
    out += fmt::format("{}  {}{}\n", look(tone::name, d.name),
                       d.trouble.empty() ? std::string{rdma::kind_name(d.kind)} + ", " : "",
                       usable ? "usable" : look(tone::warning, "not usable"));
    text_table rows{2};
    for (const std::string& why : why_not) rows.add({"because", why});
    for (const port_report& p : d.ports) add_port(rows, d, p, verbosity > 0);
    if (verbosity > 0 && d.trouble.empty()) add_limits(rows, d);
    for (const std::string& remark : remarks(d, m)) rows.add({"but", remark});
    if (const std::string at = listen_address(d); usable && !at.empty())
      rows.add({"so", fmt::format("nvmfctl serve --listen rdma:{}:4420 ...", at)});
    out += rows.str();
  }
  return out;
}

boost::json::object rdma_json(const machine_report& m) {
  boost::json::object o{
      {"devices", array_of(m.devices, [&](const device_report& d) { return json_of(d, m); })},
      {"memlock_bytes", nullptr}};
  if (m.memlock_bytes) o["memlock_bytes"] = *m.memlock_bytes;
  return o;
}

}  // namespace nvmf::cli
