// SPDX-License-Identifier: BSD-2-Clause
// What a path of an expression finds on the workbench: c1.status, b1[0,16], q1.up. A kind of
// object is one row of path_kinds().
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "value.hpp"
#include "wire/layout.hpp"

namespace nvmf::cli::repl {

class workbench;

// A value, or a sentence that says what is wrong and what would fit.
using found_value = std::expected<value, std::string>;

struct path_kind {
  std::string_view what;  // "command"
  // `rest` is what follows the name in the path: "", ".status", "[0,16].crc". Nothing: there is no
  // object of that name.
  std::optional<found_value> (*read)(const workbench&, std::string_view name,
                                     std::string_view rest);
  // The names there are, for near names and completion.
  std::vector<std::string_view> (*names)(const workbench&);
  std::string_view members;  // ".status .error ...", for help
};
std::span<const path_kind> path_kinds();

// The value at "name", "name.member", "name[...]". Nothing: no object has that name.
std::optional<found_value> find_path(const workbench& bench, std::string_view path);

// For kinds: a field of a structure as wire::find_field takes it, "nsid", "cattr.nosqfc",
// "psd[3].mp". Bytes and texts are copied. `forms` are asked in turn.
found_value read_field(std::span<const wire::layout* const> forms, std::span<const std::byte> bytes,
                       std::string_view field);
// Of an SQE: the fields of its form, and those of any SQE (cdw10).
found_value read_sqe_field(std::span<const std::byte> sqe, bool admin_queue,
                           std::string_view field);
// What is said of a member that `name` does not have.
std::string no_member(std::string_view name, std::string_view rest, std::string_view members);
// Takes ".member" off `rest`; what is left begins with . or [ or is empty.
std::string_view take_member(std::string_view& rest);

}  // namespace nvmf::cli::repl
