// SPDX-License-Identifier: BSD-2-Clause
#include "identify.hpp"

#include <algorithm>

#include "properties.hpp"
#include "text_field.hpp"
#include "wire/layouts/identify.hpp"
#include "wire/layouts/identify_lists.hpp"
#include "wire/nqn.hpp"

namespace nvmf::engine {
namespace {

using wire::bytes_of;
using wire::mutable_byte_span;
using wire::set;

// One bit of a word that has a layout of its own: set_bit<identify_controller, "lpa", lpa_layout,
// "extended">(id, 1).
template <const wire::layout& L, wire::fixed_name Word, const wire::layout& Bits,
          wire::fixed_name Bit>
void set_bit(mutable_byte_span id, std::uint64_t value) {
  set<Bits, Bit>(bytes_of<L, Word>(id), value);
}

void put_io_commands(mutable_byte_span id) {
  using wire::identify_controller;
  set_bit<identify_controller, "sqes", wire::sqes_layout, "required">(id, 6);
  set_bit<identify_controller, "sqes", wire::sqes_layout, "maximum">(id, 6);
  set_bit<identify_controller, "cqes", wire::cqes_layout, "required">(id, 4);
  set_bit<identify_controller, "cqes", wire::cqes_layout, "maximum">(id, 4);
  set<identify_controller, "nn">(id, nsid_max);
  set<identify_controller, "mnan">(id, nsid_max);
  set_bit<identify_controller, "oncs", wire::oncs_layout, "compare">(id, 1);
  set_bit<identify_controller, "oncs", wire::oncs_layout, "dsm">(id, 1);
  set_bit<identify_controller, "oncs", wire::oncs_layout, "write_zeroes">(id, 1);
  set_bit<identify_controller, "oncs", wire::oncs_layout, "save_select">(id, 1);
  set_bit<identify_controller, "oncs", wire::oncs_layout, "verify">(id, 1);
  // Written data may sit in the page cache of a file; Flush empties it, of all namespaces too.
  set_bit<identify_controller, "vwc", wire::vwc_layout, "present">(id, 1);
  set_bit<identify_controller, "vwc", wire::vwc_layout, "flush">(id, 3);
}

void put_io_abilities(mutable_byte_span id, const controller_config& config) {
  using wire::identify_controller;
  set<identify_controller, "mdts">(id, config.mdts);
  set_bit<identify_controller, "cmic", wire::cmic_layout, "multi_port">(id, 1);
  set_bit<identify_controller, "cmic", wire::cmic_layout, "multi_ctrl">(id, 1);
  set_bit<identify_controller, "oaes", wire::oaes_layout, "ns_attr">(id, 1);
  set_bit<identify_controller, "frmw", wire::frmw_layout, "slot1_ro">(id, 1);
  set_bit<identify_controller, "frmw", wire::frmw_layout, "slots">(id, 1);
  set_bit<identify_controller, "lpa", wire::lpa_layout, "cmd_effects">(id, 1);
  set<identify_controller, "ioccsz">(id, (64 + config.in_capsule_bytes) / 16);
  set<identify_controller, "iorcsz">(id, 1);
  set_bit<identify_controller, "ofcs", wire::ofcs_layout, "disconnect">(id, 1);
  put_io_commands(id);
}

}  // namespace

identify_data identify_controller(const controller_config& config) {
  using wire::identify_controller;
  identify_data id{};
  const mutable_byte_span all{id};
  const bool io = config.kind == controller_kind::io;
  put_padded(bytes_of<identify_controller, "sn">(all), config.serial);
  put_padded(bytes_of<identify_controller, "mn">(all), config.model);
  put_padded(bytes_of<identify_controller, "fr">(all), config.firmware);
  set<identify_controller, "cntlid">(id, config.cntlid);
  set<identify_controller, "ver">(id, version_2_0);
  set_bit<identify_controller, "ctratt", wire::ctratt_layout, "hostid128">(id, 1);
  set_bit<identify_controller, "ctratt", wire::ctratt_layout, "tbkas">(id, 1);
  set<identify_controller, "cntrltype">(
      id,
      static_cast<std::uint8_t>(io ? wire::controller_type::io : wire::controller_type::discovery));
  set<identify_controller, "acl">(id, abort_limit);
  set<identify_controller, "aerl">(id, async_event_limit);
  set<identify_controller, "elpe">(id, error_log_entries - 1);
  set_bit<identify_controller, "lpa", wire::lpa_layout, "extended">(id, 1);
  set<identify_controller, "kas">(id, kas);
  set<identify_controller, "maxcmd">(id, std::min(config.io_queue_entries_max, 0xffffu));
  set_bit<identify_controller, "sgls", wire::sgls_layout, "support">(id, 1);  // any alignment
  set_bit<identify_controller, "sgls", wire::sgls_layout, "keyed">(id, config.keyed_sgl);
  set_bit<identify_controller, "sgls", wire::sgls_layout, "oversize">(id, 1);
  set_bit<identify_controller, "sgls", wire::sgls_layout, "offset">(id, config.offset_sgl);
  set_bit<identify_controller, "sgls", wire::sgls_layout, "transport">(id, !config.keyed_sgl);
  wire::put_nqn(bytes_of<identify_controller, "subnqn">(all), config.subsystem_nqn);
  set_bit<identify_controller, "fcatt", wire::fcatt_layout, "static">(id, config.static_model);
  set<identify_controller, "msdbd">(id, 1);
  if (io)
    put_io_abilities(id, config);
  else
    set_bit<identify_controller, "oaes", wire::oaes_layout, "disc_log">(id, 1);
  return id;
}

identify_data identify_namespace(const namespace_view& ns, std::string_view subsystem_nqn) {
  using wire::identify_namespace;
  identify_data id{};
  const mutable_byte_span all{id};
  set<identify_namespace, "nsze">(id, ns.blocks);
  set<identify_namespace, "ncap">(id, ns.blocks);
  set<identify_namespace, "nuse">(id, ns.blocks);
  set_bit<identify_namespace, "nmic", wire::nmic_layout, "shared">(id, 1);
  set_bit<identify_namespace, "dlfeat", wire::dlfeat_layout, "read">(id, ns.deallocates ? 1 : 0);
  set_bit<identify_namespace, "dlfeat", wire::dlfeat_layout, "write_zeroes">(id, ns.deallocates);
  set_bit<identify_namespace, "nsattr", wire::nsattr_layout, "write_protected">(id, ns.read_only);
  // NVMCAP has 16 bytes: the product may take more than 64 bits.
  const unsigned shift = ns.block_shift();
  const auto capacity = bytes_of<identify_namespace, "nvmcap">(all);
  wire::store_le(capacity, 0, 8, ns.blocks << shift);
  wire::store_le(capacity, 8, 8, ns.blocks >> (64 - shift));
  const namespace_ids ids = ids_of(subsystem_nqn, ns.nsid);
  std::ranges::copy(ids.nguid, bytes_of<identify_namespace, "nguid">(all).begin());
  std::ranges::copy(ids.eui64, bytes_of<identify_namespace, "eui64">(all).begin());
  set<wire::lba_format_layout, "lbads">(bytes_of<identify_namespace, "lbaf">(all), shift);
  return id;
}

identify_data identify_independent(const namespace_view& ns) {
  using wire::identify_independent_namespace;
  identify_data id{};
  set_bit<identify_independent_namespace, "nmic", wire::nmic_layout, "shared">(id, 1);
  set_bit<identify_independent_namespace, "nsattr", wire::nsattr_layout, "write_protected">(
      id, ns.read_only);
  set_bit<identify_independent_namespace, "nstat", wire::nstat_layout, "nrdy">(id, 1);
  return id;
}

identify_data active_list(std::span<const namespace_view> all, std::uint32_t after) {
  identify_data id{};
  std::size_t at = 0;
  for (const namespace_view& ns : all) {
    if (ns.nsid <= after) continue;
    if (at == id.size()) break;
    wire::store_le(id, at, 4, ns.nsid);
    at += 4;
  }
  return id;
}

identify_data id_descriptors(std::uint32_t nsid, std::string_view subsystem_nqn) {
  using wire::namespace_id_descriptor;
  using wire::nidt;
  identify_data id{};
  mutable_byte_span rest{id};
  const auto put = [&](nidt type, wire::byte_span value) {
    set<namespace_id_descriptor, "nidt">(rest, static_cast<std::uint8_t>(type));
    set<namespace_id_descriptor, "nidl">(rest, value.size());
    std::ranges::copy(value, rest.begin() + namespace_id_descriptor.size);
    rest = rest.subspan(namespace_id_descriptor.size + value.size());
  };
  const namespace_ids ids = ids_of(subsystem_nqn, nsid);
  put(nidt::eui64, ids.eui64);
  put(nidt::nguid, ids.nguid);
  put(nidt::uuid, ids.uuid);
  put(nidt::csi, std::array{static_cast<std::byte>(wire::csi::nvm)});
  return id;
}

identify_data io_command_sets() {
  identify_data id{};
  wire::store_le(id, 0, 8, 1u << static_cast<unsigned>(wire::csi::nvm));
  return id;
}

}  // namespace nvmf::engine
