// SPDX-License-Identifier: BSD-2-Clause
#include "discovery.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "commands.hpp"
#include "wire/layouts/discovery.hpp"

namespace nvmf::engine {

namespace {
constexpr std::uint32_t record = 1024;  // bytes of the header, and of each entry
}  // namespace

discovery_reader::discovery_reader(std::uint64_t max_transfer)
    : piece_(static_cast<std::uint32_t>(
          std::max<std::uint64_t>(std::min<std::uint64_t>(max_transfer, discovery_piece), record) /
          record * record)) {}

action discovery_reader::ask(step next, std::uint64_t offset, std::uint32_t length, bool retain) {
  step_ = next;
  sent_ = get_log_page(wire::log_page::discovery, offset, length, retain);
  return sent_;
}

action discovery_reader::start() {
  log_ = {};
  ++reads_;
  return ask(step::header, 0, record, true);
}

action discovery_reader::again() {
  if (reads_ < discovery_reads_limit) return start();
  return give_up(errc::limit_exceeded,
                 fmt::format("the discovery log changed during each of {} reads", reads_));
}

action discovery_reader::give_up(errc code, std::string detail) {
  host_failure f;
  f.stage = host_stage::ready;
  f.code = code;
  f.detail = std::move(detail);
  return failed{std::move(f)};
}

action discovery_reader::on_reply(const reply& got) {
  if (got.result.has_cqe && got.result.status.is(wire::fabrics_status_code::discover_restart))
    return again();
  if (!got.result.ok()) return failed{refused(host_stage::ready, sent_, got)};
  if (step_ != step::entries) return on_header(got);
  for (std::size_t at = 0; at + record <= got.data.size(); at += record)
    std::ranges::copy(got.data.subspan(at, record), log_.entries.emplace_back().begin());
  return next_entries();
}

action discovery_reader::on_header(const reply& got) {
  const auto genctr = wire::get<wire::discovery_log, "genctr">(got.data);
  if (step_ == step::recheck) {
    if (genctr != log_.generation) return again();
    return finished{};
  }
  log_.generation = genctr;
  records_ = wire::get<wire::discovery_log, "numrec">(got.data);
  const auto recfmt = wire::get<wire::discovery_log, "recfmt">(got.data);
  if (recfmt != 0)
    return give_up(errc::protocol_violation,
                   fmt::format("the discovery log has record format (RECFMT) {}, not 0", recfmt));
  if (records_ > discovery_entry_limit)
    return give_up(errc::limit_exceeded,
                   fmt::format("the discovery log claims {} entries (NUMREC); {} are read at most",
                               records_, discovery_entry_limit));
  return next_entries();
}

action discovery_reader::next_entries() {
  const std::uint64_t left = records_ - log_.entries.size();
  // The last look at the header gives the event of this page back to the controller.
  if (left == 0) return ask(step::recheck, 0, record, false);
  const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(left * record, piece_));
  return ask(step::entries, record * (std::uint64_t{log_.entries.size()} + 1), length, true);
}

}  // namespace nvmf::engine
