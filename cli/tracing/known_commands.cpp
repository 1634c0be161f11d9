// SPDX-License-Identifier: BSD-2-Clause
#include "known_commands.hpp"

#include "wire/expression/symbols.hpp"
#include "wire/layouts/forms.hpp"

namespace nvmf::cli {

std::size_t command_key(const trace::command& c) {
  return static_cast<std::size_t>(wire::command_number(c.admin, c.opcode(), c.fctype()));
}

known_commands::known& known_commands::of(const trace::command& c) {
  auto& at = known_[command_key(c)];
  if (at == nullptr) {
    const auto info = wire::command_of_sqe(c.admin, c.opcode(), c.fctype());
    at = std::make_unique<known>(
        known{info.name.empty() ? to_text(info) : std::string{info.name},
              line_fields{wire::sqe_form(c.opcode(), c.admin, c.fctype()), 2, 64}});
  }
  return *at;
}

}  // namespace nvmf::cli
