// SPDX-License-Identifier: BSD-2-Clause
// Every reader of typed text takes the same bytes. What is read must survive being written and read
// again; what is refused must point into the text and say so on one printable line.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "wire/commands.hpp"
#include "wire/host.hpp"
#include "wire/names.hpp"
#include "wire/nqn.hpp"
#include "wire/numbers.hpp"
#include "wire/status.hpp"
#include "wire/tables.hpp"
#include "wire/uri.hpp"
#include "wire/uuid.hpp"

using namespace nvmf::wire;

namespace {

void require(bool good) {
  if (!good) std::abort();
}

bool printable(std::string_view text) {
  for (char c : text)
    if (c < ' ' || c > '~') return false;
  return true;
}

template <class Result>
void check_error(const Result& result, std::string_view text) {
  if (result.has_value()) return;
  require(result.error().position <= text.size());
  require(printable(to_text(result.error())));
  require(!caret_text(text, result.error()).empty());
}

void check_addresses(std::string_view text) {
  const auto u = parse_address(text);
  check_error(u, text);
  if (u) require(parse_uri(to_text(*u)) == u);
  const auto trid = parse_trid(text);
  check_error(trid, text);
  if (trid) require(parse_uri(to_text(*trid)) == trid);
  const auto e = parse_endpoint(text, 0);
  check_error(e, text);
  if (e) require(parse_endpoint(to_text(*e), 0) == e);
  check_error(check_host(text), text);
  const auto decoded = percent_decode(text, "text");
  check_error(decoded, text);
  require(percent_decode(percent_encode(text), "text") == text);
}

// The text as it would stand in a field: cut at 256 bytes, or zeros after it.
void check_nqn_field(std::string_view text) {
  std::array<std::byte, nqn_field_size> field{};
  std::ranges::copy(std::as_bytes(std::span(text.substr(0, field.size()))), field.begin());
  const auto name = nqn_in_field(field, "NQN");
  if (!name) return require(printable(to_text(name.error())));
  require(!name->empty() && name->size() <= nqn_max_length);
  require(text.starts_with(*name) && name->find('\0') == name->npos);
  auto again = field;
  put_nqn(again, *name);
  require(nqn_in_field(again, "NQN") == *name);
}

void check_names(std::string_view text) {
  check_error(parse_command(text), text);
  check_error(parse_status(text), text);
  for (const table* t : {&features, &pdu_flags, &properties})
    check_error(parse_value(*t, text, "value", 0xff), text);
  (void)nearest(text, names_of(admin_opcodes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_addresses(text);
  check_names(text);
  check_error(check_nqn(text), text);
  check_nqn_field(text);
  check_error(parse_number(text, "n"), text);
  check_error(parse_hex(text, "hex", 64), text);
  const auto n = parse_size(text, "size");
  check_error(n, text);
  if (n) require(parse_number(std::to_string(*n), "n") == n);
  const auto id = parse_host_id(text);
  check_error(id, text);
  if (id) require(parse_uuid(to_text(*id)) == id);
  return 0;
}
