// SPDX-License-Identifier: BSD-2-Clause
// A layout lists the fields of one wire structure, each once: offset, width, name, title, section.
// Everything that reads or writes the structure reads this list:
//   get<connect_layout, "sqsize">(bytes)        compile-time lookup, one load
//   set<connect_layout, "sqsize">(bytes, 31)    compile-time lookup, one store
//   layout.find("sqsize")                       run-time lookup, for renderers and `send-capsule`
// No packed structs, no casts: a structure is a span of bytes and the layout says what they mean.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "bytes.hpp"
#include "table.hpp"

namespace nvmf::wire {

enum class kind : std::uint8_t {
  number,    // shown in decimal
  hex,       // shown in hexadecimal
  ascii,     // fixed width, padded with spaces or NULs
  text,      // NUL-terminated within the width (NQN)
  uuid,      // 16 bytes, big-endian text form (RFC 4122)
  raw,       // opaque bytes
  reserved,  // must be zero; shown when it is not
  nested,    // another layout (field::of), repeated field::count times
};

struct layout;

struct field {
  std::string_view name;  // the specification's abbreviation in lower case, unique in its layout
  std::uint32_t offset;   // first byte of the word that holds it
  std::uint32_t size;     // bytes of that word (1..8 for numbers, any for the rest)
  std::uint8_t bit = 0;   // lowest bit within the little-endian word
  std::uint8_t bits = 0;  // width in bits; 0: the whole word
  kind as = kind::number;
  std::string_view title = {};
  std::string_view section = {};
  const table* values = nullptr;  // names for the value
  const layout* of = nullptr;     // kind::nested: the element; a number: the bits of its word
  std::uint32_t count = 1;        // elements that follow each other; `open`: all that follow
  bool zero_based = false;        // the value is one less than what it counts
  // Which layout it is when other bytes of the structure tell; null where they do not, or where the
  // structure is cut short: `of` stands then. Read through inner().
  const layout* (*pick)(byte_span structure) = nullptr;
  // The name of the value when other bytes of the structure tell what it means, or null.
  const row* (*row_by)(byte_span structure) = nullptr;

  // As a count: this last field repeats to the end of the bytes (a list the layout cannot bound).
  static constexpr std::uint32_t open = 0;

  constexpr unsigned width_bits() const { return bits != 0 ? bits : size * 8; }
  constexpr std::uint64_t max() const {
    return width_bits() >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width_bits()) - 1;
  }
  // First and one-past-last bit of the field in the structure, for overlap checks.
  constexpr std::uint64_t first_bit() const { return std::uint64_t{offset} * 8 + bit; }
  constexpr std::uint64_t end_bit() const {
    return bits != 0 ? first_bit() + bits
                     : (std::uint64_t{offset} + std::uint64_t{size} * count) * 8;
  }
  constexpr bool is_scalar() const {
    return (as == kind::number || as == kind::hex || as == kind::reserved) && size <= 8 &&
           count == 1;
  }
};

struct layout {
  std::string_view name;     // what a user types: "connect-data"
  std::string_view title;    // "Connect command data"
  std::string_view section;  // "Base 6.3"; also of its fields, unless they name their own
  std::uint32_t size;        // bytes; without the elements of an open last field
  std::span<const field> fields;
  // Bytes one instance takes when that varies (`b` starts with it and may end within it); 0 when
  // there is none, which ends a list. Not bounded by b: the caller cuts it to what is there.
  std::uint64_t (*extent)(byte_span b) = nullptr;

  constexpr const field* find(std::string_view wanted) const {
    for (const field& f : fields)
      if (f.name == wanted) return &f;
    return nullptr;
  }
};

// Fields in ascending order, none overlapping, all within the size, names unique.
// Used as static_assert(well_formed(x)) beside each layout.
constexpr bool well_formed(const layout& l) {
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < l.fields.size(); ++i) {
    const field& f = l.fields[i];
    if (f.first_bit() < end || f.end_bit() > std::uint64_t{l.size} * 8) return false;
    if (f.bits != 0 && (f.size > 8 || f.bit + f.bits > f.size * 8)) return false;
    if (f.count == field::open && i + 1 != l.fields.size()) return false;
    end = f.end_bit();
    for (std::size_t j = 0; j < i; ++j)
      if (l.fields[j].name == f.name && f.as != kind::reserved) return false;
  }
  return true;
}

