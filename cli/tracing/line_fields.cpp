// SPDX-License-Identifier: BSD-2-Clause
#include "line_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <span>

#include "wire/render_walk.hpp"

namespace nvmf::cli {

namespace {

constexpr std::array<std::string_view, 2> told_otherwise{"cid", "fctype"};
constexpr std::array<std::string_view, 4> always_told{"ofst", "cns", "lid", "fid"};
constexpr std::size_t word_bytes = 8;

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

// One that for_each_field() gives as a value of its own: not a list, not a structure, no text.
bool is_number(const wire::field& f) { return f.is_scalar(); }

}  // namespace

line_fields::line_fields(const wire::layout& form, std::uint64_t from, std::uint64_t to)
    : form_(form) {
  for (const wire::field& f : form.fields) {
    if (!is_number(f) || is_one_of(f.name, told_otherwise) || f.offset < from || f.offset >= to)
      continue;
    add({.row = &f,
         .label = kept_text{fmt::format(" {}=", f.name)},
         .plain = f.values == nullptr && f.row_by == nullptr && !f.zero_based,
         .always = is_one_of(f.name, always_told)});
  }
}

void line_fields::add(entry e) {
  const wire::field& f = *e.row;
  // One that lies across two words has one of its own.
  std::size_t at = f.offset / word_bytes * word_bytes;
  if (f.offset + f.size > at + word_bytes) at = f.offset;
  e.shift = f.bit + static_cast<unsigned>(f.offset - at) * 8;
  e.bits = f.max() << e.shift;
  if (words_.empty() || words_.back().at != at)
    words_.push_back({.at = at, .first = entries_.size(), .behind = 0});
  word& in = words_.back();
  in.used |= e.bits;
  in.always |= e.always;
  for (unsigned bit = 0; bit < 64; ++bit)
    if ((e.bits >> bit & 1) != 0)
      in.owner[bit] = static_cast<std::uint8_t>(entries_.size() - in.first);
  in.behind = entries_.size() + 1;
  words_end_ = std::max(words_end_, at + word_bytes);
  entries_.push_back(std::move(e));
}

kept_text line_fields::made(const entry& e, std::uint64_t value, wire::byte_span structure) const {
  const wire::field& f = *e.row;
  return kept_text{std::string{e.label.view()} +
                   wire::value_text({.event = wire::walk_event::value,
                                     .in = &form_,
                                     .row = &f,
                                     .offset = f.offset,
                                     .bytes = structure.subspan(f.offset, f.size),
                                     .structure = structure,
                                     .scalar = true,
                                     .number = value})};
}

void line_fields::append(line_buffer& to, entry& e, std::uint64_t value,
                         wire::byte_span structure) {
  if (e.plain) {
    to.append(e.label);
    if (e.row->as == wire::kind::number)
      to.number(value);
    else
      to.hex(value);
    return;
  }
  kept_value& kept = e.texts[value % texts_kept];
  // A name that depends on other bytes cannot be kept by its value.
  if (kept.value != value || kept.text.size() == 0 || e.row->row_by != nullptr)
    kept = {value, made(e, value, structure)};
  to.append(kept.text);
}

void line_fields::append(line_buffer& to, wire::byte_span structure) {
  if (structure.size() < words_end_) {
    for (entry& e : entries_) {
      const wire::field& f = *e.row;
      if (f.offset + std::size_t{f.size} > structure.size()) return;
      const std::uint64_t value = wire::get(structure, f);
      if (value != 0 || e.always) append(to, e, value, structure);
    }
    return;
  }
  for (const word& w : words_) {
    std::uint64_t left = wire::load_le(structure, w.at, word_bytes) & w.used;
    if (w.always) {
      for (std::size_t i = w.first; i < w.behind; ++i)
        if (entry& e = entries_[i]; (left & e.bits) != 0 || e.always)
          append(to, e, (left & e.bits) >> e.shift, structure);
      continue;
    }
    // From one that is not zero to the next: fields stand in the order of their bits.
    while (left != 0) {
      entry& e = entries_[w.first + w.owner[static_cast<std::size_t>(std::countr_zero(left))]];
      append(to, e, (left & e.bits) >> e.shift, structure);
      left &= ~e.bits;
    }
  }
}

}  // namespace nvmf::cli
