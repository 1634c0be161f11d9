// SPDX-License-Identifier: BSD-2-Clause
#include "repl/script/report.hpp"

#include <doctest/doctest.h>

using namespace nvmf::cli::repl;

namespace {

void fill(report& r) {
  r.add({"a == b", "s.nvmf", 3});
  r.add({"c # \\", "s.nvmf", 4, false, "not \"met\"", {"c is <1>\x1b"}});
  r.end();
}

}  // namespace

TEST_CASE("TAP: a line for each, and what was found as YAML") {
  report r;
  std::string text;
  r.tap_to([&](std::string_view t) { text += t; });
  fill(r);
  CHECK(text ==
        "TAP version 14\n"
        "ok 1 - a == b\n"
        "not ok 2 - c \\# \\\\\n"
        "  ---\n"
        "  message: \"not \\\"met\\\"\"\n"
        "  at: \"s.nvmf:4\"\n"
        "  found:\n"
        "    - \"c is <1>\\x1b\"\n"
        "  ...\n"
        "1..2\n");
  CHECK(r.met() == 1);
  CHECK(r.unmet() == 1);
}

TEST_CASE("JUnit: what XML cannot hold is replaced") {
  report r;
  r.keep();
  fill(r);
  CHECK(r.junit("s&") ==
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites>\n"
        "  <testsuite name=\"s&amp;\" tests=\"2\" failures=\"1\" time=\"0.000000\">\n"
        "    <testcase name=\"a == b\" classname=\"s&amp;\" file=\"s.nvmf\" line=\"3\" "
        "time=\"0.000000\"/>\n"
        "    <testcase name=\"c # \\\" classname=\"s&amp;\" file=\"s.nvmf\" line=\"4\" "
        "time=\"0.000000\">\n"
        "      <failure message=\"not &quot;met&quot;\">s.nvmf:4&#10;c is &lt;1&gt;?</failure>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n");
}

TEST_CASE("without a reader nothing is kept") {
  report r;
  fill(r);
  CHECK(r.junit("s").find("testcase") == std::string::npos);
}
