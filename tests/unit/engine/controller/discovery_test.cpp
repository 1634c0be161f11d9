// SPDX-License-Identifier: BSD-2-Clause
// The discovery log page (Base 2.0, 5.16.1.23), byte by byte.
#include "engine/controller/discovery.hpp"

#include <doctest/doctest.h>

#include "support/raw_bytes.hpp"

using namespace nvmf::engine;
using namespace nvmf::test;

namespace {

std::string padded(std::string text, std::size_t n) {
  text.resize(n, ' ');
  return text;
}
const std::string host = "nqn.2026-11.io.example:host";

}  // namespace

TEST_CASE("a record") {
  const discovery_source s{.generation = 5,
                           .ports = {{3, "192.0.2.7", 4420, 9}},
                           .subsystems = {{"nqn.2026-11.io.example:one", {}, false}}};
  const auto page = discovery_page(s, host, "192.0.2.7:4420");
  REQUIRE(page.size() == 2048);
  CHECK(peek(page, 0, 8) == 5);   // GENCTR
  CHECK(peek(page, 8, 8) == 1);   // NUMREC
  CHECK(peek(page, 16, 2) == 0);  // RECFMT
  const auto e = std::span{page}.subspan(1024);
  CHECK(peek(e, 0, 1) == 3);       // TCP
  CHECK(peek(e, 1, 1) == 1);       // IPv4
  CHECK(peek(e, 2, 1) == 2);       // NVM subsystem
  CHECK(peek(e, 3, 1) == 0x06);    // TREQ: no secure channel, SQ flow control may be off
  CHECK(peek(e, 4, 2) == 9);       // PORTID
  CHECK(peek(e, 6, 2) == 0xffff);  // CNTLID: dynamic
  CHECK(peek(e, 8, 2) == 4096);    // ASQSZ
  CHECK(peek(e, 10, 2) == 0);      // EFLAGS
  CHECK(text_at(e, 32, 32) == padded("4420", 32));
  CHECK(text_at(e, 256, 27) == std::string_view("nqn.2026-11.io.example:one\0", 27));
  CHECK(text_at(e, 512, 256) == padded("192.0.2.7", 256));
  for (std::size_t at = 12; at < 32; ++at) CHECK(e[at] == std::byte{0});
  for (std::size_t at = 768; at < 1024; ++at) CHECK(e[at] == std::byte{0});  // TSAS: no security
}

TEST_CASE("wildcards become the address that was asked on") {
  const auto address = [](discovery_port port, std::string_view asked_on) {
    const auto page = discovery_page(
        {.ports = {std::move(port)}, .subsystems = {{"nqn.x", {}, false}}}, host, asked_on);
    std::string text(text_at(std::span{page}.subspan(1024), 512, 256));
    text.erase(text.find_last_not_of(' ') + 1);
    return std::to_string(peek(page, 1025, 1)) + " " + text;
  };
  CHECK(address({3, "0.0.0.0", 4420, 1}, "198.51.100.1:4420") == "1 198.51.100.1");
  CHECK(address({3, "", 4420, 1}, "198.51.100.1:4420") == "1 198.51.100.1");
  CHECK(address({3, "::", 4420, 1}, "[2001:db8::1]:8009") == "2 2001:db8::1");
  CHECK(address({3, "::", 4420, 1}, "[::ffff:198.51.100.1]:4420") == "1 198.51.100.1");
  CHECK(address({3, "2001:db8::2", 4420, 1}, "198.51.100.1:4420") == "2 2001:db8::2");
  CHECK(address({3, "192.0.2.1", 4420, 1}, "198.51.100.1:4420") == "1 192.0.2.1");
  CHECK(address({254, "name", 0, 1}, "name") == "254 name");
  CHECK(address_of("2001:db8::1") == "2001:db8::1");
}

TEST_CASE("hosts see what they may use; static subsystems and RDMA ports say so") {
  const discovery_source s{
      .generation = 1,
      .ports = {{3, "192.0.2.7", 4420, 1}, {1, "192.0.2.8", 4421, 2}},
      .subsystems = {{"nqn.for-all", {}, false}, {"nqn.for-one", {host}, true}}};
  const auto mine = discovery_page(s, host, "192.0.2.7:4420");
  CHECK(peek(mine, 8, 8) == 4);
  const auto other = discovery_page(s, "nqn.other", "192.0.2.7:4420");
  CHECK(peek(other, 8, 8) == 2);
  CHECK(other.size() == 3 * 1024);
  CHECK(text_at(other, 1024 + 256, 11) == "nqn.for-all");
  CHECK(peek(mine, 3 * 1024 + 6, 2) == 0xfffe);
  const auto rdma = std::span{mine}.subspan(2 * 1024);
  CHECK(peek(rdma, 0, 1) == 1);
  CHECK(peek(rdma, 768, 3) == 0x010101);  // reliable connected, no provider, RDMA CM
}

TEST_CASE("more than a thousand records") {
  discovery_source s{1, {{3, "192.0.2.7", 4420, 1}}, {}};
  for (int i = 0; i < 1500; ++i) s.subsystems.push_back({"nqn." + std::to_string(i), {}, false});
  const auto page = discovery_page(s, host, "192.0.2.7:4420");
  CHECK(peek(page, 8, 8) == 1500);
  CHECK(page.size() == 1501 * 1024);
  CHECK(text_at(page, 1500 * 1024 + 256, 8) == "nqn.1499");
}