// As well_formed, and every byte of the structure belongs to a field (reserved ones are rows too).
constexpr bool complete(const layout& l) {
  if (!well_formed(l)) return false;
  std::uint64_t end = 0;
  for (const field& f : l.fields) {
    if (f.first_bit() != end) return false;
    end = f.end_bit();
  }
  return end == std::uint64_t{l.size} * 8;
}

// The layout within a field of `structure`, or nullptr when it has none.
constexpr const layout* inner(const field& f, byte_span structure) {
  if (f.pick != nullptr)
    if (const layout* told = f.pick(structure); told != nullptr) return told;
  return f.of;
}

// Value of a scalar field. `b` holds at least the bytes of the field (checked by assert).
constexpr std::uint64_t get(byte_span b, const field& f) {
  const std::uint64_t word = load_le(b, f.offset, f.size);
  return f.bits == 0 ? word : (word >> f.bit) & f.max();
}

// Stores a scalar field; the value must fit (`v <= f.max()`, checked by assert).
constexpr void set(mutable_byte_span b, const field& f, std::uint64_t v) {
  assert(v <= f.max());
  if (f.bits == 0) return store_le(b, f.offset, f.size, v);
  const std::uint64_t mask = f.max() << f.bit;
  store_le(b, f.offset, f.size, (load_le(b, f.offset, f.size) & ~mask) | (v << f.bit));
}

// The bytes of a field that is not a scalar (text, uuid, raw, nested).
constexpr byte_span bytes_of(byte_span b, const field& f) {
  return b.subspan(f.offset, std::size_t{f.size} * f.count);
}
constexpr mutable_byte_span bytes_of(mutable_byte_span b, const field& f) {
  return b.subspan(f.offset, std::size_t{f.size} * f.count);
}

template <std::size_t N>
struct fixed_name {
  char text[N]{};
  // Implicit by design: a string literal names a field.
  constexpr fixed_name(const char (&s)[N]) { std::copy_n(s, N, text); }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

template <const layout& L, fixed_name Name>
consteval field field_of() {
  // By value and not through find(): under UBSan GCC 12 refuses to compare the address of a
  // constexpr object with null in a constant expression.
  for (const field& f : L.fields)
    if (f.name == Name.view()) return f;
  throw "no such field in this layout";
}

template <const layout& L, fixed_name Name>
constexpr std::uint64_t get(byte_span b) {
  constexpr field f = field_of<L, Name>();
  static_assert(f.is_scalar());
  return get(b, f);
}

template <const layout& L, fixed_name Name>
constexpr void set(mutable_byte_span b, std::uint64_t v) {
  constexpr field f = field_of<L, Name>();
  static_assert(f.is_scalar());
  set(b, f, v);
}

template <const layout& L, fixed_name Name>
constexpr byte_span bytes_of(byte_span b) {
  constexpr field f = field_of<L, Name>();
  return bytes_of(b, f);
}
template <const layout& L, fixed_name Name>
constexpr mutable_byte_span bytes_of(mutable_byte_span b) {
  constexpr field f = field_of<L, Name>();
  return bytes_of(b, f);
}

template <const layout& L, fixed_name Name>
consteval std::uint32_t offset_of() {
  return field_of<L, Name>().offset;
}

// Builds field lists from shared parts: join(sqe_head, std::array{...}).
template <std::size_t... N>
constexpr auto join(const std::array<field, N>&... parts) {
  std::array<field, (N + ...)> all{};
  std::size_t at = 0;
  ((std::copy(parts.begin(), parts.end(), all.begin() + static_cast<std::ptrdiff_t>(at)), at += N),
   ...);
  return all;
}

}  // namespace nvmf::wire
