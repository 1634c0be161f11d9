// SPDX-License-Identifier: BSD-2-Clause
// The limits report: every limit in force, and where it comes from.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "association.hpp"
#include "wire/layouts/identify.hpp"
#include "wire/layouts/properties.hpp"

namespace nvmf {

namespace {

constexpr std::uint64_t longest_sgl = std::numeric_limits<std::uint32_t>::max();

std::string on_off(bool on) { return on ? "on" : "off"; }
std::string bytes(std::uint64_t n) { return fmt::format("{} bytes", n); }

template <wire::fixed_name Name>
std::uint64_t id(const engine::bring_up_facts& f) {
  return wire::get<wire::identify_controller, Name>(f.identify);
}

void transport_rows(std::vector<limit_row>& rows, const qpair_limits& l) {
  const auto padding = [](std::uint32_t alignment) {
    return fmt::format("{} ({})", alignment / 4 - 1, bytes(alignment));
  };
  rows.push_back({"header digest", on_off(l.header_digest), "ICReq and ICResp"});
  rows.push_back({"data digest", on_off(l.data_digest), "ICReq and ICResp"});
  rows.push_back({"HPDA", padding(l.host_alignment), "ICReq"});
  rows.push_back({"CPDA", padding(l.controller_alignment), "ICResp"});
  rows.push_back({"MAXR2T", fmt::format("{} ({} outstanding)", l.max_r2t - 1, l.max_r2t), "ICReq"});
  rows.push_back({"MAXH2CDATA", bytes(l.max_h2c_data), "ICResp"});
}

void property_rows(std::vector<limit_row>& rows, const engine::controller_properties& p) {
  std::array<std::byte, 8> cap{};
  wire::store_le(cap, 0, 8, p.cap);
  rows.push_back({"MQES",
                  fmt::format("{} ({} entries)", p.max_queue_entries() - 1, p.max_queue_entries()),
                  "property CAP"});
  rows.push_back(
      {"MPSMIN",
       fmt::format("{} ({})", wire::get<wire::cap_layout, "mpsmin">(cap), bytes(p.page_size())),
       "property CAP"});
  rows.push_back({"TO",
                  fmt::format("{} ({} ms to become ready)", wire::get<wire::cap_layout, "to">(cap),
                              p.ready_timeout.count()),
                  "property CAP"});
}

void identify_rows(std::vector<limit_row>& rows, const engine::bring_up_facts& f) {
  const auto& c = f.controller;
  const std::string source = "Identify Controller";
  const auto add = [&](std::string name, std::string value) {
    rows.push_back({std::move(name), std::move(value), source});
  };
  add("MDTS", fmt::format("{} ({})", id<"mdts">(f),
                          c.max_transfer == 0 ? "no limit" : bytes(c.max_transfer)));
  if (c.kind == engine::controller_type::io) {
    add("IOCCSZ", fmt::format("{} ({}, {} of data in a capsule)", id<"ioccsz">(f),
                              bytes(id<"ioccsz">(f) * 16), bytes(c.max_in_capsule)));
    add("IORCSZ", fmt::format("{} ({})", id<"iorcsz">(f), bytes(id<"iorcsz">(f) * 16)));
    add("ICDOFF", fmt::format("{} ({})", id<"icdoff">(f), bytes(id<"icdoff">(f) * 16)));
    add("MAXCMD",
        c.max_commands == 0 ? "0 (as the queue size)" : fmt::format("{} commands", c.max_commands));
    add("NN", fmt::format("{}", c.namespaces));
  }
  add("MSDBD", id<"msdbd">(f) == 0 ? "0 (no limit)" : fmt::format("{}", id<"msdbd">(f)));
  add("SGLS", fmt::format("{:08X}h", id<"sgls">(f)));
  add("AERL", fmt::format("{} ({} requests)", c.async_events - 1, c.async_events));
  add("ACL", fmt::format("{} ({} Aborts at once)", c.aborts - 1, c.aborts));
  add("KAS", fmt::format("{} ({} ms steps)", id<"kas">(f), c.keep_alive_granularity.count()));
  add("TBKAS", c.traffic_keeps_alive ? "yes: any command keeps alive" : "no");
}

void keep_alive_row(std::vector<limit_row>& rows, const host_core& core) {
  const auto& k = core.keep_alive();
  if (!k || !k->active()) {
    rows.push_back({"KATO",
                    core.options().keep_alive.count() == 0 ? "0 (no keep alive)" : "not used",
                    "option keep-alive-tmo"});
    return;
  }
  rows.push_back(
      {"KATO",
       fmt::format("{} ms, counted as {} ms, looked at every {} ms", k->kato().count(),
                   k->rounded().count(),
                   std::chrono::duration_cast<std::chrono::milliseconds>(k->period()).count()),
       "Connect, rounded by KAS"});
}

void queue_rows(std::vector<limit_row>& rows, const host_core& core) {
  const auto& f = core.facts();
  rows.push_back({"admin queue",
                  fmt::format("{} entries, SQ flow control {}", f.admin.entries,
                              on_off(f.admin.sq_flow_control)),
                  "Connect"});
  if (f.reached < host_stage::ready) return;
  rows.push_back({"I/O queues",
                  fmt::format("{} of {} asked", f.io.size(), core.options().io_queues),
                  "Set Features, Number of Queues"});
  if (f.io.empty()) return;
  const host_queue* first = core.queue(1);
  rows.push_back(
      {"I/O queue",
       fmt::format("{} entries, {} commands at once, SQ flow control {}", f.io[0].entries,
                   first == nullptr ? 0 : first->depth(), on_off(f.io[0].sq_flow_control)),
       f.io[0].entries < core.options().io_queue_size ? "CAP.MQES and MAXCMD"
                                                      : "option queue-size"});
}

}  // namespace

std::uint64_t host_max_transfer(const host_core& core) {
  std::uint64_t least = longest_sgl;
  const std::uint64_t mdts = core.facts().controller.max_transfer;
  if (mdts != 0) least = std::min(least, mdts);
  const host_queue* q = core.io_queues() > 0 ? core.queue(1) : core.queue(0);
  if (q != nullptr && q->pair()) {
    const std::uint32_t of_transport = q->pair().limits().max_transfer;
    if (of_transport != 0) least = std::min<std::uint64_t>(least, of_transport);
  }
  return least;
}

std::vector<limit_row> host_limits(const host_core& core) {
  std::vector<limit_row> rows;
  const engine::bring_up_facts& f = core.facts();
  const host_queue* admin = core.queue(0);
  const bool tcp = core.options().transport == "tcp";
  if (tcp && admin != nullptr && admin->pair()) transport_rows(rows, admin->pair().limits());
  if (f.reached >= host_stage::properties) property_rows(rows, f.properties);
  if (!f.identify.empty()) identify_rows(rows, f);
  if (f.admin.entries != 0) {
    keep_alive_row(rows, core);
    queue_rows(rows, core);
  }
  if (f.reached >= host_stage::identify) {
    const std::uint64_t most = host_max_transfer(core);
    const std::uint64_t mdts = f.controller.max_transfer;
    rows.push_back({"largest I/O",
                    most == longest_sgl
                        ? fmt::format("{} (no limit but the SGL's length)", bytes(most))
                        : bytes(most),
                    most == longest_sgl ? "SGL descriptor"
                    : most == mdts      ? "MDTS and CAP.MPSMIN"
                                        : "transport"});
  }
  return rows;
}

}  // namespace nvmf
