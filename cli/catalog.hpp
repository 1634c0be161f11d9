// SPDX-License-Identifier: BSD-2-Clause
// Everything that has a name: topics, tables, their rows, layouts, their fields. What `describe`
// looks up.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/layout.hpp"
#include "wire/table.hpp"
#include "wire/topic.hpp"

namespace nvmf::cli {

struct row_entry {
  const wire::table* in;
  wire::row row;  // by value: a status that no table has is made up from its ranges
};
struct field_entry {
  const wire::layout* in;
  std::string path;  // "cattr.nosqfc"
  wire::field field;
};
using entry = std::variant<const wire::table*, row_entry, const wire::layout*, field_entry,
                           const wire::topic*>;

// What `words` name, most telling first: {"status", "0x182"}, {"pdu", "r2t"}, {"connect"},
// {"connect", "sqsize"}, {"mdts"}. Words are taken in any case, with _ for -. The error is a
// sentence that suggests near names.
std::expected<std::vector<entry>, std::string> look_up(std::span<const std::string> words);

// All names look_up knows as a first word, each once: for completion and near names.
std::vector<std::string> catalog_names();

}  // namespace nvmf::cli
