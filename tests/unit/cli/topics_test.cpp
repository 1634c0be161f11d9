// SPDX-License-Identifier: BSD-2-Clause
#include "topics.hpp"

#include <doctest/doctest.h>

#include <boost/json/serialize.hpp>

#include "catalog.hpp"
#include "help.hpp"
#include "render/topic.hpp"

using namespace nvmf;
using namespace nvmf::cli;

namespace {

const wire::topic sample{
    "sample",
    "Samples: what they are",
    {
        {{}, "First.\n\nSecond.", {}},
        {"Rows", "", {{"-a [N]", "one"}, {".b", "two; \"quoted\""}}},
        {"Long", "", {{"a term that is longer than the column allows", "below it"}}},
    }};

}  // namespace

TEST_CASE("a topic is found by its name, in one word or two") {
  CHECK(find_topic("fault-plan") != nullptr);
  CHECK(find_topic("script") != nullptr);
  CHECK(find_topic("fault") == nullptr);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"fault-plan"}, {"Fault_Plan"}, {"fault", "plan"}}) {
    const auto found = look_up(words);
    REQUIRE(found);
    REQUIRE(found->size() == 1);
    CHECK(std::get<const wire::topic*>(found->front()) == find_topic("fault-plan"));
  }
  const std::vector<std::string> misspelt{"fault-plam"};
  CHECK(look_up(misspelt).error() == "nothing is called 'fault-plam'; did you mean fault-plan?");
}

TEST_CASE("a topic as text") {
  CHECK(topic_text(sample, style{}) ==
        "sample: Samples: what they are\n"
        "  First.\n"
        "\n"
        "  Second.\n"
        "\n"
        "Rows\n"
        "  -a [N]  one\n"
        "  .b      two; \"quoted\"\n"
        "\n"
        "Long\n"
        "  a term that is longer than the column allows\n"
        "      below it\n");
}

TEST_CASE("a topic as JSON") {
  CHECK(boost::json::serialize(topic_json(sample)) ==
        R"({"kind":"topic","name":"sample","title":"Samples: what they are","sections":[)"
        R"({"title":"","text":"First.\n\nSecond.","rows":[]},)"
        R"({"title":"Rows","text":"","rows":[{"term":"-a [N]","text":"one"},)"
        R"({"term":".b","text":"two; \"quoted\""}]},)"
        R"({"title":"Long","text":"","rows":[{"term":"a term that is longer than the column )"
        R"(allows","text":"below it"}]}]})");
}

TEST_CASE("a topic in a man page") {
  CHECK(topic_manual(sample) ==
        ".SH SAMPLES\n"
        "First.\n"
        ".PP\n"
        "Second.\n"
        ".SS Rows\n"
        ".TP\n"
        ".B \\-a [N]\n"
        "one\n"
        ".TP\n"
        ".B \\&.b\n"
        "two; \"quoted\"\n"
        ".SS Long\n"
        ".TP\n"
        ".B a term that is longer than the column allows\n"
        "below it\n");
}
