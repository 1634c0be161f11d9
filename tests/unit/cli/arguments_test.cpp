// SPDX-License-Identifier: BSD-2-Clause
#include "arguments.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace nvmf::cli;

namespace {

struct sample {
  bool json = false;
  int verbosity = 0;
  unsigned qid = 7;
  std::string out;
  std::vector<std::string> order;  // --ns and --subsystem as they stand
  std::vector<std::string> fields;
  std::string uri;
  std::string hold = "not given";
  option_table globals, options;

  sample() {
    globals.flag("--json", json, "x");
    globals
        .custom("-v,--verbose", {}, "x",
                [this](std::string_view) -> std::expected<void, std::string> {
                  ++verbosity;
                  return {};
                })
        .wants = option::takes::nothing;
    static std::string file;
    globals.text("--log-file", "FILE", file, "x");
    options.number("-q,--qid", "N", qid, "x", 0, 100);
    options.text("--out", "FILE", out, "x");
    for (const std::string_view name : {"--ns", "--subsystem"})
      options
          .custom(name, "SPEC", "x",
                  [this, name](std::string_view text) -> std::expected<void, std::string> {
                    order.push_back(std::string{name}.append("=").append(text));
                    return {};
                  })
          .repeats = true;
    options
        .custom("--hold", "SECONDS", "x",
                [this](std::string_view text) -> std::expected<void, std::string> {
                  hold = text;
                  return {};
                })
        .wants = option::takes::optional;
    options.text("URI", "URI", uri, "x").required = true;
    options.texts("FIELD", "FIELD=VALUE", fields, "x");
  }
  std::expected<void, std::string> fill(std::vector<std::string> words) {
    return fill_options(globals, options, words);
  }
  std::string error(std::vector<std::string> words) {
    const auto done = fill(std::move(words));
    return done ? "no error" : done.error();
  }
};

}  // namespace

TEST_CASE("the command is the first word that is neither an option nor its value") {
  sample s;
  const std::vector<std::string> argv{"-v", "--log-file", "serve", "connect", "--out", "x", "y"};
  const split_arguments parts = split(argv, s.globals);
  CHECK(parts.command == "connect");
  CHECK(parts.words == std::vector<std::string>{"-v", "--log-file", "serve", "--out", "x", "y"});
  CHECK(!parts.has_trailing);
}

TEST_CASE("what stands after -- is left alone") {
  sample s;
  const std::vector<std::string> argv{"serve", "--json", "--", "sh", "-c", "--", "x"};
  const split_arguments parts = split(argv, s.globals);
  CHECK(parts.words == std::vector<std::string>{"--json"});
  CHECK(parts.has_trailing);
  CHECK(parts.trailing == std::vector<std::string>{"sh", "-c", "--", "x"});
}

TEST_CASE("options and arguments mix, global ones included") {
  sample s;
  REQUIRE(s.fill({"nvme+tcp://h/n", "--qid=3", "a=1", "--json", "b=2", "--out", "-", "-vv"}));
  CHECK(s.uri == "nvme+tcp://h/n");
  CHECK(s.fields == std::vector<std::string>{"a=1", "b=2"});
  CHECK(s.qid == 3);
  CHECK(s.out == "-");
  CHECK(s.json);
  CHECK(s.verbosity == 2);
}

TEST_CASE("a letter takes its value with and without a blank") {
  sample s;
  REQUIRE(s.fill({"u", "-q3"}));
  CHECK(s.qid == 3);
  sample t;
  REQUIRE(t.fill({"u", "-q", "4"}));
  CHECK(t.qid == 4);
}

TEST_CASE("options that depend on their order get it") {
  sample s;
  REQUIRE(s.fill({"--ns", "a", "--subsystem", "b", "u", "--ns", "c", "--ns=[d]"}));
  CHECK(s.order == std::vector<std::string>{"--ns=a", "--subsystem=b", "--ns=c", "--ns=[d]"});
}

TEST_CASE("an optional value comes after = only") {
  sample s;
  REQUIRE(s.fill({"--hold", "u"}));
  CHECK(s.hold == "");
  CHECK(s.uri == "u");
  sample t;
  REQUIRE(t.fill({"--hold=5", "u"}));
  CHECK(t.hold == "5");
}

TEST_CASE("each mistake is named") {
  sample s;
  CHECK(s.error({"u", "--qdi", "3"}) == "unknown option '--qdi'; did you mean --qid?");
  CHECK(s.error({"u", "--zzzzzzz=3"}) == "unknown option '--zzzzzzz' (see --help)");
  CHECK(sample{}.error({"u", "--qid"}) == "--qid needs a value: N");
  CHECK(sample{}.error({"u", "--qid", "x"}).starts_with("--qid: 'x' is not a number"));
  CHECK(sample{}.error({"u", "--qid", "101"}) == "--qid: 101 is more than 100 (0x64)");
  CHECK(sample{}.error({"u", "--qid", "1", "-q", "2"}) == "--qid is given twice");
  CHECK(sample{}.error({"u", "--json=yes"}) == "--json takes no value");
  CHECK(sample{}.error({"--json"}) == "URI is missing (see --help)");
}

TEST_CASE("an argument too many is named") {
  option_table none;
  const std::vector<std::string> words{"x"};
  CHECK(fill_options(none, none, words).error() == "unexpected argument 'x' (see --help)");
}

TEST_CASE("a table tells names and defaults") {
  sample s;
  const option* row = s.options.find("-q");
  REQUIRE(row != nullptr);
  CHECK(row->long_name() == "--qid");
  CHECK(row->short_name() == "-q");
  CHECK(row->fallback == "7");
  CHECK(s.options.find("--none") == nullptr);
  CHECK(s.options.find("--ns")->short_name().empty());
}
