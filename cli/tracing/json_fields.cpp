// SPDX-License-Identifier: BSD-2-Clause
#include "json_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "render/fields.hpp"
#include "render/json.hpp"

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
  auto& [last, its] = recent_[reinterpret_cast<std::uintptr_t>(&form) / 64 % recent_.size()];
  if (last == &form) return *its;
  const auto [place, fresh] = plans_.try_emplace(&form);
  plan& p = place->second;
  last = &form;
  its = &p;
  if (!fresh || form.size > bytes_max) return p;
  words ones{};
  const auto bytes = std::as_writable_bytes(std::span{ones});
  for (const wire::field& f : form.fields) {
    if (!is_plain(f)) continue;
    p.numbers.push_back({&f, f.offset, f.bit, f.max()});
    wire::set(bytes, f, f.max());
  }
  std::ranges::transform(ones, p.mask.begin(), [](std::uint64_t word) { return ~word; });
  p.words_used = (form.size + word_bytes - 1) / word_bytes;
  p.texts.resize(texts_max);
  p.usable = true;
  return p;
}

void json_fields::fill(line_buffer& to, const plan& p, const text_of& t, const words& bytes) {
  const auto structure = std::as_bytes(std::span{bytes});
  const char* from = t.text.data();
  char* at = to.room(t.room);
  for (std::size_t i = 0; i < p.numbers.size(); ++i) {
    at = line_buffer::copy(at, from, t.pieces[i]);
    from += t.pieces[i];
    const number_at& n = p.numbers[i];
    const std::uint64_t word = wire::load_le(structure, n.offset, word_bytes);
    at = line_buffer::put_number(at, word >> n.shift & n.mask);
  }
  to.took(line_buffer::copy(at, from, t.pieces.back()));
}

// The holes are where zeros stand behind the names of the numbers. Whether that is so, and whether
// nothing else changes with them, is seen by putting in the largest of each.
bool json_fields::make(const wire::layout& form, const plan& p, const words& rest, text_of& out) {
  words all = rest;
  const auto structure = std::as_writable_bytes(std::span{all}).first(form.size);
  out.rest = rest;
  out.used = true;
  out.pieces.clear();
  std::string text = made_anew(form, structure);
  std::size_t at = 0, before = 0;
  for (const number_at& n : p.numbers) {
    const std::string label = fmt::format("\"{}\": 0", n.row->name);
    at = text.find(label, at);
    if (at == std::string::npos) return false;
    at += label.size() - 1;
    text.erase(at, 1);
    out.pieces.push_back(at - before);
    before = at;
    wire::set(structure, *n.row, n.row->max());
  }
  out.pieces.push_back(text.size() - before);
  out.text = kept_text{text};
  out.room = text.size() + p.numbers.size() * line_buffer::number_max;
  line_buffer tried;
  fill(tried, p, out, all);
  return tried.view() == made_anew(form, structure);
}

void json_fields::append(line_buffer& to, const wire::layout& form, wire::byte_span structure) {
  plan& p = plan_of(form);
  if (p.usable && structure.size() == form.size) {
    words all{}, rest{};
    std::memcpy(all.data(), structure.data(), structure.size());
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < p.words_used; ++i) {
      rest[i] = all[i] & p.mask[i];
      hash = (hash ^ rest[i]) * 0x9e3779b97f4a7c15u;
      hash ^= hash >> 32;
    }
    text_of& t = p.texts[hash % texts_max];
    if (!t.used || !std::equal(rest.begin(), rest.begin() + p.words_used, t.rest.begin())) {
      ++made_;
      if (!make(form, p, rest, t)) p.usable = false;
    }
    if (p.usable) return fill(to, p, t, all);
  }
  ++made_;
  to.append(made_anew(form, structure));
}

}  // namespace nvmf::cli
