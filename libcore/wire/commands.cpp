// SPDX-License-Identifier: BSD-2-Clause
#include "commands.hpp"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "names.hpp"
#include "numbers.hpp"

namespace nvmf::wire {

namespace {

const table& opcodes_of(command_set set) {
  switch (set) {
    case command_set::admin:
      return admin_opcodes;
    case command_set::nvm:
      return nvm_opcodes;
    case command_set::fabrics:
      return fabrics_types;
  }
  return admin_opcodes;
}

constexpr command_set sets[] = {command_set::admin, command_set::nvm, command_set::fabrics};

// Base 2.0, 3.3.3.1 and NVM 3: vendors have C0h up, in I/O command sets 80h up.
std::string_view title_of_unknown(command_set set, std::uint8_t code) {
  return code >= (set == command_set::nvm ? 0x80 : 0xc0) ? "Vendor Specific" : "Reserved";
}

std::optional<command_set> parse_set(std::string_view name) {
  for (command_set s : sets)
    if (name == set_name(s)) return s;
  if (name == "io") return command_set::nvm;
  return std::nullopt;
}

std::unexpected<text_error> bad_command(std::size_t position, std::string reason) {
  return bad_text("command", position, std::move(reason), "identify, read or admin:0xc1");
}

}  // namespace

std::string_view set_name(command_set set) {
  switch (set) {
    case command_set::admin:
      return "admin";
    case command_set::nvm:
      return "nvm";
    case command_set::fabrics:
      return "fabrics";
  }
  return "";
}

command_info command_of(command_set set, std::uint8_t code) {
  command_info c;
  c.set = set;
  c.opcode = code;
  if (set == command_set::fabrics) {
    c.opcode = fabrics_opcode;
    c.fctype = code;
  }
  const row* r = opcodes_of(set).find(std::uint32_t{code});
  c.name = r ? r->name : std::string_view{};
  c.title = r ? r->title : title_of_unknown(set, code);
  c.section = r ? r->section : std::string_view{};
  c.direction = static_cast<data_transfer>(code & 0x3);
  return c;
}

command_info command_of_sqe(bool admin_queue, std::uint8_t opcode, std::uint8_t fctype) {
  if (opcode == fabrics_opcode) return command_of(command_set::fabrics, fctype);
  return command_of(admin_queue ? command_set::admin : command_set::nvm, opcode);
}

std::span<const command_info> all_commands() {
  static const std::vector<command_info> list = [] {
    std::vector<command_info> out;
    for (command_set s : sets)
      for (const row& r : opcodes_of(s).rows)
        out.push_back(command_of(s, static_cast<std::uint8_t>(r.value)));
    return out;
  }();
  return list;
}

std::expected<command_info, text_error> parse_command(std::string_view typed,
                                                      std::optional<command_set> numbers) {
  if (const auto colon = typed.find(':'); colon != std::string_view::npos) {
    const auto set = parse_set(to_kebab(typed.substr(0, colon)));
    if (!set)
      return bad_command(
          0, fmt::format("{} is none of admin, nvm and fabrics", quoted(typed.substr(0, colon))));
    const auto code = parse_value(opcodes_of(*set), typed.substr(colon + 1), "command", 0xff);
    if (!code) return bad_command(colon + 1 + code.error().position, code.error().reason);
    return command_of(*set, static_cast<std::uint8_t>(*code));
  }
  if (!typed.empty() && typed[0] >= '0' && typed[0] <= '9') {
    const command_set set = numbers.value_or(command_set::admin);
    const auto code = parse_value(opcodes_of(set), typed, "command", 0xff);
    if (!code) return bad_command(code.error().position, code.error().reason);
    if (numbers) return command_of(set, static_cast<std::uint8_t>(*code));
    return bad_command(
        0, fmt::format("{0:#04x} could be an admin or an I/O command; say admin:{0:#04x} "
                       "or nvm:{0:#04x}",
                       *code));
  }
  for (command_set s : sets)
    if (const row* r = find_name(opcodes_of(s), typed))
      return command_of(s, static_cast<std::uint8_t>(r->value));
  std::vector<std::string_view> names;
  for (command_set s : sets)
    for (std::string_view n : names_of(opcodes_of(s))) names.push_back(n);
  return bad_command(
      0, fmt::format("{} is not a command{}", quoted(typed), did_you_mean(typed, names)));
}

std::string spelled(const command_info& c) {
  const std::uint8_t code = c.set == command_set::fabrics ? c.fctype : c.opcode;
  return c.name.empty() ? fmt::format("{}:0x{:02x}", set_name(c.set), code) : std::string{c.name};
}

std::string to_text(const command_info& c) {
  if (c.name.empty()) return fmt::format("{} ({})", spelled(c), c.title);
  if (c.set == command_set::fabrics)
    return fmt::format("{} ({:02X}h/{:02X}h)", c.name, c.opcode, c.fctype);
  return fmt::format("{} ({:02X}h)", c.name, c.opcode);
}

}  // namespace nvmf::wire
