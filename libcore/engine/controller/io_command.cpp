// SPDX-License-Identifier: BSD-2-Clause
#include "io_command.hpp"

#include "logs.hpp"
#include "wire/layouts/commands_nvm.hpp"

namespace nvmf::engine {
namespace {

using wire::get;
using wire::nvm_opcode;
using wire::offset_of;
using wire::read_command;
using wire::sqe_layout;
using wire::status_code;

std::unexpected<refusal> no(status_code code, std::string_view why,
                            std::uint16_t location = no_location) {
  return std::unexpected(refuse(code, why, location));
}

bool moves_data(io_kind k) {
  return k == io_kind::read || k == io_kind::write || k == io_kind::compare;
}

// Read, Write, Compare, Verify and Write Zeroes say their blocks in the same places.
std::expected<io_request, refusal> block_command(std::span<const std::byte, 64> sqe,
                                                 std::uint32_t data_length, io_kind kind,
                                                 const namespace_view& ns,
                                                 const io_limits& limits) {
  io_request r;
  r.kind = kind;
  r.nsid = ns.nsid;
  r.lba = get<read_command, "slba">(sqe);
  r.blocks = static_cast<std::uint32_t>(get<read_command, "nlb">(sqe)) + 1;
  r.durable = get<read_command, "fua">(sqe) != 0;
  // PRINFO and the tags speak of protection information, which no namespace here has; then they
  // are not processed (NVM 1.0, 5.2.2). LR limits retries, of which there are none.
  if (moves_data(kind)) {
    const std::uint64_t bytes = std::uint64_t{r.blocks} << ns.block_shift();
    if (limits.transfer_max != 0 && bytes > limits.transfer_max)
      return no(status_code::invalid_field, "more data than MDTS allows",
                offset_of<read_command, "nlb">());
    if (bytes > 0xffff'ffffu || data_length < bytes)
      return no(status_code::data_sgl_length_invalid, "the SGL is shorter than the blocks",
                offset_of<sqe_layout, "sgl1">());
    r.bytes = static_cast<std::uint32_t>(bytes);
  }
  // Both sides are below 2^64: no sum is made that could wrap.
  if (r.lba >= ns.blocks || r.blocks > ns.blocks - r.lba)
    return no(status_code::lba_out_of_range, "blocks beyond the end of the namespace",
              offset_of<read_command, "slba">());
  const bool writes = kind == io_kind::write || kind == io_kind::write_zeroes;
  if (writes && ns.read_only)
    return no(status_code::namespace_is_write_protected, "the namespace is write protected");
  if (kind == io_kind::write_zeroes)
    r.deallocate = get<wire::write_zeroes_command, "deac">(sqe) != 0;
  return r;
}

std::expected<io_request, refusal> dataset_management(std::span<const std::byte, 64> sqe,
                                                      std::uint32_t data_length,
                                                      const namespace_view& ns) {
  using wire::dataset_management_command;
  io_request r;
  r.nsid = ns.nsid;
  const auto ranges = get<dataset_management_command, "nr">(sqe) + 1;
  r.bytes = static_cast<std::uint32_t>(ranges * dsm_range_bytes);
  r.ranges = static_cast<std::uint16_t>(ranges);
  if (data_length < r.bytes)
    return no(status_code::data_sgl_length_invalid, "the SGL is shorter than the ranges",
              offset_of<sqe_layout, "sgl1">());
  if (get<dataset_management_command, "ad">(sqe) == 0) {
    r.kind = io_kind::hint;
    return r;
  }
  r.kind = io_kind::deallocate;
  if (ns.read_only)
    return no(status_code::namespace_is_write_protected, "the namespace is write protected");
  return r;
}

}  // namespace

std::uint32_t io_nsid(std::span<const std::byte, 64> sqe) {
  return static_cast<std::uint32_t>(get<sqe_layout, "nsid">(sqe));
}

std::uint64_t io_lba(std::span<const std::byte, 64> sqe) {
  switch (static_cast<nvm_opcode>(get<sqe_layout, "opc">(sqe))) {
    case nvm_opcode::read:
    case nvm_opcode::write:
    case nvm_opcode::compare:
    case nvm_opcode::verify:
    case nvm_opcode::write_zeroes:
      return get<read_command, "slba">(sqe);
    default:
      return 0;
  }
}

std::expected<io_request, refusal> read_io_command(std::span<const std::byte, 64> sqe,
                                                   std::uint32_t data_length,
                                                   const namespace_view* ns,
                                                   const io_limits& limits) {
  const auto opcode = static_cast<std::uint8_t>(get<sqe_layout, "opc">(sqe));
  if (!io_opcode_supported(opcode))
    return no(status_code::invalid_opcode, "no such I/O command", offset_of<sqe_layout, "opc">());
  if (get<sqe_layout, "fuse">(sqe) != 0)
    return no(status_code::invalid_field, "fused commands are not supported",
              offset_of<sqe_layout, "fuse">());
  const auto nsid = io_nsid(sqe);
  const auto kind = static_cast<nvm_opcode>(opcode);
  if (kind == nvm_opcode::flush && nsid == broadcast_nsid) {
    io_request all;
    all.nsid = nsid;
    return all;
  }
  if (ns == nullptr)
    return no(status_code::invalid_namespace_or_format, "no such namespace",
              offset_of<sqe_layout, "nsid">());
  switch (kind) {
    case nvm_opcode::read:
      return block_command(sqe, data_length, io_kind::read, *ns, limits);
    case nvm_opcode::write:
      return block_command(sqe, data_length, io_kind::write, *ns, limits);
    case nvm_opcode::compare:
      return block_command(sqe, data_length, io_kind::compare, *ns, limits);
    case nvm_opcode::verify:
      return block_command(sqe, data_length, io_kind::verify, *ns, limits);
    case nvm_opcode::write_zeroes:
      return block_command(sqe, data_length, io_kind::write_zeroes, *ns, limits);
    case nvm_opcode::dataset_management:
      return dataset_management(sqe, data_length, *ns);
    default:
      break;
  }
  io_request flush;
  flush.nsid = nsid;
  return flush;
}

std::expected<block_range, refusal> read_range(std::span<const std::byte> data, std::size_t index,
                                               const namespace_view& ns) {
  const auto at = data.subspan(index * dsm_range_bytes, dsm_range_bytes);
  const block_range r{get<wire::dsm_range_layout, "slba">(at),
                      static_cast<std::uint32_t>(get<wire::dsm_range_layout, "nlb">(at))};
  if (r.lba > ns.blocks || r.blocks > ns.blocks - r.lba)
    return no(status_code::lba_out_of_range, "a range beyond the end of the namespace");
  return r;
}

}  // namespace nvmf::engine
