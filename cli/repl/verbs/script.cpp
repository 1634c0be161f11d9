// SPDX-License-Identifier: BSD-2-Clause
// let, expect, if, repeat, for, source ...: what help says of the words that the interpreter does
// itself.
#include "../script/statement.hpp"
#include "../verbs.hpp"

namespace nvmf::cli::repl {
namespace {

using enum statement_kind;

constexpr std::array<example, 3> let_examples{{
    {"let n = 3", "a number; $n in any line is 3 then"},
    {"let first = buf b1", "the bytes as they are now"},
    {"let t = c1.time + 5ms", "a time"},
}};
constexpr std::array<example, 4> expect_examples{{
    {"expect c1.status == success", "a name of the tables"},
    {"expect c1.time < 1s && c1.bytes == 4096", "both"},
    {"expect buf b1 == buf b2", "the same bytes; told is where they differ first"},
    {"expect event io_cb bytes=4096 within 1s", "waits for it"},
}};
constexpr std::array<example, 1> mark_examples{{{"mark", "before what is to cause events"}}};
constexpr std::array<example, 1> if_examples{
    {{"if c1.status == success", "lines up to else, elif or end run when it is true"}}};
constexpr std::array<example, 1> elif_examples{{{"elif c1.bytes == 0", "otherwise, if"}}};
constexpr std::array<example, 1> else_examples{{{"else", "otherwise"}}};
constexpr std::array<example, 1> end_examples{{{"end", "ends if, repeat and for"}}};
constexpr std::array<example, 1> repeat_examples{
    {{"repeat 3 as i", "lines up to end run three times; i is 0, 1, 2"}}};
constexpr std::array<example, 1> for_examples{
    {{"for size in 512 4K 64K", "lines up to end run for each"}}};
constexpr std::array<example, 1> source_examples{
    {{"source setup.nvmf 4K", "its lines, with $1 being 4K"}}};
constexpr std::array<example, 1> must_fail_examples{
    {{"must-fail send r", "fails if that does not; failure.text has what it said"}}};
constexpr std::array<example, 2> exit_examples{{
    {"exit", "ends the script, and it is well"},
    {"exit expectation", "ends it with that status (describe exit-status)"},
}};

}  // namespace

void add_script_verbs(verb_list& to) {
  const auto add = [&](verb_info info, statement_kind kind) {
    to.push_back(std::make_unique<script_verb>(info, kind));
  };
  add({"let", "NAME = EXPRESSION", "name a value", "`nvmfctl describe script` has expressions.",
       let_examples},
      let);
  add({"expect", "EXPRESSION | event EVENT [KEY=VALUE]... [within TIME]",
       "fail unless a condition holds, or an event comes",
       "An event is looked for from the last `mark` on, or from behind the one that was found "
       "last; those of a bring-up do not count. The keys are qpair, qid, cid, bytes, a, b, pdu, "
       "opcode, status, text and error.",
       expect_examples},
      expect);
  add({"mark", "", "let `expect event` look from here on", "", mark_examples}, mark);
  add({"if", "EXPRESSION", "run lines when a condition holds", "", if_examples}, if_);
  add({"elif", "EXPRESSION", "go on with an if", "", elif_examples}, elif);
  add({"else", "", "go on with an if", "", else_examples}, else_);
  add({"end", "", "end if, repeat or for", "", end_examples}, end);
  add({"repeat", "N [as NAME]", "run lines several times", "", repeat_examples}, repeat);
  add({"for", "NAME in WORD...", "run lines for each of some words", "", for_examples}, for_);
  add({"source", "FILE [ARG]...", "run the lines of a file",
       "A relative name is looked for beside the file that says it.", source_examples},
      source);
  add({"must-fail", "LINE", "run a line that is to fail", "", must_fail_examples}, must_fail);
  add({"exit", "[STATUS]", "end the script", "", exit_examples}, exit);
}

}  // namespace nvmf::cli::repl
