// SPDX-License-Identifier: BSD-2-Clause
// Any text as a condition. What parses is written in a form that parses to the same, evaluates the
// same, and allocates in proportion; what is refused points into the text on one printable line.
#include <string>
#include <string_view>

#include "fuzz/input.hpp"
#include "wire/expression.hpp"
#include "wire/expression/symbols.hpp"
#include "wire/tables.hpp"

using namespace nvmf::wire;
using nvmf::fuzz::require;

namespace {

constexpr std::string_view qid[] = {"qid"};
constexpr expression_field fields[] = {
    {.name = "cmd",
     .title = "command",
     .kind = value_kind::symbol,
     .lookup = lookup_command,
     .spell = spell_command},
    {.name = "queue", .title = "queue", .max = 0xffff, .also = qid},
    {.name = "slba", .title = "block"},
    {.name = "latency", .title = "latency", .kind = value_kind::duration},
    {.name = "load", .title = "load", .kind = value_kind::part},
    {.name = "host", .title = "host", .kind = value_kind::text},
    {.name = "dnr", .title = "do not retry", .kind = value_kind::flag},
    {.name = "pdu", .title = "PDU", .kind = value_kind::symbol, .max = 0xff, .symbols = &pdu_types},
    {.name = "status", .title = "status", .lookup = lookup_status, .spell = spell_status},
};

// Some world, told by a number: fields are absent, small, or what the text is likely to hold.
field_value value_of(std::size_t field, unsigned world) {
  const unsigned dice = (world * 7 + static_cast<unsigned>(field) * 13) % 5;
  if (dice == 0) return field_value::absent();
  if (fields[field].kind == value_kind::text)
    return field_value::of(std::string_view("nqn.2014-08.org:a b").substr(0, dice * 4));
  if (fields[field].kind == value_kind::flag) return field_value::of(dice & 1);
  return field_value::of(std::uint64_t{dice - 1} << (world % 32));
}

void check_error(const text_error& e, std::string_view text) {
  require(e.position <= text.size());
  require(e.part == "column " + std::to_string(e.position + 1));
  for (char c : to_text(e)) require(c >= ' ' && c <= '~');
  require(!caret_text(text, e).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto once = expression::parse(text, fields);
  if (!once) {
    check_error(once.error(), text);
    return 0;
  }
  require(!once->always());
  // Names and quotes may be longer than what was typed: then the limit may stand against it.
  const auto again = expression::parse(once->text(), fields);
  if (!again) {
    require(once->text().size() > expression_bytes_max);
    return 0;
  }
  require(*again == *once);
  for (unsigned world = 0; world < 16; ++world) {
    const auto fetch = [world](std::size_t i) { return value_of(i, world); };
    require(again->matches(fetch) == once->matches(fetch));
  }
  return 0;
}
