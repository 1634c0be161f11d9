// SPDX-License-Identifier: BSD-2-Clause
#include "json_fields.hpp"

#include <cstring>

#include "render/fields.hpp"
#include "render/json.hpp"
#include "tracing/clock_text.hpp"

namespace nvmf::cli {

namespace {

// Its value is all that is said of it, and nothing else depends on it.
bool is_plain(const wire::field& f) {
  return f.is_scalar() && f.as != wire::kind::reserved && f.values == nullptr &&
         f.row_by == nullptr && f.of == nullptr && f.pick == nullptr;
}

std::string made_anew(const wire::layout& form, wire::byte_span structure) {
  std::string text = json_line(fields_json(form, structure));
  text.pop_back();
  return text;
}

}  // namespace

json_fields::plan& json_fields::plan_of(const wire::layout& form) {
  const auto [place, fresh] = plans_.try_emplace(&form);
  plan& p = place->second;
  if (!fresh || form.size > bytes_max) return p;
  std::array<std::byte, bytes_max> ones{};
  for (const wire::field& f : form.fields) {
    if (!is_plain(f)) continue;
    p.numbers.push_back(&f);
    wire::set(ones, f, f.max());
  }
  std::memcpy(p.mask.data(), ones.data(), ones.size());
  for (std::uint64_t& word : p.mask) word = ~word;
  p.texts.resize(texts_max);
  p.usable = true;
  return p;
}

void json_fields::fill(fmt::memory_buffer& to, const plan& p, const text_of& t,
                       wire::byte_span structure) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < t.holes.size(); ++i) {
    to.append(t.text.data() + at, t.text.data() + t.holes[i]);
    at = t.holes[i];
    append_number(to, wire::get(structure, *p.numbers[i]));
  }
  to.append(t.text.data() + at, t.text.data() + t.text.size());
}

// The holes are where zeros stand behind the names of the numbers. Whether that is so, and whether
// nothing else changes with them, is seen by putting in the largest of each.
bool json_fields::make(const wire::layout& form, const plan& p, const words& rest, text_of& out) {
  std::array<std::byte, bytes_max> bytes{};
  std::memcpy(bytes.data(), rest.data(), bytes.size());
  const auto structure = std::span{bytes}.first(form.size);
  out.rest = rest;
  out.holes.clear();
  out.text = made_anew(form, structure);
  std::size_t at = 0;
  for (const wire::field* f : p.numbers) {
    const std::string label = fmt::format("\"{}\": 0", f->name);
    at = out.text.find(label, at);
    if (at == std::string::npos) return false;
    at += label.size() - 1;
    out.text.erase(at, 1);
    out.holes.push_back(at);
    wire::set(bytes, *f, f->max());
  }
  fmt::memory_buffer tried;
  fill(tried, p, out, structure);
  return std::string_view(tried.data(), tried.size()) == made_anew(form, structure);
}

void json_fields::append(fmt::memory_buffer& to, const wire::layout& form,
                         wire::byte_span structure) {
  plan& p = plan_of(form);
  if (p.usable && structure.size() == form.size) {
    words rest{};
    std::memcpy(rest.data(), structure.data(), structure.size());
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < (structure.size() + 7) / 8; ++i) {
      rest[i] &= p.mask[i];
      hash = (hash ^ rest[i]) * 0x9e3779b97f4a7c15u;
      hash ^= hash >> 32;
    }
    text_of& t = p.texts[hash % texts_max];
    if (t.text.empty() || t.rest != rest)
      if (!make(form, p, rest, t)) p.usable = false;
    if (p.usable) return fill(to, p, t, structure);
  }
  to.append(made_anew(form, structure));
}

}  // namespace nvmf::cli
