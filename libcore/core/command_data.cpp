// SPDX-License-Identifier: BSD-2-Clause
#include "command_data.hpp"

#include <algorithm>

#include "wire/layouts/entries.hpp"

namespace nvmf {
namespace {

using wire::get;
using wire::keyed_sgl_layout;
using wire::set;
using wire::sgl_layout;
using wire::sqe_layout;
using wire::status_code;

// SGL Descriptor Type and Sub Type (Base 4.1.2).
constexpr std::uint8_t type_data_block = 0x0, type_keyed = 0x4, type_transport = 0x5;
constexpr std::uint8_t sub_address = 0x0, sub_offset = 0x1, sub_transport = 0xa,
                       sub_invalidate = 0xf;
// PSDT: SGLs, with MPTR an address or an SGL segment; PRPs do not exist over fabrics.
constexpr std::uint8_t psdt_sgl = 1, psdt_sgl_metadata_sgl = 2;

}  // namespace

void write_sgl(std::span<std::byte, 64> sqe, data_place place, std::uint32_t length,
               std::uint64_t address, std::uint32_t key) {
  set<sqe_layout, "psdt">(sqe, psdt_sgl);
  const auto sgl = wire::bytes_of<sqe_layout, "sgl1">(wire::mutable_byte_span{sqe});
  std::ranges::fill(sgl, std::byte{0});
  if (place == data_place::keyed) {
    set<keyed_sgl_layout, "addr">(sgl, address);
    set<keyed_sgl_layout, "length">(sgl, length);
    set<keyed_sgl_layout, "key">(sgl, key);
    set<keyed_sgl_layout, "type">(sgl, type_keyed);
    set<keyed_sgl_layout, "subtype">(sgl, sub_address);
    return;
  }
  const bool in_capsule = place == data_place::in_capsule;
  set<sgl_layout, "length">(sgl, place == data_place::none ? 0 : length);
  set<sgl_layout, "type">(sgl, in_capsule ? type_data_block : type_transport);
  set<sgl_layout, "subtype">(sgl, in_capsule ? sub_offset : sub_transport);
}

nvme_status check_sgl(std::span<const std::byte, 64> sqe, std::uint32_t carried,
                      const capsule_limits& limits) {
  const auto psdt = get<sqe_layout, "psdt">(sqe);
  if (psdt != psdt_sgl && psdt != psdt_sgl_metadata_sgl) return status_code::invalid_field;
  const auto sgl = wire::bytes_of<sqe_layout, "sgl1">(wire::byte_span{sqe});
  const auto type = get<sgl_layout, "type">(sgl);
  const auto subtype = get<sgl_layout, "subtype">(sgl);
  const auto length = get<sgl_layout, "length">(sgl);

  if (type == type_data_block && subtype == sub_offset) {
    if (get<sgl_layout, "addr">(sgl) != 0) return status_code::sgl_offset_invalid;
    if (length != carried || length > limits.max_in_capsule)
      return status_code::data_sgl_length_invalid;
    return {};
  }
  // Every other descriptor says that there is no data in the capsule.
  const bool transport = type == type_transport && subtype == sub_transport;
  const bool keyed = type == type_keyed && (subtype == sub_address || subtype == sub_invalidate);
  // A command without data may come with its SGL left at zero.
  const bool nothing = type == type_data_block && subtype == sub_address && length == 0;
  // A queue with keyed SGLs still gets the transport's descriptor for commands without data.
  const bool usable = limits.keyed ? keyed || (transport && length == 0) : transport;
  if (!usable && !nothing) return status_code::sgl_descriptor_type_invalid;
  if (transport && get<sgl_layout, "addr">(sgl) != 0) return status_code::sgl_offset_invalid;
  if (carried != 0) return status_code::invalid_field;
  return {};
}

}  // namespace nvmf
