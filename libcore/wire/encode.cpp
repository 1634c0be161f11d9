// SPDX-License-Identifier: BSD-2-Clause
#include "encode.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "names.hpp"
#include "numbers.hpp"
#include "render_walk.hpp"
#include "uuid.hpp"

namespace nvmf::wire {

namespace {

using result = std::expected<void, text_error>;

// One "name=value", taken apart.
struct assignment {
  std::string_view name;
  std::string_view value;
  std::size_t value_at;  // where the value starts, for errors

  result fail_value(std::string reason, std::string_view example = {}) const {
    return bad_text(name, value_at, std::move(reason), example);
  }
  // An error of a parser of values, which counts from the value's start.
  result fail_value(text_error e) const {
    e.position += value_at;
    return std::unexpected(std::move(e));
  }
};

// Longer than any path of a field, so that what follows may show names whole.
constexpr std::size_t longest_name = 64;

bool in_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-.[]").find(c) != std::string_view::npos;
}

std::expected<assignment, text_error> take_apart(std::string_view text) {
  const auto bad = [](std::size_t position, std::string reason) {
    return std::unexpected(text_error{"field", position, std::move(reason), "slba=0"});
  };
  const std::size_t equals = std::min(text.find('='), text.size());
  const std::string_view name = text.substr(0, equals);
  const auto odd = std::ranges::find_if_not(name, in_a_name);
  if (odd != name.end()) {
    const auto at = static_cast<std::size_t>(odd - name.begin());
    return bad(at, quoted(name.substr(at, 1)) + " does not belong in a field's name");
  }
  if (name.empty()) return bad(0, "there is no name before =");
  if (name.size() > longest_name) return bad(longest_name, "no field has so long a name");
  if (equals == text.size()) {
    return std::unexpected(
        text_error{std::string(name), equals, "a field needs a value", fmt::format("{}=1", name)});
  }
  return assignment{name, text.substr(equals + 1), equals + 1};
}

result unknown_field(std::span<const layout* const> forms, byte_span bytes, const assignment& a) {
  std::vector<std::string> names;
  for (const layout* l : forms)
    for (std::string& n : field_names(*l, bytes)) names.push_back(std::move(n));
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  return bad_text(
      a.name, 0,
      fmt::format("{} has no such field{}", forms[0]->name, did_you_mean(a.name, candidates)));
}

result encode_number(const field& f, mutable_byte_span place, const assignment& a) {
  const auto value = f.values != nullptr
                         ? parse_value(*f.values, a.value, a.name, ~std::uint64_t{0})
                         : parse_size(a.value, a.name);
  if (!value) return a.fail_value(value.error());
  if (*value > f.max()) {
    return a.fail_value(fmt::format("{} does not fit in {} bit{}, the largest value is {} ({:#x})",
                                    *value, f.width_bits(), f.width_bits() == 1 ? "" : "s", f.max(),
                                    f.max()));
  }
  field here = f;
  here.offset = 0;
  set(place, here, *value);
  return {};
}

// Numbers of 16 bytes: what 8 bytes hold in any form, more of them in hexadecimal.
result encode_wide(mutable_byte_span place, const assignment& a) {
  const std::size_t digits = a.value.starts_with("0x") ? a.value.size() - 2 : 0;
  if (digits <= 16 || digits > 2 * place.size()) {
    const auto value = parse_size(a.value, a.name);
    if (!value) return a.fail_value(value.error());
    std::ranges::fill(place, std::byte{0});
    store_le(place, 0, 8, *value);
    return {};
  }
  const auto value = parse_hex((digits % 2 != 0 ? "0" : "") + std::string(a.value.substr(2)),
                               a.name, place.size());
  if (!value) return a.fail_value(value.error());
  std::ranges::fill(place, std::byte{0});
  std::ranges::copy(value->rbegin(), value->rend(), place.begin());
  return {};
}

result encode_text(const field& f, mutable_byte_span place, const assignment& a) {
  const bool terminated = f.as == kind::text;
  const std::size_t room = place.size() - (terminated ? 1 : 0);
  if (a.value.size() > room) {
    return a.fail_value(
        fmt::format("{} bytes do not fit, there is room for {}", a.value.size(), room));
  }
  std::ranges::fill(place, terminated ? std::byte{0} : std::byte{' '});
  std::ranges::transform(a.value, place.begin(), [](char c) { return static_cast<std::byte>(c); });
  return {};
}

result encode_uuid(mutable_byte_span place, const assignment& a) {
  const auto value = parse_uuid(a.value);
  if (!value) return a.fail_value(value.error());
  std::ranges::copy(value->bytes, place.begin());
  return {};
}

result encode_raw(mutable_byte_span place, const assignment& a) {
  const auto value = parse_hex(a.value, a.name, place.size());
  if (!value) return a.fail_value(value.error());
  std::ranges::fill(place, std::byte{0});
  std::ranges::copy(*value, place.begin());
  return {};
}

result encode_value(const field& f, mutable_byte_span place, const assignment& a) {
  switch (f.as) {
    case kind::number:
    case kind::hex:
      return f.size <= 8 ? encode_number(f, place, a) : encode_wide(place, a);
    case kind::ascii:
    case kind::text:
      return encode_text(f, place, a);
    case kind::uuid:
      return encode_uuid(place, a);
    case kind::raw:
    case kind::nested:
    case kind::reserved:
      break;
  }
  return encode_raw(place, a);
}

std::string_view name_of(std::string_view assignment) {
  return assignment.substr(0, assignment.find('='));
}

bool is_within(std::span<const layout* const> forms, std::string_view assignment) {
  return std::ranges::none_of(
      forms, [&](const layout* l) { return l->find(name_of(assignment)) != nullptr; });
}

bool is_known(std::span<const layout* const> forms, byte_span bytes, std::string_view assignment) {
  return std::ranges::any_of(forms, [&](const layout* l) {
    return find_field(*l, name_of(assignment), bytes).has_value();
  });
}

}  // namespace

