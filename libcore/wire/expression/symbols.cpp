// SPDX-License-Identifier: BSD-2-Clause
#include "symbols.hpp"

#include <fmt/format.h>

#include "../names.hpp"
#include "../numbers.hpp"
#include "../status.hpp"
#include "../tables.hpp"

namespace nvmf::wire {

std::expected<std::uint64_t, text_error> lookup_command(std::string_view typed) {
  const auto c = parse_command(typed);
  if (!c) return std::unexpected(c.error());
  return command_number(*c);
}

std::string spell_command(std::uint64_t number) {
  const auto set = static_cast<command_set>(number >> 8);
  const command_info c = command_of(set, static_cast<std::uint8_t>(number & 0xff));
  // Where two sets have a name, it is the first one's.
  if (const auto again = parse_command(c.name); again && command_number(*again) == number)
    return std::string(c.name);
  return fmt::format("{}:0x{:02x}", set_name(set), number & 0xff);
}

std::expected<std::uint64_t, text_error> lookup_queue(std::string_view typed) {
  if (to_kebab(typed) == "admin") return 0;
  return parse_number(typed, {}, {.max = 0xffff});
}

std::expected<std::uint64_t, text_error> lookup_status(std::string_view typed) {
  const auto code = parse_status(typed);
  if (!code) return std::unexpected(code.error());
  return *code;
}

std::string spell_status(std::uint64_t code) {
  for (const table* t : {&fabrics_status_codes, &status_codes})
    if (const row* r = t->find(static_cast<std::uint32_t>(code)))
      if (parse_status(r->name) == static_cast<std::uint16_t>(code)) return std::string(r->name);
  return fmt::format("{:x}/{:02X}h", code >> 8, code & 0xff);
}

}  // namespace nvmf::wire
