// SPDX-License-Identifier: BSD-2-Clause
#include "repl/script/value.hpp"

#include <doctest/doctest.h>

#include "repl/script/variables.hpp"
#include "wire/tables.hpp"

using namespace nvmf;
using namespace nvmf::cli::repl;

TEST_CASE("words of a script are numbers, times, bytes or text") {
  CHECK(value_of_word("4K").number == 4096);
  CHECK(value_of_word("0x10").is == value::kind::number);
  CHECK(value_of_word("5ms").number == 5'000'000);
  CHECK(value_of_word("true").is == value::kind::boolean);
  CHECK(value_of_word("hex:00ff").bytes.size() == 2);
  CHECK(value_of_word("hex:0").is == value::kind::text);
  CHECK(value_of_word("4Q").is == value::kind::text);
  CHECK(value_of_word("").is == value::kind::text);
  CHECK(value_of_word("nqn.2026-01.io.example:x").is == value::kind::text);
}

TEST_CASE("a value is spelled so that it reads back, and shown so that it tells") {
  CHECK(spelled(value_of_word("4K")) == "4K");
  CHECK(spelled(value::of_number(4096)) == "4096");
  CHECK(spelled(value::of_status(0x080)) == "lba-out-of-range");
  CHECK(spelled(value::of_time(std::chrono::microseconds(1500))) == "1500us");
  CHECK(spelled(value_of_word("hex:00 ff")) == "hex:00ff");
  CHECK(shown(value::of_number(1, &wire::cns_values)) == "controller (1)");
  CHECK(shown(value::of_number(4096)) == "4096 (0x1000)");
  CHECK(shown(value::of_status(0x7ff)) == "7/FFh");
  CHECK(shown(value_of_word("hex:0102")) == "2 bytes: 01 02");
  CHECK(shown(value::of_text("a\x1b")) == "'a\\x1b'");
  CHECK(shown(value{}) == "absent");
}

TEST_CASE("a snapshot stays what it was") {
  std::vector<std::byte> bytes(4);
  const value v = value::of_bytes(bytes, nullptr), kept = v.snapshot();
  bytes[0] = std::byte{1};
  CHECK(*compare(comparison::equal, v, kept) == false);
  CHECK(kept.bytes[0] == std::byte{0});
}

TEST_CASE("arguments of a script, and of one that it sources") {
  variables v;
  CHECK(v.find("1") == nullptr);
  CHECK(v.find("#")->number == 0);
  (void)v.set_arguments({"4K", "b c"});
  CHECK(v.find("1")->number == 4096);
  CHECK(v.find("2")->text == "b c");
  CHECK(v.find("3") == nullptr);
  CHECK(v.find("0") == nullptr);
  CHECK(v.find("99999999999999999999") == nullptr);
  auto before = v.set_arguments({"x"});
  CHECK(v.find("#")->number == 1);
  (void)v.set_arguments(std::move(before));
  CHECK(v.find("#")->number == 2);
  v.set("name", value::of(true));
  CHECK(v.names() == std::vector<std::string_view>{"name"});
}
