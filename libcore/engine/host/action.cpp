// SPDX-License-Identifier: BSD-2-Clause
#include "action.hpp"

#include <fmt/format.h>

#include "wire/commands.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/status.hpp"
#include "wire/tables.hpp"

namespace nvmf {

std::string_view stage_name(host_stage s, std::string_view transport) {
  const bool connects = s == host_stage::connect || s == host_stage::exchange;
  // The connection manager exchanges the private data too.
  return connects && transport == "rdma" ? "cm" : stage_name(s);
}

std::string_view stage_name(host_stage s) {
  switch (s) {
    case host_stage::resolve:
      return "resolve";
    case host_stage::connect:
      return "tcp";
    case host_stage::exchange:
      return "ic";
    case host_stage::fabrics_connect:
      return "connect";
    case host_stage::properties:
      return "properties";
    case host_stage::enable:
      return "enable";
    case host_stage::identify:
      return "identify";
    case host_stage::namespaces:
      return "namespaces";
    case host_stage::io_queues:
      return "io-queues";
    case host_stage::ready:
      return "ready";
    case host_stage::shutdown:
      return "shutdown";
  }
  return "unknown";
}

}  // namespace nvmf

namespace nvmf::engine {

std::string_view command_title(std::span<const std::byte, 64> sqe) {
  return wire::command_of_sqe(true, std::to_integer<std::uint8_t>(sqe[0]),
                              std::to_integer<std::uint8_t>(sqe[4]))
      .title;
}

host_failure refused(host_stage stage, const send_command& sent, const reply& got) {
  host_failure f;
  f.stage = stage;
  f.code = got.result.error;
  f.opcode = std::to_integer<std::uint8_t>(sent.sqe[0]);
  if (f.opcode == wire::fabrics_opcode) f.fctype = std::to_integer<std::uint8_t>(sent.sqe[4]);
  f.sent_sqe.assign(got.sqe.begin(), got.sqe.end());
  f.sent_data = sent.send;
  const std::string what = sent.qid == 0
                               ? std::string(command_title(sent.sqe))
                               : fmt::format("{} on queue {}", command_title(sent.sqe), sent.qid);
  if (got.result.has_cqe) {
    f.status = got.result.status;
    f.cqe_dw0 = static_cast<std::uint32_t>(wire::get<wire::cqe_layout, "dw0">(got.result.cqe));
  }
  if (f.code)
    f.detail = fmt::format("{}: {}", what, f.code.message());
  else
    f.detail =
        fmt::format("{}: {}", what,
                    to_text(f.status, f.opcode == wire::fabrics_opcode ? wire::status_set::fabrics
                                                                       : wire::status_set::nvm));
  return f;
}

host_failure bad_value(host_stage stage, const wire::layout& structure, std::string_view field,
                       std::uint64_t value, std::uint64_t limit, std::string_view reason) {
  host_failure f;
  f.stage = stage;
  f.code = errc::protocol_violation;
  const wire::field* at = structure.find(field);
  assert(at != nullptr);
  f.violation = protocol_error{.structure = structure.name,
                               .offset = at->offset,
                               .reason = reason,
                               .value = value,
                               .limit = limit};
  f.detail = fmt::format("{}: {} ({}) is {}: {}", structure.title, field, at->title, value, reason);
  return f;
}

void remarks::add(std::string text) {
  if (!text_.empty()) text_ += "; ";
  text_ += text;
}

}  // namespace nvmf::engine
