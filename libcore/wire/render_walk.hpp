// SPDX-License-Identifier: BSD-2-Clause
// A structure's fields, one after the other, as values with a type: what text, JSON, comparison and
// search are made from. Takes bytes from anywhere: cut short, too long, or nonsense.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "layout.hpp"

namespace nvmf::wire {

enum class walk_event : std::uint8_t {
  value,       // one field, or one element of a list of values
  begin_bits,  // the bits of the word that was the value before
  end_bits,
  begin,  // a structure within; one element of a list of structures
  end,
  begin_list,  // a field that repeats
  end_list,
  truncated,  // the bytes end within a field: `offset` says where. Nothing follows.
  rest,       // bytes beyond the structure: `offset` and `bytes`. Nothing follows.
};

struct field_view {
  walk_event event;
  const layout* in = nullptr;  // null for truncated and rest
  const field* row = nullptr;
  std::string_view path = {};  // "psd[3].mp", "oacs.format"; valid during the call
  unsigned depth = 0;          // of nesting; bits are one deeper than their word
  std::uint32_t index = 0;     // in a list
  std::uint64_t offset = 0;  // of the field's (or element's) first byte, from the first byte of all
  byte_span bytes = {};      // of the field or element; fewer than its size when it is cut short
  byte_span structure = {};  // of the structure that it is a field of
  bool scalar = false;       // `number` is its value
  bool zero = false;         // all of it is zero
  std::uint64_t number = 0;
};

// Calls `fn` for every event in the order of the bytes. After begin, begin_list and begin_bits the
// answer says whether to go in; without going in there is no matching end.
void for_each_field(const layout& l, byte_span bytes,
                    const std::function<bool(const field_view&)>& fn);

// The name that a table has for the value, or nullptr.
const row* value_row(const field_view& v);

// The value for people, without its name's title: "0x7f", "31 (0's based: 32)", "0x1 (connect)",
// "0x3 (hdgst | ddgst)", "\"nqn.2014-08...\"", "01 02 03".
std::string value_text(const field_view& v);

// A place in a structure.
struct located_field {
  const layout* in;
  const field* row;
  std::string path;
  std::uint64_t offset;     // first byte of the field
  std::uint64_t size;       // of the field, or of the element of a list
  std::uint64_t structure;  // first byte of the structure `in`
};

// The innermost field that covers a byte (a word rather than its bits), or nullopt when the byte is
// beyond the structure. It explains IPO, FEI and PEL. `bytes` tell which structure lies within
// where that depends on them; they may be short or empty.
std::optional<located_field> field_at(const layout& l, std::uint64_t offset, byte_span bytes = {});

// The field of a path: "cattr", "cattr.nosqfc", "psd[3].mp". The bits of a word and the fields of a
// nested structure are found without their word's name too ("nosqfc") when only one has that name.
// Among equal names the outermost wins.
std::optional<located_field> find_field(const layout& l, std::string_view path,
                                        byte_span bytes = {});

}  // namespace nvmf::wire
