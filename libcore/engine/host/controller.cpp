// SPDX-License-Identifier: BSD-2-Clause
#include "controller.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "commands.hpp"
#include "wire/layouts/identify.hpp"
#include "wire/nqn.hpp"

namespace nvmf::engine {

using wire::byte_span;

namespace {

template <wire::fixed_name Name>
std::uint64_t id(byte_span data) {
  return wire::get<wire::identify_controller, Name>(data);
}

// A bit of a word that has a layout of its own.
template <wire::fixed_name Word, const wire::layout& Bits, wire::fixed_name Name>
std::uint64_t bit(byte_span data) {
  return wire::get<Bits, Name>(wire::bytes_of<wire::identify_controller, Word>(data));
}

// Text of fixed width: up to the first NUL, without the spaces that pad it.
template <wire::fixed_name Name>
std::string text(byte_span data) {
  std::string s;
  for (const std::byte b : wire::bytes_of<wire::identify_controller, Name>(data)) {
    if (b == std::byte{0}) break;
    const char c = static_cast<char>(b);
    s += c >= ' ' && c <= '~' ? c : '?';
  }
  s.erase(s.find_last_not_of(' ') + 1);
  s.erase(0, s.find_first_not_of(' '));
  return s;
}

host_failure illegal(std::string_view field, std::uint64_t value, std::uint64_t limit,
                     std::string_view reason) {
  return bad_value(host_stage::identify, wire::identify_controller, field, value, limit, reason);
}

// Discovery controllers say so since Base 1.4 (CNTRLTYPE), and before by the NQN they answer to.
std::expected<controller_type, host_failure> judge_kind(byte_span data,
                                                        const identify_context& context,
                                                        remarks& notes) {
  const bool by_name = wire::is_discovery_nqn(context.subsystem_nqn);
  const std::uint64_t type = id<"cntrltype">(data);
  switch (static_cast<wire::controller_type>(type)) {
    case wire::controller_type::not_reported:
      return by_name ? controller_type::discovery : controller_type::io;
    case wire::controller_type::discovery:
      return controller_type::discovery;
    case wire::controller_type::administrative:
      return controller_type::administrative;
    case wire::controller_type::io:
      if (!by_name) return controller_type::io;
      notes.add("CNTRLTYPE says I/O controller, but the NQN is that of the discovery service");
      return controller_type::discovery;
  }
  return std::unexpected(illegal("cntrltype", type, 3, "this controller type is reserved"));
}

std::expected<void, host_failure> judge_entry_sizes(byte_span data) {
  const auto sqes = bit<"sqes", wire::sqes_layout, "required">(data);
  const auto cqes = bit<"cqes", wire::cqes_layout, "required">(data);
  if (sqes > 6)
    return std::unexpected(
        illegal("sqes", sqes, 6, "it requires submission queue entries of more than 64 bytes"));
  if (cqes > 4)
    return std::unexpected(
        illegal("cqes", cqes, 4, "it requires completion queue entries of more than 16 bytes"));
  return {};
}

// What capsules of I/O queues may carry (Base 2.0, 5.17.2.1 and NVMe/TCP 3.2.4).
std::expected<std::uint32_t, host_failure> judge_capsules(byte_span data,
                                                          const identify_context& context,
                                                          remarks& notes) {
  const std::uint64_t ioccsz = id<"ioccsz">(data);
  if (ioccsz < 4)
    return std::unexpected(
        illegal("ioccsz", ioccsz, 4, "a command capsule has at least 64 bytes, 4 units"));
  if (id<"iorcsz">(data) < 1)
    return std::unexpected(illegal("iorcsz", id<"iorcsz">(data), 1,
                                   "a response capsule has at least 16 bytes, 1 unit"));
  if (context.caps.keyed_sgl && bit<"sgls", wire::sgls_layout, "keyed">(data) == 0)
    return std::unexpected(illegal("sgls", id<"sgls">(data), 0,
                                   "this transport needs keyed SGL data block descriptors"));
  // 1 GiB of in-capsule data is more than anyone means; the rest is a slip of units.
  const std::uint64_t most = std::min<std::uint64_t>((ioccsz - 4) * 16, std::uint64_t{1} << 30);
  if (most == 0) return 0;
  if (id<"icdoff">(data) != 0) {
    notes.add(fmt::format("ICDOFF is {}: data of I/O commands is not sent in capsules",
                          id<"icdoff">(data)));
    return 0;
  }
  if (bit<"sgls", wire::sgls_layout, "offset">(data) == 0) {
    notes.add("SGLS lacks offsets: data of I/O commands is not sent in capsules");
    return 0;
  }
  return static_cast<std::uint32_t>(most);
}

std::uint64_t judge_mdts(byte_span data, const controller_properties& p, remarks& notes) {
  const std::uint64_t mdts = id<"mdts">(data);
  if (mdts == 0) return 0;
  if (mdts >= 32) {
    notes.add(fmt::format("MDTS of {} is beyond any transfer: taken as no limit", mdts));
    return 0;
  }
  return p.page_size() << mdts;  // at most 2^(27 + 31)
}

void remark_oddities(const controller_facts& f, byte_span data, const identify_context& context,
                     remarks& notes) {
  if (f.kind == controller_type::discovery) return;
  if (f.subsystem_nqn != context.subsystem_nqn)
    notes.add(fmt::format("Identify names the subsystem '{}'", f.subsystem_nqn));
  if (f.keep_alive_granularity.count() == 0)
    notes.add("KAS is 0, though controllers over fabrics must support Keep Alive");
  if (bit<"sgls", wire::sgls_layout, "support">(data) == 0)
    notes.add("SGLS says that SGLs are not supported, though fabrics has nothing else");
  if (f.kind == controller_type::io && f.max_commands == 0)
    notes.add("MAXCMD is 0: taken as the queue size");
  if (f.kind == controller_type::io && f.namespaces == 0)
    notes.add("NN is 0: no namespace can exist");
}

}  // namespace

std::expected<controller_facts, host_failure> judge_controller(byte_span data,
                                                               const identify_context& context,
                                                               remarks& notes) {
  assert(data.size() >= identify_size);
  controller_facts f;
  if (id<"cntlid">(data) != context.cntlid)
    return std::unexpected(illegal("cntlid", id<"cntlid">(data), context.cntlid,
                                   "Connect was answered by another controller ID"));
  const auto kind = judge_kind(data, context, notes);
  if (!kind) return std::unexpected(kind.error());
  f.kind = *kind;
  f.max_transfer = judge_mdts(data, context.properties, notes);
  f.namespaces = static_cast<std::uint32_t>(id<"nn">(data));
  f.max_commands = static_cast<std::uint32_t>(id<"maxcmd">(data));
  f.async_events = static_cast<std::uint32_t>(id<"aerl">(data)) + 1;
  f.aborts = static_cast<std::uint32_t>(id<"acl">(data)) + 1;
  f.keep_alive_granularity = std::chrono::milliseconds(id<"kas">(data) * 100);
  f.traffic_keeps_alive = bit<"ctratt", wire::ctratt_layout, "tbkas">(data) != 0;
  f.optional_events = static_cast<std::uint32_t>(id<"oaes">(data));
  f.error_log_entries = static_cast<std::uint32_t>(id<"elpe">(data)) + 1;
  f.serial = text<"sn">(data);
  f.model = text<"mn">(data);
  f.firmware = text<"fr">(data);
  f.subsystem_nqn = text<"subnqn">(data);
  if (f.kind == controller_type::io) {
    if (const auto sizes = judge_entry_sizes(data); !sizes) return std::unexpected(sizes.error());
    const auto capsule = judge_capsules(data, context, notes);
    if (!capsule) return std::unexpected(capsule.error());
    f.max_in_capsule = *capsule;
  }
  remark_oddities(f, data, context, notes);
  return f;
}

}  // namespace nvmf::engine