result encode_field(std::span<const layout* const> forms, mutable_byte_span bytes,
                    std::string_view text) {
  assert(!forms.empty() && bytes.size() >= forms[0]->size);
  const auto a = take_apart(text);
  if (!a) return std::unexpected(a.error());
  for (const layout* l : forms) {
    const auto found = find_field(*l, a->name, bytes);
    if (!found) continue;
    return encode_value(*found->row, bytes.subspan(found->offset, found->size), *a);
  }
  return unknown_field(forms, bytes, *a);
}

result encode_fields(std::span<const layout* const> forms, mutable_byte_span bytes,
                     std::span<const std::string> assignments, std::size_t* which) {
  // The fields of the structure itself first, since what is within may depend on them; and a name
  // that is not known yet again once others are written (sgl1.key, when sgl1.type follows).
  std::vector<std::size_t> pending;
  for (const bool within : {false, true})
    for (std::size_t i = 0; i < assignments.size(); ++i)
      if (is_within(forms, assignments[i]) == within) pending.push_back(i);
  while (!pending.empty()) {
    std::vector<std::size_t> later;
    for (const std::size_t i : pending) {
      if (!is_known(forms, bytes, assignments[i])) {
        later.push_back(i);
        continue;
      }
      if (result r = encode_field(forms, bytes, assignments[i]); !r) {
        if (which != nullptr) *which = i;
        return r;
      }
    }
    // Nothing more becomes known: encode_field says of the first what is wrong with it.
    if (later.size() == pending.size()) {
      if (which != nullptr) *which = later.front();
      return encode_field(forms, bytes, assignments[later.front()]);
    }
    pending = std::move(later);
  }
  return {};
}

std::vector<std::string> field_names(const layout& form, byte_span bytes) {
  std::vector<std::byte> all(bytes.begin(), bytes.end());
  if (all.size() < form.size) all.resize(form.size);
  std::vector<std::string> names;
  for_each_field(form, all, [&](const field_view& v) {
    // A list has too many elements to offer each; one that is known is taken all the same.
    if (v.event == walk_event::begin_list) return false;
    const bool target = v.event == walk_event::value || v.event == walk_event::begin;
    if (target && v.row->as != kind::reserved) names.emplace_back(v.path);
    return true;
  });
  return names;
}

}  // namespace nvmf::wire
