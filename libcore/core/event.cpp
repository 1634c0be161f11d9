// SPDX-License-Identifier: BSD-2-Clause
#include <array>
#include <nvmf/event.hpp>

#include "wire/layout.hpp"

namespace nvmf {
namespace {

// "pdu_out" -> "pdu-out", at compile time: names are shown as users type them.
template <wire::fixed_name Id>
constexpr auto dashed = [] {
  std::array<char, sizeof(Id.text)> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = Id.text[i] == '_' ? '-' : Id.text[i];
  return out;
}();

}  // namespace

std::string_view event_name(event_type type) {
  switch (type) {
#define X(id, number, title, fields) \
  case event_type::id:               \
    return {dashed<#id>.data(), dashed<#id>.size() - 1};
#include <nvmf/event.def>
#undef X
  }
  return "unknown";
}

}  // namespace nvmf
