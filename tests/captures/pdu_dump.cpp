// SPDX-License-Identifier: BSD-2-Clause
// pdu_dump CAPTURE PORT: one JSON line a PDU, every field with its place and value, for comparison
// with other decoders (tests/oracle/tshark_fields.py).
#include <fmt/format.h>
#include <cstdio>
#include <cstdlib>

#include "captures/fields.hpp"

using namespace nvmf;

namespace {

std::string hex(std::span<const std::byte> bytes) {
  std::string s;
  for (const std::byte b : bytes) s += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  return s;
}

void print(const test::tcp_conversation& c, const test::seen_pdu& p) {
  const auto& stream = p.to_server ? c.to_server : c.to_client;
  std::string fields;
  std::size_t known = 0;
  for (const test::part& part : test::parts(p)) {
    known = std::max(known, part.offset + part.bytes.size());
    for (const test::leaf& l : test::leaves(*part.layout, part.bytes)) {
      wire::field here = *l.field;
      here.offset = l.offset;
      const bool scalar = here.size <= 8;
      const std::uint64_t mask = here.bits == 0 ? 0 : here.max() << here.bit;
      fields +=
          fmt::format("{}{{\"name\":\"{}.{}\",\"offset\":{},\"size\":{},\"mask\":{},\"value\":{}}}",
                      fields.empty() ? "" : ",", part.layout->name, l.name, part.offset + l.offset,
                      here.size, mask == 0 ? "null" : std::to_string(mask),
                      scalar ? std::to_string(wire::get(part.bytes, here)) : "null");
    }
  }
  fmt::print(
      "{{\"from\":{},\"to\":{},\"number\":{},\"type\":\"{}\",\"bytes\":\"{}\",\"fields\":[{}]}}\n",
      stream.from_port, stream.to_port, p.number, p.header->name, hex(p.bytes.first(known)),
      fields);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: pdu_dump CAPTURE PORT\n");
    return 2;
  }
  const auto all = test::read_pcap(argv[1], static_cast<std::uint16_t>(std::atoi(argv[2])));
  if (!all) {
    fmt::print(stderr, "pdu_dump: {}\n", all.error());
    return 1;
  }
  for (const auto& c : *all)
    if (auto ok = test::walk(c, [&](const test::seen_pdu& p) { print(c, p); }); !ok) {
      fmt::print(stderr, "pdu_dump: {}\n", ok.error());
      return 1;
    }
  return 0;
}
