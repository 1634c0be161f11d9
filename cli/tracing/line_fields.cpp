// SPDX-License-Identifier: BSD-2-Clause
#include "line_fields.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "clock_text.hpp"
#include "wire/render_walk.hpp"

namespace nvmf::cli {

namespace {

constexpr std::array<std::string_view, 2> told_otherwise{"cid", "fctype"};
constexpr std::array<std::string_view, 4> always_told{"ofst", "cns", "lid", "fid"};

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
    const bool plain = f.values == nullptr && f.row_by == nullptr && !f.zero_based;
    entries_.push_back(
        {&f, fmt::format(" {}=", f.name), plain, is_one_of(f.name, always_told), 0, {}});
  }
}

void line_fields::append(fmt::memory_buffer& to, wire::byte_span structure) {
  for (entry& e : entries_) {
    const wire::field& f = *e.row;
    if (f.offset + std::size_t{f.size} > structure.size()) return;
    const std::uint64_t value = wire::get(structure, f);
    if (value == 0 && !e.always) continue;
    if (e.plain) {
      to.append(e.label);
      if (f.as == wire::kind::number)
        append_number(to, value);
      else
        fmt::format_to(std::back_inserter(to), "{:#x}", value);
      continue;
    }
    // A name that depends on other bytes cannot be kept by its value.
    if (e.last != value || e.text.empty() || f.row_by != nullptr) {
      const wire::field_view v{.event = wire::walk_event::value,
                               .in = &form_,
                               .row = &f,
                               .offset = f.offset,
                               .bytes = structure.subspan(f.offset, f.size),
                               .structure = structure,
                               .scalar = true,
                               .number = value};
      e.text = e.label + wire::value_text(v);
      e.last = value;
    }
    to.append(e.text);
  }
}

}  // namespace nvmf::cli
