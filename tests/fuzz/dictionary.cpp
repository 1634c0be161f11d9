// SPDX-License-Identifier: BSD-2-Clause
// Writes a libFuzzer dictionary from the tables and layouts: `fuzz_dictionary bytes` has what
// stands on the wire, `fuzz_dictionary text` what people type. It is run by the build, so a new row
// is in the next run of the fuzzers.
#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "wire/layouts/forms.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/nqn.hpp"
#include "wire/tables.hpp"
#include "wire/uri.hpp"

namespace {

using namespace nvmf;

// libFuzzer takes no longer words.
constexpr std::size_t longest = 64;

void entry(std::string name, std::string_view value) {
  if (value.empty() || value.size() > longest) return;
  for (char& c : name)
    if (c == '-' || c == '+') c = '_';
  std::string quoted;
  for (const char c : value) {
    const bool plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';
    quoted += plain ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  fmt::print("{}=\"{}\"\n", name, quoted);
}

std::string little(std::uint64_t value, std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

struct sized_table {
  const wire::table* is;
  std::size_t bytes;  // of the enum: how wide the value is on the wire
};

std::vector<sized_table> sized_tables() {
  return {
  // clang-format off
#define TABLE(id, type, variable, title) {&wire::variable, sizeof(type)},
#define FLAG_TABLE TABLE
#define X(...)
#define ALIAS(short_id, id)
#define END_TABLE(id)
#include "wire/tables/all.def"
#include "wire/tables/undef.def"
      // clang-format on
  };
}

// A value as its table has it; a status code also as a CQE has it, and an opcode as an SQE begins
// (PSDT 1, as all commands over fabrics have).
void table_bytes(const sized_table& t) {
  const bool status = t.is == &wire::status_codes || t.is == &wire::fabrics_status_codes;
  const bool opcode = t.is == &wire::admin_opcodes || t.is == &wire::nvm_opcodes;
  for (const wire::row& r : t.is->rows) {
    const std::string name = fmt::format("{}_{}", t.is->name, r.name);
    entry(name, little(r.value, t.bytes));
    if (status) entry(name + "_in_cqe", little(r.value << 1, t.bytes));
    if (opcode) entry(name + "_sqe", little(r.value | 0x4000, 2));
    if (t.is == &wire::fabrics_types)
      entry(name + "_sqe", little(wire::fabrics_opcode | 0x4000, 4) + little(r.value, 1));
  }
}

// The common header of each PDU, as long as it is without data.
void pdu_bytes() {
  for (const wire::layout* l : wire::pdu_layouts)
    for (const wire::row& r : wire::pdu_types.rows)
      if (wire::pdu_layout(static_cast<std::uint8_t>(r.value)) == l)
        entry(fmt::format("pdu_{}", l->name), little(r.value, 1) + little(0, 1) +
                                                  little(l->size, 1) + little(0, 1) +
                                                  little(l->size, 4));
}

void bytes() {
  for (const sized_table& t : sized_tables()) table_bytes(t);
  pdu_bytes();
  entry("nqn_discovery", wire::discovery_nqn);
  entry("nqn_uuid", wire::uuid_nqn_prefix);
}

void text() {
  for (const wire::table* t : wire::all_tables()) {
    entry("table_" + std::string(t->name), t->name);
    for (const wire::row& r : t->rows) entry(fmt::format("{}_{}", t->name, r.name), r.name);
    for (const wire::short_form& s : t->short_forms)
      entry(fmt::format("{}_{}", t->name, s.name), s.name);
  }
  for (const wire::layout* l : wire::all_layouts()) {
    entry("layout_" + std::string(l->name), l->name);
    for (const wire::field& f : l->fields)
      entry(fmt::format("{}_{}", l->name, f.name), fmt::format("{}=", f.name));
  }
  for (const auto t :
       {wire::uri_transport::tcp, wire::uri_transport::rdma, wire::uri_transport::loop})
    entry(fmt::format("scheme_{}", wire::transport_name(t)),
          fmt::format("nvme+{}://", wire::transport_name(t)));
  for (const char* word : {"://", "[::1]", ":4420", ":8009", "nqn.2014-08.", "trtype:", "adrfam:",
                           "traddr:", "trsvcid:", "subnqn:", "0x", "0b", "KiB", "true"})
    entry("word", word);
  entry("nqn_discovery", wire::discovery_nqn);
  entry("nqn_uuid", wire::uuid_nqn_prefix);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "bytes") == 0)
    bytes();
  else if (argc == 2 && std::strcmp(argv[1], "text") == 0)
    text();
  else
    return std::fputs("usage: fuzz_dictionary bytes|text\n", stderr), 2;
  return 0;
}
