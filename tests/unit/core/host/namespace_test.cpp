// SPDX-License-Identifier: BSD-2-Clause
#include <doctest/doctest.h>

#include "support/host_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

struct namespace_fixture : host_fixture {
  std::string verdict() const { return stage(host_stage::namespaces)->verdict; }
  std::vector<std::uint32_t> found() const {
    std::vector<std::uint32_t> out;
    for (const auto& n : host->namespaces()) out.push_back(n.nsid);
    return out;
  }
};

}  // namespace

TEST_CASE("more namespaces than fit in a page are all found") {
  for (const std::uint32_t n : {1023u, 1024u, 1025u, 2500u}) {
    CAPTURE(n);
    namespace_fixture t;
    put(t.controller->identify, 516, 4, 100'000);
    t.controller->namespaces.clear();
    for (std::uint32_t i = 0; i < n; ++i) t.controller->add_namespace(7 + i * 3, 100 + i);
    REQUIRE(t.bring_up());
    REQUIRE(t.host->namespaces().size() == n);
    for (std::uint32_t i = 0; i < n; ++i) {
      CHECK(t.host->namespaces()[i].nsid == 7 + i * 3);
      CHECK(t.host->namespaces()[i].blocks == 100 + i);
    }
    CHECK(t.controller->count("identify 2") == n / 1024 + 1);
    CHECK(t.verdict() == "ok");
  }
}

TEST_CASE("formats: the index may have six bits, blocks may be large, metadata is told") {
  namespace_fixture t;
  t.controller->namespaces.clear();
  t.controller->add_namespace(1, 10, 12);
  t.controller->add_namespace(2, 10);
  auto& second = t.controller->namespaces[2];
  put(second, 25, 1, 40);                // NLBAF
  put(second, 26, 1, 0x21);              // FLBAS: format 17
  put(second, 128 + 17 * 4, 2, 8);       // MS
  put(second, 128 + 17 * 4 + 2, 1, 13);  // LBADS
  t.controller->add_namespace(3, 10);
  auto& third = t.controller->namespaces[3];
  put(third, 25, 1, 1);     // NLBAF: the upper bits of FLBAS mean nothing
  put(third, 26, 1, 0x61);  // format 1
  put(third, 132 + 2, 1, 9);
  REQUIRE(t.bring_up());
  REQUIRE(t.host->namespaces().size() == 3);
  CHECK(t.host->namespaces()[0].block_size == 4096);
  CHECK(t.host->namespaces()[0].metadata_size == 0);
  CHECK(t.host->namespaces()[1].block_size == 8192);
  CHECK(t.host->namespaces()[1].metadata_size == 8);
  CHECK(t.host->namespaces()[2].block_size == 512);
}

TEST_CASE("one namespace that cannot be used is left out, and the others work") {
  namespace_fixture t;
  t.controller->add_namespace(2, 100, 8);   // blocks of 256 bytes
  t.controller->add_namespace(3, 100, 32);  // blocks of 4 GiB
  t.controller->add_namespace(4, 0);        // gone meanwhile
  t.controller->add_namespace(5, 100);
  REQUIRE(t.bring_up());
  CHECK(t.found() == std::vector<std::uint32_t>{1, 5});
  CHECK(t.verdict().find("namespace 2 left out: LBADS of its format 0 is 8") != std::string::npos);
  CHECK(t.verdict().find("namespace 3 left out") != std::string::npos);
  CHECK(t.verdict().find("namespace 4 left out") != std::string::npos);
}

TEST_CASE("a format that is not there is told as such") {
  namespace_fixture t;
  t.controller->add_namespace(2, 100);
  put(t.controller->namespaces[2], 25, 1, 1);  // NLBAF: two formats
  put(t.controller->namespaces[2], 26, 1, 2);  // FLBAS: the third
  t.controller->add_namespace(3, 100);
  put(t.controller->namespaces[3], 26, 1, 1);           // FLBAS: the second
  put(t.controller->namespaces[3], 82, 1, 1);           // NULBAF: one more than NLBAF tells
  put(t.controller->namespaces[3], 128 + 4 + 2, 1, 9);  // its LBADS
  REQUIRE(t.bring_up());
  CHECK(t.found() == std::vector<std::uint32_t>{1, 3});
  CHECK(t.verdict().find("namespace 2 left out: FLBAS names format 2, there are 2 (NLBAF 1)") !=
        std::string::npos);
}

TEST_CASE("NSIDs above NN are left out") {
  namespace_fixture t;
  put(t.controller->identify, 516, 4, 4);
  t.controller->add_namespace(4, 100);
  t.controller->add_namespace(5, 100);
  t.controller->add_namespace(0xffff'ffff, 100);
  REQUIRE(t.bring_up());
  CHECK(t.found() == std::vector<std::uint32_t>{1, 4});
  CHECK(t.verdict() == "2 namespaces listed above NN (4) left out");
}

TEST_CASE("a list that does not ascend is refused: paging through it need not end") {
  const struct {
    std::vector<std::uint32_t> list;
    std::uint32_t offset, value;
  } cases[] = {{{1, 5, 3}, 8, 3}, {{2, 2}, 4, 2}};
  for (const auto& c : cases) {
    namespace_fixture t;
    t.controller->script = [&](const fake_command& f) {
      if (f.name() != "identify 2") return false;
      std::vector<std::byte> page(4096);
      for (std::size_t i = 0; i < c.list.size(); ++i) put(page, i * 4, 4, c.list[i]);
      f.on->answer(f.cid, {.data = page});
      return true;
    };
    CHECK_FALSE(t.bring_up());
    CHECK(t.failure().stage == host_stage::namespaces);
    CHECK(t.failure().violation->structure == "namespace-list");
    CHECK(t.failure().violation->offset == c.offset);
    CHECK(t.failure().violation->value == c.value);
  }
}

TEST_CASE("a controller that repeats its page for ever is found out") {
  namespace_fixture t;
  put(t.controller->identify, 516, 4, 100'000);
  t.controller->script = [&](const fake_command& f) {
    if (f.name() != "identify 2") return false;
    std::vector<std::byte> page(4096);
    for (std::uint32_t i = 0; i < 1024; ++i) put(page, i * 4, 4, i + 1);
    f.on->answer(f.cid, {.data = page});
    return true;
  };
  CHECK_FALSE(t.bring_up());
  CHECK(t.failure().violation->structure == "namespace-list");
  CHECK(t.controller->count("identify 2") == 2);
}

TEST_CASE("so many namespaces that the limit is reached") {
  namespace_fixture t;
  put(t.controller->identify, 516, 4, 0xffff'fffe);
  t.controller->script = [&](const fake_command& f) {
    if (f.name() == "identify 2") {
      std::vector<std::byte> page(4096);
      for (std::uint32_t i = 0; i < 1024; ++i) put(page, i * 4, 4, f.dword(1) + i + 1);
      f.on->answer(f.cid, {.data = page});
      return true;
    }
    if (f.name() != "identify 0") return false;
    f.on->answer(f.cid, {.data = t.controller->namespaces.at(1)});
    return true;
  };
  REQUIRE(t.bring_up());
  CHECK(t.host->namespaces().size() == 16'384);
  CHECK(t.controller->count("identify 2") == 17);
  CHECK(t.verdict() == "only the first 16384 namespaces are looked at");
}

TEST_CASE("a controller without the list is asked for each NSID") {
  namespace_fixture t;
  put(t.controller->identify, 516, 4, 6);
  t.controller->add_namespace(4, 77);
  t.controller->script = [&](const fake_command& f) {
    if (f.name() != "identify 2") return false;
    f.on->answer(f.cid, {.status = 0x002});
    return true;
  };
  REQUIRE(t.bring_up());
  CHECK(t.found() == std::vector<std::uint32_t>{1, 4});
  CHECK(t.controller->count("identify 0") == 6);
}
