// SPDX-License-Identifier: BSD-2-Clause
#include "failure.hpp"

#include <fmt/format.h>

#include "engine/host/explain.hpp"
#include "render/json.hpp"

namespace nvmf::cli {
namespace {

bool timed_out(std::error_code code) {
  return code == errc::timed_out || code == std::errc::timed_out;
}

exit_status of_code(std::error_code code) {
  if (timed_out(code)) return exit_status::timeout;
  if (code == errc::protocol_violation || code == errc::data_digest ||
      code == errc::data_incomplete)
    return exit_status::protocol_error;
  if (code == errc::no_transport || code == errc::transport_refused ||
      code == errc::invalid_argument || code == errc::not_supported)
    return exit_status::usage;
  if (code == errc::aborted) return exit_status::interrupted;
  return exit_status::peer_closed;
}

// What the refusal of a Fabrics command means.
exit_status of_fabrics(std::uint8_t fctype) {
  switch (static_cast<wire::fabrics_type>(fctype)) {
    case wire::fabrics_type::connect:
      return exit_status::fabrics_connect;
    case wire::fabrics_type::property_get:
    case wire::fabrics_type::property_set:
      return exit_status::controller_enable;
    case wire::fabrics_type::authentication_send:
    case wire::fabrics_type::authentication_receive:
      return exit_status::authentication;
    case wire::fabrics_type::disconnect:
      break;
  }
  return exit_status::admin_command;
}

exit_status of_refusal(const host_failure& f) {
  if (f.status.is(wire::fabrics_status_code::authentication_required))
    return exit_status::authentication;
  if (f.opcode == wire::fabrics_opcode) return of_fabrics(f.fctype);
  if (f.stage == host_stage::fabrics_connect) return exit_status::fabrics_connect;
  if (f.stage == host_stage::properties || f.stage == host_stage::enable)
    return exit_status::controller_enable;
  return exit_status::admin_command;
}

// What was tried and what came back. A stage that has its command's name need not say it twice.
std::string what_came(const host_failure& f) {
  constexpr std::string_view connect = "Connect: ";
  if (f.stage == host_stage::fabrics_connect && f.detail.starts_with(connect))
    return f.detail.substr(connect.size());
  if (!f.detail.empty()) return f.detail;
  if (!f.status.ok())
    return fmt::format("the controller answered {}", to_text(f.status, set_of(f.opcode)));
  return f.code.message();
}

// For a command that got no answer.
std::string_view next_step(std::error_code error) {
  if (timed_out(error)) return "; the target holds the command or lost it, --timeout waits longer";
  if (error == errc::protocol_violation || error == errc::data_incomplete)
    return "; this is a fault of the target, send-capsule shows the PDUs";
  if (error == errc::data_digest)
    return "; bytes are damaged on the way, or one side computes digests wrongly";
  if (error == errc::closed || error == errc::reset || error == errc::terminated)
    return "; see the target's log";
  return {};
}

}  // namespace

exit_status status_of(const host_failure& f) {
  if (of_code(f.code) == exit_status::usage && f.code) return exit_status::usage;
  if (timed_out(f.code)) return exit_status::timeout;
  // What the device or this machine refuses, at whatever stage a queue gets there.
  if (std::string_view{f.code.category().name()} == "rdma") return exit_status::connect;
  if (f.stage == host_stage::resolve) return exit_status::resolve;
  if (f.stage == host_stage::connect) return exit_status::connect;
  if (f.stage == host_stage::exchange) return exit_status::initialize_connection;
  if (!f.status.ok()) return of_refusal(f);
  if (f.code == errc::controller_fatal) return exit_status::controller_enable;
  if (f.code == errc::limit_exceeded || f.code == errc::refused) return of_refusal(f);
  return of_code(f.code);
}

exit_status status_of(const command_result& r, bool admin_queue, std::uint8_t opcode,
                      std::uint8_t fctype) {
  if (r.ok()) return exit_status::ok;
  if (r.error) return of_code(r.error);
  if (opcode == wire::fabrics_opcode) return of_fabrics(fctype);
  return admin_queue ? exit_status::admin_command : exit_status::io_command;
}

std::string sentence(const host_failure& f) {
  return fmt::format("{} failed: {}", f.stage_name(), what_came(f));
}

std::string explained(const host_failure& f, const association_options& asked, bool lost,
                      causes likely) {
  const engine::explanation why = engine::explain(f, asked);
  std::string text = lost ? "the association was lost: " + what_came(f) : sentence(f);
  // "hostnqn (Host NQN), byte 512 of Connect command data" is for who has room.
  if (!why.field.empty() && !why.value.empty())
    text += fmt::format(", {} is {}", why.field.substr(0, why.field.find(" (")), why.value);
  if (likely == causes::untold) return fmt::format("{}; {}", text, why.advice);
  return fmt::format("{}; {}; {}", text, why.cause, why.advice);
}

std::string sentence(const command_result& r, std::uint8_t opcode) {
  if (r.error) return fmt::format("{}{}", r.error.message(), next_step(r.error));
  return "the controller answered " + to_text(r.status, set_of(opcode));
}

boost::json::object failure_json(const host_failure& f) {
  boost::json::object o{{"stage", f.stage_name()}, {"message", json_text(sentence(f))}};
  if (f.code) o["code"] = json_text(f.code.message());
  if (!f.status.ok()) {
    o["status"] = status_json(f.status, set_of(f.opcode));
    o["cqe_dw0"] = f.cqe_dw0;
  }
  if (!f.sent_sqe.empty()) o["sent_sqe"] = hex_text(f.sent_sqe);
  if (f.violation)
    o["violation"] = {{"structure", f.violation->structure},
                      {"offset", f.violation->offset},
                      {"fes", f.violation->fes},
                      {"fei", f.violation->fei},
                      {"reason", f.violation->reason},
                      {"value", f.violation->value},
                      {"limit", f.violation->limit}};
  return o;
}

boost::json::object explanation_json(const host_failure& f, const association_options& asked) {
  const engine::explanation why = engine::explain(f, asked);
  return {{"what", json_text(why.what)},
          {"field", json_text(why.field)},
          {"value", json_text(why.value)},
          {"cause", json_text(why.cause)},
          {"advice", json_text(why.advice)}};
}

}  // namespace nvmf::cli
