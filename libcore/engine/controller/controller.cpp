// SPDX-License-Identifier: BSD-2-Clause
#include "controller.hpp"

#include <algorithm>

#include "wire/layouts/commands_admin.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/features.hpp"

namespace nvmf::engine {

using wire::admin_opcode;
using wire::fabrics_status_code;
using wire::fabrics_type;
using wire::get;
using wire::offset_of;
using wire::sqe_layout;
using wire::status_code;

namespace {

std::uint16_t cid_of(std::span<const std::byte, 64> sqe) {
  return static_cast<std::uint16_t>(get<sqe_layout, "cid">(sqe));
}

}  // namespace

controller::controller(controller_config config, surroundings& around, time_point now)
    : config_(std::move(config)),
      around_(around),
      properties_(config_.kind == controller_kind::io ? config_.io_queue_entries_max
                                                      : admin_queue_entries_max,
                  config_.kind == controller_kind::io),
      features_(config_),
      since_(now) {
  disabled_until_ = now + disabled_limit;
  keep_alive_.restart(features_.kato_ms(), now);
}

const namespace_view* controller::find_namespace(std::uint32_t nsid) const {
  const auto all = around_.namespaces();
  const auto found = std::ranges::lower_bound(all, nsid, {}, &namespace_view::nsid);
  return found != all.end() && found->nsid == nsid ? &*found : nullptr;
}

answer controller::on_command(std::span<const std::byte, 64> sqe, std::uint32_t data_length,
                              time_point now) {
  keep_alive_.traffic();
  answer r = dispatch(sqe, data_length, now);
  if (!r.held && !r.status.ok()) {
    // More: the error log has an entry for this one.
    r.status.more = true;
    errors_.add({.sqid = 0,
                 .cid = cid_of(sqe),
                 .status = r.status,
                 .location = r.location,
                 .nsid = get<sqe_layout, "opc">(sqe) == wire::fabrics_opcode
                             ? 0
                             : static_cast<std::uint32_t>(get<sqe_layout, "nsid">(sqe))});
  }
  return r;
}

answer controller::dispatch(std::span<const std::byte, 64> sqe, std::uint32_t data_length,
                            time_point now) {
  const auto opcode = static_cast<std::uint8_t>(get<sqe_layout, "opc">(sqe));
  if (get<sqe_layout, "fuse">(sqe) != 0)
    return refused(refuse(status_code::invalid_field, "fused commands are not supported"));
  if (opcode == wire::fabrics_opcode) return fabrics(sqe, now);
  if (!admin_opcode_supported(opcode, config_.kind))
    return refused(refuse(status_code::invalid_opcode, "no such admin command"));
  if (!properties_.enabled())
    return refused(refuse(status_code::command_sequence_error, "the controller is not enabled"));
  switch (static_cast<admin_opcode>(opcode)) {
    case admin_opcode::identify:
      return identify(sqe, data_length);
    case admin_opcode::get_log_page:
      return get_log_page(sqe, data_length, now);
    case admin_opcode::set_features:
      return set_features(sqe, now);
    case admin_opcode::get_features:
      return get_features(sqe, data_length);
    case admin_opcode::async_event_request:
      return async_event_request(sqe);
    case admin_opcode::abort:
      return abort(sqe);
    default:
      return {};  // Keep Alive: that it came is what counts
  }
}

answer controller::fabrics(std::span<const std::byte, 64> sqe, time_point now) {
  switch (static_cast<fabrics_type>(get<wire::fabrics_command, "fctype">(sqe))) {
    case fabrics_type::property_get:
      return property_get(sqe);
    case fabrics_type::property_set:
      return property_set(sqe, now);
    case fabrics_type::connect:
      return refused(refuse(status_code::command_sequence_error, "the queue is connected"));
    case fabrics_type::disconnect:
      return refused(
          refuse(fabrics_status_code::invalid_queue_type, "Disconnect is for I/O queues"));
    case fabrics_type::authentication_send:
    case fabrics_type::authentication_receive:
      return refused(refuse(status_code::invalid_opcode, "authentication is not supported"));
    default:
      return refused(refuse(status_code::invalid_field, "no such Fabrics command"));
  }
}

answer controller::property_get(std::span<const std::byte, 64> sqe) const {
  const auto attrib = wire::bytes_of<wire::property_get_command, "attrib">(wire::byte_span{sqe});
  const auto value =
      properties_.get(static_cast<std::uint32_t>(get<wire::property_get_command, "ofst">(sqe)),
                      static_cast<std::uint8_t>(get<wire::attrib_layout, "size">(attrib)));
  if (!value) return refused(value.error());
  return {.dw0 = static_cast<std::uint32_t>(*value & 0xffff'ffff),
          .dw1 = static_cast<std::uint32_t>(*value >> 32)};
}

answer controller::property_set(std::span<const std::byte, 64> sqe, time_point now) {
  using effect = properties::effect;
  const auto attrib = wire::bytes_of<wire::property_set_command, "attrib">(wire::byte_span{sqe});
  const auto done =
      properties_.set(static_cast<std::uint32_t>(get<wire::property_set_command, "ofst">(sqe)),
                      static_cast<std::uint8_t>(get<wire::attrib_layout, "size">(attrib)),
                      get<wire::property_set_command, "value">(sqe));
  if (!done) return refused(done.error());
  if (*done == effect::enable) disabled_until_.reset();
  if (*done == effect::reset || *done == effect::shutdown) {
    if (qids_.empty())
      settle(now);
    else
      wishes_.push_back({.what = wish::kind::end_io_queues,
                         .why = *done == effect::reset ? "the host resets the controller"
                                                       : "the host shuts the controller down"});
  }
  return {};
}

// The I/O queues are gone after a reset or shutdown.
void controller::settle(time_point now) {
  const bool reset = properties_.settle();
  disabled_until_ = now + disabled_limit;
  if (!reset) return;
  while (const auto cid = events_.take())
    wishes_.push_back({.what = wish::kind::complete,
                       .cid = *cid,
                       .status = status_code::command_abort_requested});
  events_.reset();
  features_.reset();
  changed_.clear();
  wishes_.push_back({.what = wish::kind::write_cache, .on = features_.write_cache()});
}

answer controller::async_event_request(std::span<const std::byte, 64> sqe) {
  if (!events_.add(cid_of(sqe)))
    return refused(refuse(status_code::aer_limit_exceeded, "more requests than AERL allows"));
  report_events();
  return {.held = true};
}

void controller::report_events() {
  while (const auto c = events_.next())
    wishes_.push_back({.what = wish::kind::complete, .cid = c->cid, .dw0 = c->dw0});
}

answer controller::abort(std::span<const std::byte, 64> sqe) {
  const auto sqid = get<wire::abort_command, "sqid">(sqe);
  const auto cid = static_cast<std::uint16_t>(get<wire::abort_command, "abort_cid">(sqe));
  if (sqid == 0 && events_.abort(cid)) {
    wishes_.push_back(
        {.what = wish::kind::complete, .cid = cid, .status = status_code::command_abort_requested});
    return {.dw0 = 0};
  }
  // Other commands are done at once, or wait for the host's own data or for the disk: nothing that
  // could be cut short safely. Bit 0 says so: the command was not aborted.
  return {.dw0 = 1};
}

answer controller::set_features(std::span<const std::byte, 64> sqe, time_point now) {
  const auto done = features_.set(sqe, around_.namespaces(), io_queues());
  if (!done) return refused(done.error());
  switch (static_cast<wire::feature>(done->fid)) {
    case wire::feature::keep_alive_timer:
      keep_alive_.restart(done->value, now);
      break;
    case wire::feature::async_event_configuration:
      events_.enable(done->value);
      break;
    case wire::feature::volatile_write_cache:
      wishes_.push_back({.what = wish::kind::write_cache, .on = features_.write_cache()});
      break;
    default:
      break;
  }
  return {.dw0 = done->dw0};
}

answer controller::get_features(std::span<const std::byte, 64> sqe,
                                std::uint32_t data_length) const {
  auto feature = features_.get(sqe, around_.namespaces());
  if (!feature) return refused(feature.error());
  if (data_length < feature->data.size())
    return refused(refuse(status_code::data_sgl_length_invalid, "the SGL is too short"));
  return {.dw0 = feature->dw0, .data = std::move(feature->data)};
}

std::expected<void, refusal> controller::on_io_connect(const connect_request& request) {
  if (request.host != config_.host)
    return std::unexpected(invalid_in_data(offset_of<wire::connect_data, "hostid">(),
                                           "not the host identifier of the admin queue"));
  if (request.host_nqn != config_.host_nqn)
    return std::unexpected(invalid_in_data(offset_of<wire::connect_data, "hostnqn">(),
                                           "not the host NQN of the admin queue"));
  if (ended_ || !properties_.enabled())
    return std::unexpected(
        refuse(status_code::command_sequence_error, "the controller is not enabled"));
  if (features_.queues_granted() == 0)
    return std::unexpected(
        refuse(status_code::command_sequence_error, "Number of Queues has not been asked for"));
  if (request.qid > features_.queues_granted())
    return std::unexpected(invalid_in_sqe(offset_of<wire::connect_command, "qid">(),
                                          "QID beyond the number of queues granted"));
  if (!qids_.insert(request.qid).second)
    return std::unexpected(
        refuse(status_code::command_sequence_error, "the queue is connected already"));
  keep_alive_.traffic();
  return {};
}

void controller::on_io_queue_gone(std::uint16_t qid, time_point now) {
  qids_.erase(qid);
  if (qids_.empty() && properties_.settling()) settle(now);
}

void controller::on_fatal(std::string_view why) { end(why); }

void controller::end(std::string_view why) {
  if (ended_) return;
  ended_ = true;
  properties_.fail();
  keep_alive_.stop();
  wishes_.push_back({.what = wish::kind::end_association, .why = why});
}

void controller::on_namespaces_changed(std::span<const std::uint32_t> nsids) {
  if (config_.kind != controller_kind::io) return;
  for (const std::uint32_t nsid : nsids) changed_.add(nsid);
  events_.raise(event_kind::namespace_changed);
  report_events();
}

void controller::on_discovery_changed() {
  if (config_.kind != controller_kind::discovery) return;
  events_.raise(event_kind::discovery_changed);
  report_events();
}

void controller::on_time(time_point now) {
  if (disabled_until_ && now >= *disabled_until_) return end("disabled for two minutes");
  const auto due = keep_alive_.deadline();
  if (due && now >= *due && keep_alive_.expired(now, around_.io_traffic()))
    end("keep alive timeout");
}

std::optional<time_point> controller::deadline() const {
  if (ended_) return std::nullopt;
  const auto kato = keep_alive_.deadline();
  if (!disabled_until_) return kato;
  return kato ? std::min(*kato, *disabled_until_) : *disabled_until_;
}

std::optional<wish> controller::next_wish() {
  if (wishes_.empty()) return std::nullopt;
  const wish w = wishes_.front();
  wishes_.pop_front();
  return w;
}

}  // namespace nvmf::engine
