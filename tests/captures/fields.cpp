// SPDX-License-Identifier: BSD-2-Clause
#include "captures/fields.hpp"

#include <algorithm>

#include "wire/layouts/entries.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::test {
namespace {

using namespace wire;

void walk_layout(const layout& l, byte_span bytes, std::uint32_t base, const std::string& prefix,
                 std::vector<leaf>& out) {
  for (const field& f : l.fields) {
    if (f.offset + f.size > bytes.size()) continue;
    const std::uint64_t room = (bytes.size() - f.offset) / f.size;
    const std::uint64_t count =
        f.count == field::open ? room : std::min<std::uint64_t>(f.count, room);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::uint32_t>(f.offset + i * f.size);
      std::string name = prefix + std::string(f.name);
      if (f.count != 1) name += "[" + std::to_string(i) + "]";
      const layout* within = inner(f, bytes);
      if (f.as == kind::nested && within != nullptr)
        walk_layout(*within, bytes.subspan(at, f.size), base + at, name + ".", out);
      else if (within != nullptr && f.bits == 0)
        walk_layout(*within, bytes.subspan(at, f.size), base + at, name + ".", out);
      else
        out.push_back({name, &f, base + at});
    }
  }
}

}  // namespace

std::vector<leaf> leaves(const layout& l, std::span<const std::byte> bytes) {
  std::vector<leaf> out;
  walk_layout(l, bytes, 0, "", out);
  return out;
}

std::vector<std::byte> encoded_again(const layout& l, std::span<const std::byte> bytes) {
  std::vector<std::byte> again(bytes.size());
  for (const leaf& f : leaves(l, bytes)) {
    const bool number =
        f.field->size <= 8 &&
        (f.field->as == kind::number || f.field->as == kind::hex || f.field->as == kind::reserved);
    if (number) {
      field here = *f.field;
      here.offset = f.offset;
      set(again, here, get(bytes, here));
    } else {
      std::ranges::copy(bytes.subspan(f.offset, f.field->size), again.begin() + f.offset);
    }
  }
  return again;
}

std::vector<part> parts(const seen_pdu& p) {
  std::vector<part> all{{p.header, 0, p.bytes.first(p.header->size)}};
  if (p.header == &pdu_capsule_cmd) all.push_back({&sqe_form(p.sqe, p.admin_queue), 8, p.sqe});
  if (p.header == &pdu_capsule_resp)
    all.push_back({p.sqe.empty() ? &cqe_layout : &cqe_form(p.sqe, p.admin_queue, p.cqe), 8, p.cqe});
  if (p.payload.empty() || p.sqe.empty()) return all;
  const layout* data = data_form(p.sqe, p.admin_queue);
  const bool whole = data != nullptr && p.payload.size() >= data->size &&
                     (p.header == &pdu_capsule_cmd || load_le(p.bytes, 12, 4) == 0);
  if (whole) all.push_back({data, p.payload_offset, p.payload});
  return all;
}

}  // namespace nvmf::test
