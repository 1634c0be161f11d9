// SPDX-License-Identifier: BSD-2-Clause
#include "command_data.hpp"

#include <algorithm>

#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/tables.hpp"

namespace nvmf {
namespace {

using wire::get;
using wire::keyed_sgl_layout;
using wire::set;
using wire::sgl_layout;
using wire::sqe_layout;
using wire::status_code;

using enum wire::sgl_type;
using wire::psdt;
using wire::sgl_subtype;
using wire::sgl_type;

bool is(wire::byte_span sgl, sgl_type type, sgl_subtype subtype) {
  return get<sgl_layout, "type">(sgl) == static_cast<std::uint64_t>(type) &&
         get<sgl_layout, "subtype">(sgl) == static_cast<std::uint64_t>(subtype);
}

void set_identifier(wire::mutable_byte_span sgl, sgl_type type, sgl_subtype subtype) {
  set<sgl_layout, "type">(sgl, static_cast<std::uint64_t>(type));
  set<sgl_layout, "subtype">(sgl, static_cast<std::uint64_t>(subtype));
}

wire::byte_span sgl1_of(std::span<const std::byte, 64> sqe) {
  return wire::bytes_of<sqe_layout, "sgl1">(wire::byte_span{sqe});
}

}  // namespace

void write_sgl(std::span<std::byte, 64> sqe, data_place place, std::uint32_t length,
               std::uint64_t address, std::uint32_t key) {
  set<sqe_layout, "psdt">(sqe, static_cast<std::uint64_t>(psdt::sgl));
  const auto sgl = wire::bytes_of<sqe_layout, "sgl1">(wire::mutable_byte_span{sqe});
  std::ranges::fill(sgl, std::byte{0});
  if (place == data_place::keyed) {
    set<keyed_sgl_layout, "addr">(sgl, address);
    set<keyed_sgl_layout, "length">(sgl, length);
    set<keyed_sgl_layout, "key">(sgl, key);
    return set_identifier(sgl, keyed_data_block, sgl_subtype::address);
  }
  set<sgl_layout, "length">(sgl, place == data_place::none ? 0 : length);
  if (place == data_place::in_capsule)
    set_identifier(sgl, data_block, sgl_subtype::offset);
  else
    set_identifier(sgl, transport_data_block, sgl_subtype::transport);
}

nvme_status check_sgl(std::span<const std::byte, 64> sqe, std::uint32_t carried,
                      const capsule_limits& limits) {
  // 10b needs metadata SGLs, which SGLS of Identify Controller does not offer.
  if (static_cast<psdt>(get<sqe_layout, "psdt">(sqe)) != psdt::sgl)
    return status_code::invalid_field;
  const auto sgl = sgl1_of(sqe);
  const auto length = get<sgl_layout, "length">(sgl);

  if (is(sgl, data_block, sgl_subtype::offset)) {
    if (get<sgl_layout, "addr">(sgl) != 0) return status_code::sgl_offset_invalid;
    if (length != carried || length > limits.max_in_capsule)
      return status_code::data_sgl_length_invalid;
    return {};
  }
  // Every other descriptor says that there is no data in the capsule.
  const bool transport = is(sgl, transport_data_block, sgl_subtype::transport);
  const bool keyed = is(sgl, keyed_data_block, sgl_subtype::address) ||
                     is(sgl, keyed_data_block, sgl_subtype::invalidate_key);
  // A command without data may come with its SGL left at zero.
  const bool nothing = is(sgl, data_block, sgl_subtype::address) && length == 0;
  // A queue with keyed SGLs still gets the transport's descriptor for commands without data.
  const bool usable = limits.keyed ? keyed || (transport && length == 0) : transport;
  if (!usable && !nothing) return status_code::sgl_descriptor_type_invalid;
  if (transport && get<sgl_layout, "addr">(sgl) != 0) return status_code::sgl_offset_invalid;
  if (carried != 0) return status_code::invalid_field;
  return {};
}

std::uint32_t sgl_length(std::span<const std::byte, 64> sqe) {
  const auto sgl = sgl1_of(sqe);
  // A keyed descriptor has a 24-bit length, the others 32 bits.
  if (get<sgl_layout, "type">(sgl) == static_cast<std::uint64_t>(keyed_data_block))
    return static_cast<std::uint32_t>(get<keyed_sgl_layout, "length">(sgl));
  return static_cast<std::uint32_t>(get<sgl_layout, "length">(sgl));
}

direction way_of(std::span<const std::byte, 64> sqe) {
  const auto opcode = get<wire::fabrics_command, "opc">(sqe);
  const auto code = opcode == wire::fabrics_opcode ? fabrics_type_of(sqe) : opcode;
  if (sgl_length(sqe) == 0) return direction::none;
  if ((code & 3) == 1) return direction::send;
  return (code & 3) == 2 ? direction::receive : direction::none;
}

std::uint8_t fabrics_type_of(std::span<const std::byte, 64> sqe) {
  if (get<wire::fabrics_command, "opc">(sqe) != wire::fabrics_opcode) return 0;
  return static_cast<std::uint8_t>(get<wire::fabrics_command, "fctype">(sqe));
}

bool sgl_in_capsule(std::span<const std::byte, 64> sqe) {
  return is(sgl1_of(sqe), data_block, sgl_subtype::offset);
}

}  // namespace nvmf
