// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as any structure: what is walked lies within the bytes and in their order, everything
// that begins ends, every byte that a field covers is found again, and a structure's numbers
// written one by one into zeros read back. The first two bytes choose the layout, the third a byte
// to find.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "wire/encode.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/render.hpp"

using namespace nvmf::wire;

namespace {

void require(bool good) {
  if (!good) std::abort();
}

void check_walk(const layout& l, byte_span bytes) {
  int begun = 0;
  std::uint64_t reached = 0;
  bool over = false;
  for_each_field(l, bytes, [&](const field_view& v) {
    require(!over);
    require(v.offset + v.bytes.size() <= bytes.size());
    switch (v.event) {
      case walk_event::value:
        require(v.offset >= reached || begun > 0);
        require(!value_text(v).empty());
        if (begun == 0) reached = v.offset;
        break;
      case walk_event::begin:
      case walk_event::begin_list:
      case walk_event::begin_bits:
        ++begun;
        break;
      case walk_event::end:
      case walk_event::end_list:
      case walk_event::end_bits:
        --begun;
        break;
      case walk_event::truncated:
      case walk_event::rest:
        over = true;
    }
    return true;
  });
  require(begun == 0);
}

void check_find(const layout& l, byte_span bytes, std::uint8_t offset) {
  const auto found = field_at(l, offset, bytes);
  if (!found) return;
  require(found->offset <= offset && offset < found->offset + found->size);
  if (found->row->as == kind::reserved) return;
  const auto again = find_field(l, found->path, bytes);
  require(again && again->offset == found->offset);
}

void check_round_trip(const layout& l, byte_span bytes) {
  std::vector<std::string> assignments;
  for_each_field(l, bytes, [&](const field_view& v) {
    if (v.event == walk_event::value && v.scalar && v.row->as != kind::reserved)
      assignments.push_back(std::string(v.path) + "=" + std::to_string(v.number));
    return v.event != walk_event::begin_list;
  });
  std::vector<std::byte> made(bytes.size());
  const layout* const forms[] = {&l};
  require(encode_fields(forms, made, assignments).has_value());
  for_each_field(l, made, [&](const field_view& v) {
    if (v.event == walk_event::value && v.scalar && v.row->as != kind::reserved)
      require(v.number == get(bytes.subspan(v.offset - v.row->offset), *v.row));
    return v.event != walk_event::begin_list;
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const auto all = all_layouts();
  const layout& l = *all[(data[0] + 256u * data[1]) % all.size()];
  const std::uint8_t offset = data[2];
  const byte_span bytes = std::as_bytes(std::span(data, size)).subspan(3);
  check_walk(l, bytes);
  check_find(l, bytes, offset);
  if (l.size <= 64 && bytes.size() == l.size) check_round_trip(l, bytes);
  (void)render_text(l, bytes, {.zero = zeros::hide, .at = caret{offset, "here"}});
  (void)hexdump(bytes, offset);
  return 0;
}
