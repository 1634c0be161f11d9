// SPDX-License-Identifier: BSD-2-Clause
#include "features.hpp"

#include <algorithm>

#include "async_events.hpp"
#include "wire/layouts/commands_admin.hpp"
#include "wire/layouts/features.hpp"

namespace nvmf::engine {
namespace {

using wire::feature;
using wire::get_features_command;
using wire::offset_of;
using wire::set_features_command;
using wire::status_code;

constexpr std::uint8_t id(feature f) { return static_cast<std::uint8_t>(f); }
constexpr std::uint32_t no_threshold_over = 0xffff;

// fid, changeable, per namespace, discovery controllers have it, initial value
constexpr feature_row rows[] = {
    {id(feature::arbitration), true, false, false, 0},
    {id(feature::power_management), true, false, false, 0},
    {id(feature::temperature_threshold), true, false, false, no_threshold_over},
    {id(feature::error_recovery), true, true, false, 0},
    {id(feature::volatile_write_cache), true, false, false, 1},
    {id(feature::number_of_queues), true, false, false, 0},
    {id(feature::interrupt_coalescing), true, false, false, 0},
    {id(feature::interrupt_vector_configuration), true, false, false, 0},
    {id(feature::write_atomicity_normal), true, false, false, 0},
    {id(feature::async_event_configuration), true, false, true, 0},
    {id(feature::keep_alive_timer), true, false, true, 0},
    {id(feature::host_identifier), false, false, false, 0},
};

refusal bad_value(std::string_view why) {
  return refuse(status_code::invalid_field, why, offset_of<set_features_command, "cdw11">());
}

// The dword as bytes that a feature's layout reads.
std::array<std::byte, 4> dword(std::uint32_t v) {
  std::array<std::byte, 4> b{};
  wire::store_le(b, 0, 4, v);
  return b;
}

bool active(std::span<const namespace_view> namespaces, std::uint32_t nsid) {
  return std::ranges::find(namespaces, nsid, &namespace_view::nsid) != namespaces.end();
}

}  // namespace

const feature_row* find_feature(std::uint8_t fid, controller_kind kind) {
  const auto* row = std::ranges::find(rows, fid, &feature_row::fid);
  if (row == std::end(rows)) return nullptr;
  return kind == controller_kind::io || row->on_discovery ? row : nullptr;
}

std::uint32_t round_kato(std::uint32_t kato_ms) {
  constexpr std::uint64_t unit = std::uint64_t{kas} * kas_unit_ms;
  const std::uint64_t rounded = (kato_ms + unit - 1) / unit * unit;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(rounded, 0xffff'ffff / unit * unit));
}

features::features(const controller_config& config)
    : config_(config), kato_ms_(round_kato(config.kato_ms)) {
  reset();
}

void features::reset() {
  for (const feature_row& row : rows)
    if (row.fid < plain_.size()) plain_[row.fid] = row.initial;
  temperature_ = {no_threshold_over, 0};
  error_recovery_.clear();
  queues_granted_ = 0;
}

bool features::write_cache() const { return (plain_[id(feature::volatile_write_cache)] & 1) != 0; }

std::uint32_t features::value_of(const feature_row& row, std::uint32_t nsid,
                                 std::uint32_t cdw11) const {
  switch (static_cast<feature>(row.fid)) {
    case feature::temperature_threshold: {
      const auto w = dword(cdw11);
      return temperature_[wire::get<wire::feature_temperature_threshold, "thsel">(w) & 1];
    }
    case feature::error_recovery: {
      const auto found = error_recovery_.find(nsid);
      return found == error_recovery_.end() ? row.initial : found->second;
    }
    case feature::interrupt_vector_configuration:
      return plain_[row.fid] | (cdw11 & 0xffff);  // the vector it was asked of
    case feature::keep_alive_timer:
      return kato_ms_;
    default:
      return row.fid < plain_.size() ? plain_[row.fid] : 0;
  }
}

std::expected<features::answer, refusal> features::get(
    std::span<const std::byte, 64> sqe, std::span<const namespace_view> namespaces) const {
  const auto fid = static_cast<std::uint8_t>(wire::get<get_features_command, "fid">(sqe));
  const auto cdw11 = static_cast<std::uint32_t>(wire::get<get_features_command, "cdw11">(sqe));
  const auto nsid = static_cast<std::uint32_t>(wire::get<get_features_command, "nsid">(sqe));
  const feature_row* row = find_feature(fid, config_.kind);
  if (row == nullptr)
    return std::unexpected(refuse(status_code::invalid_field, "Get Features: no such feature",
                                  offset_of<get_features_command, "fid">()));
  if (row->per_namespace && !active(namespaces, nsid))
    return std::unexpected(refuse(status_code::invalid_namespace_or_format,
                                  "Get Features: the feature belongs to a namespace",
                                  offset_of<get_features_command, "nsid">()));
  answer a;
  switch (static_cast<wire::feature_select>(wire::get<get_features_command, "sel">(sqe))) {
    case wire::feature_select::current:
      a.dw0 = value_of(*row, nsid, cdw11);
      break;
    case wire::feature_select::default_:
    case wire::feature_select::saved:  // nothing is saved: the default is what a reset restores
      a.dw0 = fid == id(feature::keep_alive_timer) ? kato_ms_ : row->initial;
      break;
    case wire::feature_select::supported_capabilities:
      a.dw0 = (row->per_namespace ? 2u : 0u) | (row->changeable ? 4u : 0u);
      return a;
    default:
      return std::unexpected(refuse(status_code::invalid_field, "Get Features: reserved SEL",
                                    offset_of<get_features_command, "sel">()));
  }
  if (fid == id(feature::temperature_threshold)) {
    const auto w = dword(cdw11);
    if (wire::get<wire::feature_temperature_threshold, "tmpsel">(w) != 0 ||
        wire::get<wire::feature_temperature_threshold, "thsel">(w) > 1)
      return std::unexpected(bad_value("Temperature Threshold: there is no such sensor"));
  }
  if (fid == id(feature::host_identifier)) {
    if (wire::get<wire::feature_host_identifier, "exhid">(dword(cdw11)) == 0)
      return std::unexpected(bad_value("Host Identifier: over fabrics it has 128 bits"));
    a.data.assign(config_.host.begin(), config_.host.end());
  }
  return a;
}

std::expected<std::uint32_t, refusal> features::checked(std::uint8_t fid, std::uint32_t cdw11,
                                                        std::uint32_t io_queues) {
  const auto w = dword(cdw11);
  switch (static_cast<feature>(fid)) {
    case feature::power_management:
      if (cdw11 != 0)
        return std::unexpected(bad_value("Power Management: only power state 0 exists"));
      return 0;
    case feature::temperature_threshold: {
      const auto sensor = wire::get<wire::feature_temperature_threshold, "tmpsel">(w);
      if ((sensor != 0 && sensor != 15) ||
          wire::get<wire::feature_temperature_threshold, "thsel">(w) > 1)
        return std::unexpected(bad_value("Temperature Threshold: there is no such sensor"));
      return static_cast<std::uint32_t>(wire::get<wire::feature_temperature_threshold, "tmpth">(w));
    }
    case feature::error_recovery:
      if (wire::get<wire::feature_error_recovery, "dulbe">(w) != 0)
        return std::unexpected(bad_value("Error Recovery: DULBE is not supported"));
      return cdw11 & 0xffff;
    case feature::volatile_write_cache:
      return cdw11 & 1;
    case feature::write_atomicity_normal:
      return cdw11 & 1;
    case feature::interrupt_vector_configuration:
      return cdw11 & 0x10000;
    case feature::number_of_queues: {
      const auto sq = wire::get<wire::feature_queues_request, "nsqr">(w);
      const auto cq = wire::get<wire::feature_queues_request, "ncqr">(w);
      if (sq == 0xffff || cq == 0xffff)
        return std::unexpected(bad_value("Number of Queues: 65536 is reserved"));
      if (io_queues != 0)
        return std::unexpected(refuse(status_code::command_sequence_error,
                                      "Number of Queues: I/O queues exist already"));
      // Over fabrics a submission and a completion queue are one: the lesser number counts.
      const auto granted = std::min<std::uint64_t>(std::min(sq, cq) + 1, config_.io_queues_max);
      queues_granted_ = static_cast<std::uint32_t>(granted);
      const auto zero_based = queues_granted_ - 1;
      return zero_based | (zero_based << 16);
    }
    case feature::async_event_configuration:
      if ((cdw11 & ~async_events::supported(config_.kind)) != 0)
        return std::unexpected(bad_value("Asynchronous Event Configuration: no such event"));
      return cdw11;
    case feature::keep_alive_timer:
      if (cdw11 > config_.kato_max_ms)
        return std::unexpected(refuse(status_code::keep_alive_timeout_invalid,
                                      "Keep Alive Timer: more than this target grants",
                                      offset_of<set_features_command, "cdw11">()));
      return round_kato(cdw11);
    default:
      return cdw11;
  }
}

std::expected<features::change, refusal> features::set(std::span<const std::byte, 64> sqe,
                                                       std::span<const namespace_view> namespaces,
                                                       std::uint32_t io_queues) {
  const auto fid = static_cast<std::uint8_t>(wire::get<set_features_command, "fid">(sqe));
  const auto cdw11 = static_cast<std::uint32_t>(wire::get<set_features_command, "cdw11">(sqe));
  const auto nsid = static_cast<std::uint32_t>(wire::get<set_features_command, "nsid">(sqe));
  const feature_row* row = find_feature(fid, config_.kind);
  if (row == nullptr)
    return std::unexpected(refuse(status_code::invalid_field, "Set Features: no such feature",
                                  offset_of<set_features_command, "fid">()));
  if (wire::get<set_features_command, "sv">(sqe) != 0)
    return std::unexpected(refuse(status_code::feature_identifier_not_saveable,
                                  "Set Features: nothing can be saved",
                                  offset_of<set_features_command, "sv">()));
  if (!row->changeable)
    return std::unexpected(refuse(status_code::command_sequence_error,
                                  "Host Identifier: over fabrics Connect has set it"));
  const bool one_namespace = nsid != 0 && nsid != broadcast_nsid;
  if (one_namespace && !row->per_namespace)
    return std::unexpected(refuse(status_code::feature_not_namespace_specific,
                                  "Set Features: the feature belongs to the controller",
                                  offset_of<set_features_command, "nsid">()));
  if (row->per_namespace && nsid != broadcast_nsid && !active(namespaces, nsid))
    return std::unexpected(refuse(status_code::invalid_namespace_or_format,
                                  "Set Features: the feature belongs to a namespace",
                                  offset_of<set_features_command, "nsid">()));
  const auto value = checked(fid, cdw11, io_queues);
  if (!value) return std::unexpected(value.error());
  change c{.fid = fid, .value = *value, .dw0 = 0};
  if (fid == id(feature::number_of_queues)) c.dw0 = *value;
  if (fid == id(feature::keep_alive_timer)) kato_ms_ = *value;
  if (fid == id(feature::temperature_threshold))
    temperature_[wire::get<wire::feature_temperature_threshold, "thsel">(dword(cdw11))] = *value;
  if (row->per_namespace) {
    for (const namespace_view& ns : namespaces)
      if (nsid == broadcast_nsid || ns.nsid == nsid) error_recovery_[ns.nsid] = *value;
  } else if (fid < plain_.size()) {
    plain_[fid] = *value;
  }
  return c;
}

}  // namespace nvmf::engine
