// SPDX-License-Identifier: BSD-2-Clause
#include "repl/usage.hpp"

#include <doctest/doctest.h>

#include "repl/completion.hpp"
#include "repl/verb.hpp"

using namespace nvmf::cli::repl;
using names = std::vector<std::string_view>;

namespace {

names next(std::string_view usage, names words) {
  words.insert(words.begin(), "verb");
  return place_in_usage(usage, words).choices;
}

}  // namespace

TEST_CASE("words stand in their order") {
  CHECK(next("SQE [on QUEUE]", {}) == names{"SQE"});
  CHECK(next("SQE [on QUEUE]", {"r"}) == names{"on"});
  CHECK(next("SQE [on QUEUE]", {"r", "on"}) == names{"QUEUE"});
  CHECK(next("SQE [on QUEUE]", {"r", "on", "q"}).empty());
  CHECK(next("SQE [on QUEUE]", {"r", "off"}).empty());
  CHECK(next("[SQE|all] [TIME]", {}) == names{"SQE", "all", "TIME"});
  CHECK(next("on|off", {}) == names{"on", "off"});
}

TEST_CASE("options stand anywhere, once") {
  constexpr auto usage = "URI [name=NAME] [hdgst]";
  CHECK(next(usage, {}) == names{"name=NAME", "hdgst", "URI"});
  CHECK(next(usage, {"hdgst"}) == names{"name=NAME", "URI"});
  CHECK(next(usage, {"x", "name=y"}) == names{"hdgst"});
}

TEST_CASE("what is repeated goes on, and forms are told apart") {
  CHECK(next("NAME BUF[OFFSET,LENGTH]...", {"m", "b1[0,1]", "b2"}) == names{"BUF[OFFSET,LENGTH]"});
  constexpr auto sqe = "NAME COMMAND [FIELD=VALUE]... | NAME [io] raw HEX";
  CHECK(next(sqe, {"r"}) == names{"COMMAND", "io", "raw"});
  const auto place = place_in_usage(sqe, {"sqe", "r", "read", "nsid=1"});
  CHECK(place.choices == names{"FIELD=VALUE"});
  CHECK(place.known[1] == std::pair<std::string_view, std::size_t>{"COMMAND", 2});
}

TEST_CASE("every word in capitals of every usage is known to completion") {
  for (const auto& v : all_verbs()) {
    CAPTURE(v->info().name);
    CHECK(unknown_kinds(v->info().usage) == std::vector<std::string>{});
  }
  CHECK(unknown_kinds("SQE NONSENSE") == std::vector<std::string>{"NONSENSE"});
}
