// SPDX-License-Identifier: BSD-2-Clause
// The commands of a controller that return data: Identify and Get Log Page.
#include <algorithm>

#include "controller.hpp"
#include "wire/layouts/commands_admin.hpp"

namespace nvmf::engine {

using wire::cns;
using wire::get;
using wire::get_log_page_command;
using wire::identify_command;
using wire::offset_of;
using wire::status_code;

namespace {

// What Get Log Page may ask for at once when there is no MDTS.
constexpr std::uint64_t log_bytes_max = 1 << 20;

std::unexpected<refusal> no_namespace() {
  return std::unexpected(refuse(status_code::invalid_namespace_or_format, "no such namespace",
                                offset_of<identify_command, "nsid">()));
}

bool in_range(std::uint32_t nsid) { return nsid >= 1 && nsid <= nsid_max; }

}  // namespace

answer controller::identify(std::span<const std::byte, 64> sqe, std::uint32_t data_length) const {
  const auto page = identify_page(sqe);
  if (!page) return refused(page.error());
  if (data_length < identify_size)
    return refused(refuse(status_code::data_sgl_length_invalid, "the SGL is too short"));
  return {.data = {page->begin(), page->end()}};
}

std::expected<identify_data, refusal> controller::identify_page(
    std::span<const std::byte, 64> sqe) const {
  const auto what = static_cast<cns>(get<identify_command, "cns">(sqe));
  const auto nsid = static_cast<std::uint32_t>(get<identify_command, "nsid">(sqe));
  const auto csi = get<identify_command, "csi">(sqe);
  if (what == cns::controller) return identify_controller(config_);
  const auto invalid = std::unexpected(
      refuse(status_code::invalid_field, "no such CNS", offset_of<identify_command, "cns">()));
  if (config_.kind != controller_kind::io) return invalid;
  const bool by_command_set = what == cns::csi_namespace || what == cns::csi_controller ||
                              what == cns::csi_active_namespace_list;
  if (by_command_set && csi != static_cast<std::uint8_t>(wire::csi::nvm))
    return std::unexpected(refuse(status_code::invalid_field, "only the NVM command set",
                                  offset_of<identify_command, "csi">()));
  const namespace_view* ns = find_namespace(nsid);
  switch (what) {
    case cns::namespace_:
      if (!in_range(nsid)) return no_namespace();
      // An NSID that is valid but not active reads as zeroes (Base 2.0, 3.2.1).
      return ns != nullptr ? identify_namespace(*ns, config_.subsystem_nqn) : identify_data{};
    case cns::csi_namespace:
      if (!in_range(nsid)) return no_namespace();
      return identify_data{};  // no extended formats, no protection information
    case cns::csi_controller:
      return identify_data{};  // no limits but MDTS
    case cns::csi_independent_namespace:
      if (!in_range(nsid)) return no_namespace();
      return ns != nullptr ? identify_independent(*ns) : identify_data{};
    case cns::active_namespace_list:
    case cns::csi_active_namespace_list:
      if (nsid >= broadcast_nsid - 1) return no_namespace();
      return active_list(around_.namespaces(), nsid);
    case cns::namespace_identification_descriptors:
      if (ns == nullptr) return no_namespace();
      return id_descriptors(nsid, config_.subsystem_nqn);
    case cns::io_command_set:
      return io_command_sets();
    default:
      return invalid;
  }
}

std::vector<std::byte> controller::log_page(std::uint8_t lid, time_point now) const {
  switch (static_cast<wire::log_page>(lid)) {
    case wire::log_page::supported_log_pages:
      return supported_pages(config_.kind);
    case wire::log_page::error_information:
      return errors_.page(config_.trtype);
    case wire::log_page::smart_health:
      return smart_page(around_.counters(), errors_.count(), now - since_);
    case wire::log_page::firmware_slot:
      return firmware_page(config_.firmware);
    case wire::log_page::changed_namespace_list:
      return changed_.page();
    case wire::log_page::commands_supported_and_effects:
      return command_effects_page();
    default:
      return around_.discovery_log();
  }
}

answer controller::get_log_page(std::span<const std::byte, 64> sqe, std::uint32_t data_length,
                                time_point now) {
  const auto no = [](status_code code, std::string_view why) { return refused(refuse(code, why)); };
  const auto lid = static_cast<std::uint8_t>(get<get_log_page_command, "lid">(sqe));
  if (!has_page(lid, config_.kind)) return no(status_code::invalid_log_page, "no such log page");
  const std::uint64_t dwords =
      (get<get_log_page_command, "numdl">(sqe) | (get<get_log_page_command, "numdu">(sqe) << 16)) +
      1;
  const std::uint64_t offset =
      get<get_log_page_command, "lpol">(sqe) | (get<get_log_page_command, "lpou">(sqe) << 32);
  const std::uint64_t bytes = dwords * 4;
  const std::uint64_t most =
      config_.mdts == 0 ? log_bytes_max : std::uint64_t{page_size} << config_.mdts;
  if (get<get_log_page_command, "ot">(sqe) != 0)
    return no(status_code::invalid_field, "no log page has an index");
  if (offset % 4 != 0) return no(status_code::invalid_field, "the offset is not whole dwords");
  if (bytes > most) return no(status_code::invalid_field, "more data than MDTS allows");
  if (data_length < bytes) return no(status_code::data_sgl_length_invalid, "the SGL is too short");
  // Every page here is of the controller; SMART is not kept per namespace (LPA bit 0).
  const auto nsid = static_cast<std::uint32_t>(get<get_log_page_command, "nsid">(sqe));
  if (lid == static_cast<std::uint8_t>(wire::log_page::smart_health) && nsid != 0 &&
      nsid != broadcast_nsid)
    return no(status_code::invalid_field, "SMART is of the controller only");

  const std::vector<std::byte> page = log_page(lid, now);
  if (offset > page.size()) return no(status_code::invalid_field, "the offset is beyond the page");
  answer r;
  r.data.resize(bytes);  // beyond the page: zeroes
  const auto n = std::min<std::uint64_t>(bytes, page.size() - offset);
  std::copy_n(page.begin() + static_cast<std::ptrdiff_t>(offset), n, r.data.begin());
  if (get<get_log_page_command, "rae">(sqe) == 0) {
    if (lid == static_cast<std::uint8_t>(wire::log_page::changed_namespace_list)) {
      changed_.clear();
      events_.clear(event_kind::namespace_changed);
    } else if (lid == static_cast<std::uint8_t>(wire::log_page::discovery)) {
      events_.clear(event_kind::discovery_changed);
    }
  }
  return r;
}

}  // namespace nvmf::engine
