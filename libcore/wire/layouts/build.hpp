// SPDX-License-Identifier: BSD-2-Clause
// Short builders, so that a layout reads like the table of the specification.
#pragma once

#include "../layout.hpp"

namespace nvmf::wire::build {

constexpr field num(std::string_view name, std::uint32_t offset, std::uint32_t size,
                    std::string_view title, std::string_view section = {}) {
  return {.name = name, .offset = offset, .size = size, .title = title, .section = section};
}
constexpr field hex(std::string_view name, std::uint32_t offset, std::uint32_t size,
                    std::string_view title, std::string_view section = {}) {
  return {.name = name,
          .offset = offset,
          .size = size,
          .as = kind::hex,
          .title = title,
          .section = section};
}
// `width` bits from bit `lsb` of the little-endian word of `size` bytes at `offset`.
constexpr field bits(std::string_view name, std::uint32_t offset, std::uint32_t size, unsigned lsb,
                     unsigned width, std::string_view title, std::string_view section = {}) {
  return {.name = name,
          .offset = offset,
          .size = size,
          .bit = static_cast<std::uint8_t>(lsb),
          .bits = static_cast<std::uint8_t>(width),
          .title = title,
          .section = section};
}
constexpr field rsvd(std::uint32_t offset, std::uint32_t size) {
  return {
      .name = "rsvd", .offset = offset, .size = size, .as = kind::reserved, .title = "Reserved"};
}
constexpr field rsvd_bits(std::uint32_t offset, std::uint32_t size, unsigned lsb, unsigned width) {
  return {.name = "rsvd",
          .offset = offset,
          .size = size,
          .bit = static_cast<std::uint8_t>(lsb),
          .bits = static_cast<std::uint8_t>(width),
          .as = kind::reserved,
          .title = "Reserved"};
}
constexpr field bytes(std::string_view name, std::uint32_t offset, std::uint32_t size, kind as,
                      std::string_view title, std::string_view section = {}) {
  return {
      .name = name, .offset = offset, .size = size, .as = as, .title = title, .section = section};
}
constexpr field nested(std::string_view name, std::uint32_t offset, const layout& of,
                       std::uint32_t count, std::string_view title) {
  return {.name = name,
          .offset = offset,
          .size = of.size,
          .as = kind::nested,
          .title = title,
          .of = &of,
          .count = count};
}
// The elements of `of` from `offset` to the end of the bytes; the last row of its layout.
constexpr field nested_to_end(std::string_view name, std::uint32_t offset, const layout& of,
                              std::string_view title) {
  return nested(name, offset, of, field::open, title);
}
// One nested structure whose layout `pick` reads from the bytes around it.
constexpr field nested_as(std::string_view name, std::uint32_t offset, const layout& of,
                          const layout* (*pick)(byte_span), std::string_view title) {
  field f = nested(name, offset, of, 1, title);
  f.pick = pick;
  return f;
}
// The same field, `count` times (field::open: to the end of the bytes).
constexpr field repeated(field f, std::uint32_t count) {
  f.count = count;
  return f;
}
// The same word, with names for its bits: get<> still reads the word, get(bytes_of(word), bit)
// one bit of it, and people see and write both ("cattr=4", "cattr.nosqfc=1").
constexpr field with_bits(field f, const layout& of) {
  f.of = &of;
  return f;
}
// The same for a word whose bits depend on other bytes of the structure.
constexpr field with_bits_as(field f, const layout* (*pick)(byte_span)) {
  f.pick = pick;
  return f;
}
// The same field with names for its values.
constexpr field named(field f, const table& values) {
  f.values = &values;
  return f;
}
// The same field, its value named by a look at the bytes around it.
constexpr field named_by(field f, const row* (*row_by)(byte_span)) {
  f.row_by = row_by;
  return f;
}
// The same field, marked 0's based.
constexpr field zero_based(field f) {
  f.zero_based = true;
  return f;
}

}  // namespace nvmf::wire::build
