// SPDX-License-Identifier: BSD-2-Clause
#include "rule.hpp"

#include <algorithm>
#include <array>

namespace nvmf::trace {

namespace {

// "r2t_range" as a name: dashes for underscores.
template <std::size_t N>
struct dashed {
  std::array<char, N> text{};
  consteval explicit dashed(const char (&id)[N]) {
    for (std::size_t i = 0; i < N; ++i) text[i] = id[i] == '_' ? '-' : id[i];
  }
};
template <dashed D>
constexpr std::string_view name_v{D.text.data(), D.text.size() - 1};

constexpr std::array rows{
#define RULE(id, weight, who, needs, fes, checks, section, statement)          \
  rule_row{rule::id,      name_v<dashed{#id}>, severity::weight, breaker::who, \
           needed::needs, std::uint8_t{fes},   checks,           section,      \
           statement},
#include "rules.def"
#undef RULE
};

constexpr std::array<std::string_view, 3> severities{"note", "warning", "error"};
constexpr std::array<std::string_view, 2> sides{"host", "controller"};
constexpr std::array<std::string_view, 3> breakers{"host", "controller", "host or controller"};
constexpr std::array<std::string_view, 6> needs{
    "where PDUs begin",
    "ICReq and ICResp, or the private data of RDMA",
    "the command from its capsule on, without a gap",
    "Connect of the queue",
    "the connection from its first byte on, without a gap",
    "the Admin Queue of the controller, for what Identify, CAP and CC tell",
};

}  // namespace

std::string_view name_of(severity s) { return severities[static_cast<std::size_t>(s)]; }
std::string_view name_of(side s) { return sides[static_cast<std::size_t>(s)]; }
std::string_view title_of(breaker b) { return breakers[static_cast<std::size_t>(b)]; }
std::string_view title_of(needed n) { return needs[static_cast<std::size_t>(n)]; }

std::span<const rule_row> all_rules() { return rows; }
const rule_row& row_of(rule r) { return rows[static_cast<std::size_t>(r)]; }

const rule_row* find_rule(std::string_view name) {
  const auto same = [](char typed, char have) { return (typed == '_' ? '-' : typed) == have; };
  for (const rule_row& r : rows)
    if (std::ranges::equal(name, r.name, same)) return &r;
  return nullptr;
}

}  // namespace nvmf::trace
