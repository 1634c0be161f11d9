// SPDX-License-Identifier: BSD-2-Clause
// What lines of a trace need to know of a command, looked up once for each opcode.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "line_fields.hpp"
#include "trace/conversation/command.hpp"
#include "wire/commands.hpp"

namespace nvmf::cli {

class known_commands {
 public:
  struct known {
    std::string name;  // "read", "nvm:0x90 (Vendor Specific)"
    line_fields fields;
  };
  known& of(const trace::command& c);

 private:
  std::array<std::unique_ptr<known>, 3 * 256> known_;
};

// The set and the opcode or FCTYPE as one number: an index, and a key.
std::size_t command_key(const trace::command& c);

}  // namespace nvmf::cli
