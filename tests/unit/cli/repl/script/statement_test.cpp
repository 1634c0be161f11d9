// SPDX-License-Identifier: BSD-2-Clause
#include "repl/script/statement.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace nvmf::cli::repl;

namespace {

// What the last of `lines` gives; those before must be taken.
std::expected<std::optional<statement>, complaint> taken(block_reader& r,
                                                         std::initializer_list<const char*> lines) {
  std::expected<std::optional<statement>, complaint> last;
  std::size_t number = 0;
  for (const char* text : lines) {
    REQUIRE(last.has_value());
    last = r.take({text, "s", ++number});
  }
  return last;
}

}  // namespace

TEST_CASE("a line is a statement, a block from if to end is one") {
  block_reader r;
  auto one = taken(r, {"echo x"});
  REQUIRE((one && *one));
  CHECK((*one)->kind == statement_kind::plain);
  const auto none = taken(r, {"", "  # if", "\t"});
  REQUIRE(none);
  CHECK(!none->has_value());
  auto block = taken(r, {"if a", "echo", "elif b", "repeat 2", "let x = 1", "end", "else", "end"});
  REQUIRE((block && *block));
  const statement& s = **block;
  CHECK(s.kind == statement_kind::if_);
  REQUIRE(s.branches.size() == 3);
  CHECK(s.branches[0].body.size() == 1);
  REQUIRE(s.branches[1].body.size() == 1);
  CHECK(s.branches[1].body[0].kind == statement_kind::repeat);
  CHECK(s.branches[1].body[0].branches[0].body[0].kind == statement_kind::let);
  CHECK(s.branches[2].head.number == 7);
  CHECK(s.branches[2].body.empty());
  CHECK(!r.open());
}

TEST_CASE("a mistake in a block leaves it as it was") {
  block_reader r;
  REQUIRE(taken(r, {"repeat 2", "echo"}));
  CHECK(r.open());
  CHECK(r.take({"else", "s", 3}).error().text == "else belongs to an if, and line 1 is none");
  CHECK(r.take({"end now", "s", 3}).error().column == 4);
  const auto [why, at] = r.unfinished();
  CHECK(why.text == "no end ends this repeat");
  CHECK(at.number == 1);
  const auto whole = r.take({"end", "s", 3});
  REQUIRE((whole && *whole));
  CHECK((*whole)->branches[0].body.size() == 1);
  CHECK(r.take({"  end", "s", 4}).error().column == 2);
}

TEST_CASE("blocks are bounded in depth and lines, and can be let go of") {
  block_reader r;
  for (std::size_t i = 0; i < block_depth_max; ++i) REQUIRE(r.take({"repeat 2", "s", i}));
  CHECK(!r.take({"if x", "s", 100}));
  r.forget();
  CHECK(!r.open());
  REQUIRE(r.take({"for x in y", "s", 1}));
  for (std::size_t i = 0; i < block_lines_max; ++i) REQUIRE(r.take({"let x = 1", "s", i}));
  CHECK(!r.take({"let x = 1", "s", 100}));
}
