// SPDX-License-Identifier: BSD-2-Clause
#include "namespaces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "commands.hpp"
#include "wire/layouts/identify.hpp"
#include "wire/layouts/identify_lists.hpp"

namespace nvmf::engine {

namespace {

// Identify Namespace of one namespace; the reason why it cannot be used otherwise.
std::expected<namespace_info, std::string> judge_namespace(std::uint32_t nsid,
                                                           std::span<const std::byte> data) {
  namespace_info n;
  n.nsid = nsid;
  n.blocks = wire::get<wire::identify_namespace, "nsze">(data);
  if (n.blocks == 0) return std::unexpected("it is not active (NSZE 0)");
  const auto flbas = wire::bytes_of<wire::identify_namespace, "flbas">(data);
  const auto nlbaf = wire::get<wire::identify_namespace, "nlbaf">(data);
  // The upper two bits of the index count only where there are more than 16 formats.
  const auto high = nlbaf > 15 ? wire::get<wire::flbas_layout, "format_high">(flbas) : 0;
  const auto index = wire::get<wire::flbas_layout, "format">(flbas) | (high << 4);
  const auto formats_there = nlbaf + 1 + wire::get<wire::identify_namespace, "nulbaf">(data);
  if (index >= formats_there)
    return std::unexpected(
        fmt::format("FLBAS names format {}, there are {} (NLBAF {})", index, formats_there, nlbaf));
  const auto formats = wire::bytes_of<wire::identify_namespace, "lbaf">(data);
  const auto format = formats.subspan(index * wire::lba_format_layout.size);
  const auto lbads = wire::get<wire::lba_format_layout, "lbads">(format);
  if (lbads < 9 || lbads > 31)
    return std::unexpected(
        fmt::format("LBADS of its format {} is {}, blocks have 2^9 bytes and more", index, lbads));
  n.block_size = std::uint32_t{1} << lbads;
  n.metadata_size = static_cast<std::uint16_t>(wire::get<wire::lba_format_layout, "ms">(format));
  return n;
}

}  // namespace

namespace_scan::namespace_scan(std::uint32_t highest, std::vector<std::uint32_t> only)
    : highest_(highest), listing_(false) {
  for (const std::uint32_t nsid : only)
    if (nsid != 0 && nsid <= highest_ && nsids_.size() < namespace_limit) nsids_.push_back(nsid);
}

action namespace_scan::start() {
  if (highest_ == 0) return finished{};
  return listing_ ? ask_list(0) : ask_next();
}

action namespace_scan::ask_list(std::uint32_t after) {
  last_listed_ = after;
  sent_ = identify(wire::cns::active_namespace_list, after);
  return sent_;
}

action namespace_scan::on_reply(const reply& got) {
  if (got.result.error) return failed{refused(host_stage::namespaces, sent_, got)};
  if (listing_) return got.result.status.ok() ? on_list(got.data) : on_no_list(got);
  if (got.result.status.ok())
    on_namespace(got.data);
  else
    notes_.add(
        fmt::format("namespace {}: Identify says {}", nsids_[next_], to_text(got.result.status)));
  ++next_;
  return ask_next();
}

// Before NVMe 1.1 there is no such list: every number up to NN may be a namespace.
action namespace_scan::on_no_list(const reply& got) {
  if (last_listed_ != 0 || !got.result.status.is(wire::status_code::invalid_field))
    return failed{refused(host_stage::namespaces, sent_, got)};
  notes_.add("there is no list of active namespaces (CNS 02h): each NSID up to NN was asked for");
  listing_ = false;
  quiet_ = true;
  nsids_.resize(std::min<std::size_t>(highest_, nsids_per_page));
  std::iota(nsids_.begin(), nsids_.end(), 1u);
  return ask_next();
}

action namespace_scan::on_list(std::span<const std::byte> data) {
  assert(data.size() == identify_size);
  std::uint32_t last = last_listed_;
  for (std::size_t i = 0; i < nsids_per_page; ++i) {
    const auto nsid = static_cast<std::uint32_t>(wire::load_le(data, i * 4, 4));
    if (nsid == 0) return end_of_list();
    // The order is what paging rests on; without it the pages need not end.
    if (nsid <= last) {
      host_failure f;
      f.stage = host_stage::namespaces;
      f.code = errc::protocol_violation;
      f.violation = protocol_error{.structure = wire::namespace_list.name,
                                   .offset = static_cast<std::uint32_t>(i * 4),
                                   .reason = "the NSIDs are not in ascending order",
                                   .value = nsid,
                                   .limit = last};
      f.detail =
          fmt::format("Active Namespace ID list: {} after {}: {}", nsid, last, f.violation->reason);
      return failed{std::move(f)};
    }
    last = nsid;
    if (nsid > highest_)
      ++beyond_;
    else if (nsids_.size() == namespace_limit)
      ++left_out_;
    else
      nsids_.push_back(nsid);
  }
  // A full page: the next one starts behind its last entry. Nothing that counts comes after NN, nor
  // is more than the limit looked at.
  return last >= highest_ || left_out_ > 0 ? end_of_list() : ask_list(last);
}

action namespace_scan::end_of_list() {
  listing_ = false;
  if (beyond_ > 0)
    notes_.add(fmt::format("{} listed above NN ({}) left out",
                           beyond_ == 1 ? "1 namespace" : fmt::format("{} namespaces", beyond_),
                           highest_));
  if (left_out_ > 0)
    notes_.add(fmt::format("only the first {} namespaces are looked at", namespace_limit));
  return ask_next();
}

action namespace_scan::ask_next() {
  if (next_ == nsids_.size()) return finished{};
  sent_ = identify(wire::cns::namespace_, nsids_[next_]);
  return sent_;
}

void namespace_scan::on_namespace(std::span<const std::byte> data) {
  assert(data.size() == identify_size);
  if (auto judged = judge_namespace(nsids_[next_], data))
    found_.push_back(*judged);
  else if (!quiet_)
    notes_.add(fmt::format("namespace {} left out: {}", nsids_[next_], judged.error()));
}

}  // namespace nvmf::engine
