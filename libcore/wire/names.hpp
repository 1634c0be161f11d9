// SPDX-License-Identifier: BSD-2-Clause
// Names as people type them: the table's name in any case, with underscores for dashes, a short
// form, or a number. And the near name when there is none.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "table.hpp"
#include "text_error.hpp"

namespace nvmf::wire {

// The form that tables hold: lower case, dashes for underscores.
std::string to_kebab(std::string_view typed);

// The row of a name or short form; nullptr when the table has none.
const row* find_name(const table& t, std::string_view typed);

// As find_name, or the row of a number ("0x0b", "11", "0Bh").
const row* find_row(const table& t, std::string_view typed);

// The value of a name or short form, or any number up to `max`, in the table or not: a debugger
// sends reserved values too (0x0b, 11, 0Bh). In a table of flags several may be joined with a comma
// or |. `what` names the field in errors, which suggest near names.
std::expected<std::uint64_t, text_error> parse_value(const table& t, std::string_view typed,
                                                     std::string_view what, std::uint64_t max);

// Names and short forms, for completion and for nearest().
std::vector<std::string_view> names_of(const table& t);

// Up to `limit` candidates that `word` may have been meant for, best first; empty when none is
// near. Candidates that contain the word count as near too. Views are those of `candidates`.
std::vector<std::string_view> nearest(std::string_view word,
                                      std::span<const std::string_view> candidates,
                                      std::size_t limit = 3);

// "; did you mean identify or verify?" from nearest(), or "" when nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace nvmf::wire
