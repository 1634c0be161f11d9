// SPDX-License-Identifier: BSD-2-Clause
// == != < <= > >= and =~, of every little language of the house.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

namespace nvmf::wire {

struct token;

enum class comparison : std::uint8_t {
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  contains,  // =~, or the word
};

// Nothing when it is no comparison.
std::optional<comparison> comparison_of(const token& t);

// Of two values in that order. What contains what is for the values to say: false.
bool holds(comparison how, std::strong_ordering order);

}  // namespace nvmf::wire
