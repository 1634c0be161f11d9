// SPDX-License-Identifier: BSD-2-Clause
#include "connect.hpp"

#include <algorithm>
#include <optional>

#include "wire/layouts/fabrics.hpp"
#include "wire/nqn.hpp"

namespace nvmf::engine {
namespace {

using wire::connect_command;
using wire::connect_data;
using wire::fabrics_status_code;
using wire::get;
using wire::offset_of;
using wire::status_code;

refusal invalid_parameter(bool in_data, std::uint16_t offset, std::string_view why) {
  refusal r =
      refuse(fabrics_status_code::connect_invalid_parameters, why, in_data ? no_location : offset);
  r.dw0 = offset | (in_data ? 0x10000u : 0u);
  return r;
}

// The NQN in a field, or nothing. Whether it is well formed beyond its beginning does not matter:
// names are compared, byte for byte.
std::optional<std::string> nqn_of(std::span<const std::byte> field) {
  const auto text = wire::nqn_in_field(field, "NQN");
  if (!text || !text->starts_with("nqn.") || text->size() == 4) return std::nullopt;
  return std::string(*text);
}

}  // namespace

refusal invalid_in_sqe(std::uint16_t offset, std::string_view why) {
  return invalid_parameter(false, offset, why);
}
refusal invalid_in_data(std::uint16_t offset, std::string_view why) {
  return invalid_parameter(true, offset, why);
}
refusal bad_cntlid(std::string_view why) {
  return invalid_in_data(offset_of<connect_data, "cntlid">(), why);
}
refusal bad_subsystem_nqn(std::string_view why) {
  return invalid_in_data(offset_of<connect_data, "subnqn">(), why);
}

std::expected<void, refusal> expect_connect(std::span<const std::byte, 64> sqe) {
  const bool connect =
      get<connect_command, "opc">(sqe) == wire::fabrics_opcode &&
      get<connect_command, "fctype">(sqe) == static_cast<std::uint8_t>(wire::fabrics_type::connect);
  if (connect) return {};
  return std::unexpected(refuse(status_code::command_sequence_error, "a command before Connect"));
}

std::expected<void, refusal> check_connect_sqe(std::span<const std::byte, 64> sqe,
                                               std::uint32_t data_length) {
  if (data_length < connect_data_size)
    return std::unexpected(
        refuse(status_code::data_sgl_length_invalid, "Connect data shorter than 1024 bytes"));
  // Dword 0 of the response stays 0: the record format that is supported.
  if (get<connect_command, "recfmt">(sqe) != 0)
    return std::unexpected(refuse(fabrics_status_code::connect_incompatible_format,
                                  "record format is not 0",
                                  offset_of<connect_command, "recfmt">()));
  const auto sqsize = get<connect_command, "sqsize">(sqe);
  if (sqsize == 0)
    return std::unexpected(
        invalid_in_sqe(offset_of<connect_command, "sqsize">(), "SQSIZE 0: a queue of one entry"));
  if (get<connect_command, "qid">(sqe) == 0 && sqsize >= admin_queue_entries_max)
    return std::unexpected(invalid_in_sqe(offset_of<connect_command, "sqsize">(),
                                          "an admin queue of more than 4096 entries"));
  return {};
}

std::expected<connect_request, refusal> read_connect(std::span<const std::byte, 64> sqe,
                                                     std::span<const std::byte> data) {
  connect_request r;
  r.qid = static_cast<std::uint16_t>(get<connect_command, "qid">(sqe));
  r.queue_size = static_cast<std::uint32_t>(get<connect_command, "sqsize">(sqe)) + 1;
  const auto cattr = wire::bytes_of<connect_command, "cattr">(wire::byte_span{sqe});
  r.sq_flow_control = get<wire::cattr_layout, "nosqfc">(cattr) == 0;
  // Reserved on an I/O queue, where hosts in the field repeat the value of the admin queue.
  if (r.qid == 0) r.kato_ms = static_cast<std::uint32_t>(get<connect_command, "kato">(sqe));

  const auto id = wire::bytes_of<connect_data, "hostid">(data);
  std::ranges::copy(id, r.host.begin());
  if (r.host == host_id{})
    return std::unexpected(
        invalid_in_data(offset_of<connect_data, "hostid">(), "the host identifier is zero"));
  r.cntlid = static_cast<std::uint16_t>(get<connect_data, "cntlid">(data));
  auto subsystem = nqn_of(wire::bytes_of<connect_data, "subnqn">(data));
  if (!subsystem) return std::unexpected(bad_subsystem_nqn("the subsystem NQN is not an NQN"));
  auto host = nqn_of(wire::bytes_of<connect_data, "hostnqn">(data));
  if (!host)
    return std::unexpected(
        invalid_in_data(offset_of<connect_data, "hostnqn">(), "the host NQN is not an NQN"));
  r.subsystem_nqn = std::move(*subsystem);
  r.host_nqn = std::move(*host);
  return r;
}

std::expected<void, refusal> check_against(const connect_request& request,
                                           const connect_rules& rules) {
  if (request.qid != 0) {
    if (rules.discovery)
      return std::unexpected(invalid_in_sqe(offset_of<connect_command, "qid">(),
                                            "a discovery controller has no I/O queues"));
    if (request.queue_size > rules.io_queue_entries_max)
      return std::unexpected(
          invalid_in_sqe(offset_of<connect_command, "sqsize">(), "SQSIZE above CAP.MQES"));
    if (request.cntlid == 0 || request.cntlid > cntlid_max)
      return std::unexpected(bad_cntlid("an I/O queue names no controller"));
    return {};
  }
  if (request.kato_ms > rules.kato_max_ms)
    return std::unexpected(refuse(status_code::keep_alive_timeout_invalid,
                                  "KATO above what this target grants",
                                  offset_of<connect_command, "kato">()));
  if (!rules.static_model) {
    if (request.cntlid != cntlid_any)
      return std::unexpected(bad_cntlid("dynamic controllers: CNTLID must be FFFFh"));
    return {};
  }
  const bool named = request.cntlid >= 1 && request.cntlid <= rules.static_controllers;
  if (!named && request.cntlid != cntlid_any_static)
    return std::unexpected(
        bad_cntlid("static controllers: CNTLID must be FFFEh or that of a controller"));
  return {};
}

}  // namespace nvmf::engine
