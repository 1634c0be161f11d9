// SPDX-License-Identifier: BSD-2-Clause
#include "capsule_length.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/layouts/entries.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/tables.hpp"

namespace nvmf::cli {
namespace {

using length = std::expected<std::optional<std::uint64_t>, std::string>;
using wire::field;
using wire::layout;

constexpr std::uint64_t identify_bytes = 4096;
constexpr std::uint64_t dword_bytes = 4;

bool said(const length_question& q, std::initializer_list<std::string_view> names) {
  return q.raw || std::ranges::any_of(names, [&](std::string_view n) {
           return std::ranges::find(q.said, n) != q.said.end();
         });
}

// The fields of a command that count units, 0's based: one word, or a lower and an upper part.
struct counter {
  const field* low;
  const field* high = nullptr;

  std::uint64_t units(std::span<const std::byte, 64> sqe) const {
    std::uint64_t n = wire::get(sqe, *low);
    if (high != nullptr) n |= wire::get(sqe, *high) << low->width_bits();
    return n + 1;
  }
  std::uint64_t most() const {
    return (low->max() | (high != nullptr ? high->max() << low->width_bits() : 0)) + 1;
  }
  void set(std::span<std::byte, 64> sqe, std::uint64_t units) const {
    wire::set(sqe, *low, (units - 1) & low->max());
    if (high != nullptr) wire::set(sqe, *high, (units - 1) >> low->width_bits());
  }
};

// Sets `c` so that it counts `bytes`, or says why that cannot be.
length count(const length_question& q, const counter& c, std::uint64_t unit, std::uint64_t bytes,
             std::string_view unit_name) {
  if (bytes == 0 || bytes % unit != 0)
    return std::unexpected(
        fmt::format("{} bytes are not a multiple of {}, the {}", bytes, unit, unit_name));
  if (bytes / unit > c.most())
    return std::unexpected(fmt::format("{} bytes are more than a command can move: {} times {}",
                                       bytes, c.most(), unit));
  c.set(q.sqe, bytes / unit);
  return bytes;
}

// NLB in blocks of the namespace's format.
length blocks(const length_question& q, const field& nlb, const block_size_of& block_size) {
  const auto nsid = static_cast<std::uint32_t>(wire::get<wire::sqe_layout, "nsid">(q.sqe));
  const bool given = said(q, {"nlb", "cdw12"});
  if (given && q.wanted) return *q.wanted;
  const auto unit = block_size ? block_size(nsid) : std::nullopt;
  if (!unit && !q.wanted && !block_size) return std::nullopt;
  if (!unit)
    return std::unexpected(fmt::format(
        "the block size of namespace {} is not known ({})", nsid,
        block_size ? "the controller lists no such namespace; --recv or --send and nlb= do without"
                   : "give nlb="));
  if (q.wanted) return count(q, {&nlb}, *unit, *q.wanted, "block size of the namespace");
  return counter{&nlb}.units(q.sqe) * *unit;
}

length dwords(const length_question& q, const counter& c) {
  const bool given = said(q, {"numd", "numdl", "numdu", "cdw10", "cdw11"});
  if (given) return q.wanted.value_or(c.units(q.sqe) * dword_bytes);
  if (q.wanted) return count(q, c, dword_bytes, *q.wanted, "bytes of a dword");
  const layout* data = wire::data_form(q.sqe, q.admin);
  const std::uint64_t whole =
      data != nullptr && data->size >= dword_bytes ? data->size : identify_bytes;
  return count(q, c, dword_bytes, whole / dword_bytes * dword_bytes, "bytes of a dword");
}

// NR of Dataset Management and Copy: ranges of the size that the data's list has.
length ranges(const length_question& q, const field& nr) {
  const layout* data = wire::data_form(q.sqe, q.admin);
  const std::uint64_t unit = data != nullptr && !data->fields.empty() ? data->fields[0].size : 16;
  const counter c{&nr};
  if (q.wanted && !said(q, {"nr", "cdw10", "cdw12"}))
    return count(q, c, unit, *q.wanted, "bytes of a range");
  return q.wanted.value_or(c.units(q.sqe) * unit);
}

// TL and AL count bytes.
length plain(const length_question& q, const field& f) {
  if (q.wanted && !said(q, {f.name, "cdw11"})) {
    if (*q.wanted > f.max())
      return std::unexpected(fmt::format("{} bytes do not fit in {}", *q.wanted, f.name));
    wire::set(q.sqe, f, *q.wanted);
  }
  return q.wanted.value_or(wire::get(q.sqe, f));
}

}  // namespace

std::expected<std::optional<std::uint64_t>, std::string> settle_length(
    const length_question& q, const block_size_of& block_size) {
  const bool moves = q.command.direction != wire::data_transfer::none;
  if (!moves) return q.wanted.value_or(0);
  const layout& form = wire::sqe_form(q.sqe, q.admin);
  if (const field* f = form.find("nlb")) return blocks(q, *f, block_size);
  if (const field* f = form.find("numd")) return dwords(q, {f});
  if (const field* f = form.find("numdl")) return dwords(q, {f, form.find("numdu")});
  if (const field* f = form.find("nr")) return ranges(q, *f);
  for (const std::string_view name : {"tl", "al"})
    if (const field* f = form.find(name)) return plain(q, *f);
  if (q.wanted) return *q.wanted;
  const layout* data = wire::data_form(q.sqe, q.admin);
  if (data != nullptr)
    return std::max<std::uint64_t>(data->size, data->size == 0 ? identify_bytes : 0);
  const bool identify = q.command.set == wire::command_set::admin &&
                        q.command.opcode == static_cast<std::uint8_t>(wire::admin_opcode::identify);
  return identify ? identify_bytes : 0;
}

bool wants_namespace(std::span<const std::byte, 64> sqe, const wire::command_info& command) {
  if (command.set == wire::command_set::nvm) return true;
  if (command.set != wire::command_set::admin ||
      command.opcode != static_cast<std::uint8_t>(wire::admin_opcode::identify))
    return false;
  switch (static_cast<wire::cns>(std::to_integer<std::uint8_t>(sqe[40]))) {
    case wire::cns::namespace_:
    case wire::cns::namespace_identification_descriptors:
    case wire::cns::csi_namespace:
    case wire::cns::csi_independent_namespace:
      return true;
    default:
      return false;
  }
}

}  // namespace nvmf::cli
