// SPDX-License-Identifier: BSD-2-Clause
#include "render/fields.hpp"

#include <doctest/doctest.h>

#include <array>

#include "render/json.hpp"
#include "wire/layouts/commands.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/layouts/identify.hpp"

using namespace nvmf;
using namespace nvmf::cli;

namespace {

template <std::size_t N>
std::array<std::byte, N> bytes(std::initializer_list<std::pair<std::size_t, unsigned>> set) {
  std::array<std::byte, N> b{};
  for (const auto& [at, value] : set) b[at] = static_cast<std::byte>(value);
  return b;
}

}  // namespace

TEST_CASE("a command's fields, with the names of values and the bits of words") {
  const auto sqe = bytes<64>({{0, 0x7f}, {1, 0x40}, {2, 9}, {4, 1}, {44, 31}, {46, 4}, {48, 0x88}});
  const auto o = fields_json(wire::connect_command, sqe);
  CHECK(o.at("opc").as_uint64() == 0x7f);
  CHECK(o.at("fctype").as_uint64() == 1);
  CHECK(o.at("fctype_name").as_string() == "connect");
  CHECK(o.at("sqsize").as_uint64() == 31);
  CHECK(o.at("cattr").at("value").as_uint64() == 4);
  CHECK(o.at("cattr").at("nosqfc").as_uint64() == 1);
  CHECK(o.at("cattr").at("prio").as_uint64() == 0);
  CHECK(o.at("kato").as_uint64() == 0x88);
  CHECK(o.at("sgl1").is_object());
  CHECK(!o.contains("rsvd"));
}

TEST_CASE("reserved bytes are told when they are not zero") {
  const auto sqe = bytes<64>({{0, 0x7f}, {4, 1}, {47, 0xee}});
  const auto o = fields_json(wire::connect_command, sqe);
  CHECK(o.at("rsvd@47").as_string() == "ee");
}

TEST_CASE("a list is an array of objects, text loses its padding") {
  std::array<std::byte, 4096> id{};
  std::fill(id.begin() + 4, id.begin() + 24, std::byte{' '});
  id[4] = std::byte{'S'};
  id[5] = std::byte{'"'};
  id[2048] = std::byte{7};
  const auto o = fields_json(wire::identify_controller, id);
  CHECK(o.at("sn").as_string() == "S\"");
  REQUIRE(o.at("psd").as_array().size() == 32);
  CHECK(o.at("psd").at(0).at("mp").as_uint64() == 7);
  CHECK(o.at("tnvmcap").as_uint64() == 0);
}

TEST_CASE("what is cut short or too long says so") {
  const auto sqe = bytes<64>({{0, 0x7f}});
  CHECK(
      fields_json(wire::connect_command, std::span{sqe}.first(45)).at("truncated_at").as_uint64() ==
      45);
  const std::array<std::byte, 66> longer{};
  CHECK(fields_json(wire::connect_command, longer).at("rest").as_string() == "0000");
}

TEST_CASE("every layout becomes JSON, whole and at any length, and parses") {
  for (const wire::layout* l : wire::all_layouts()) {
    std::vector<std::byte> b(l->size + 70, std::byte{0xff});
    for (std::size_t size = 0; size <= b.size(); size += size < 80 ? 1 : 61) {
      const auto o = fields_json(*l, std::span{b}.first(size));
      CHECK_MESSAGE(!json_line(o).empty(), l->name);
    }
  }
}

TEST_CASE("one line holds what is not zero") {
  const auto sqe = bytes<64>({{0, 0x02}, {2, 4}, {4, 1}, {40, 8}, {48, 7}});
  CHECK(fields_line(wire::read_command, sqe, 2) == "cid=0x4 nsid=0x1 slba=8 nlb=7 (0's based: 8)");
  CHECK(fields_line(wire::read_command, std::span{sqe}.first(41))
            .ends_with("(cut short at byte 41)"));
}
