// SPDX-License-Identifier: BSD-2-Clause
#include "guide.hpp"

#include <fmt/format.h>

#include "../verb.hpp"
#include "event_filter.hpp"
#include "paths.hpp"
#include "statement.hpp"

namespace nvmf::cli::repl {
namespace {

using wire::topic_section;

topic_section lines_section() {
  return {"Lines",
          "One command a line: a word, then its arguments, apart by blanks. A beginning of a "
          "command's name that no other has will do for the name.",
          {
              {"# text", "a comment, where a word could begin"},
              {"LINE \\", "goes on in the next line"},
              {"'a b'", "one word, as it stands"},
              {"\"a b\\n\"", "one word; \\\" \\\\ \\$ \\n \\t and \\xNN stand for a byte"},
              {"$NAME, ${EXPRESSION}", "the value, within a word or \" \", but not within ' '"},
              {"$1, $2, ... $#", "the arguments of the script, and how many there are"},
          }};
}

topic_section statements_section() {
  topic_section out{"Statements", {}, {}};
  for (const auto& v : all_verbs())
    if (dynamic_cast<const script_verb*>(v.get()) != nullptr)
      out.rows.push_back({fmt::format("{}{}{}", v->info().name, v->info().usage.empty() ? "" : " ",
                                      v->info().usage),
                          std::string{v->info().summary}});
  return out;
}

topic_section expressions_section() {
  return {"Expressions",
          "A comparison binds most tightly, then ! or not before it, then &&, then ||; "
          "parentheses group. A comparison with what is absent (the status of a command that has "
          "not ended) is false, "
          "but for == absent and != absent. + and - have blanks around them.",
          {
              {"A && B, A and B", "both"},
              {"A || B, A or B", "one of them or both"},
              {"!A, not A", "not"},
              {"A == B, A != B", "any two values of a kind; bytes and text are compared as bytes"},
              {"A < B, <=, >, >=", "numbers and times"},
              {"A contains B, A =~ B", "text or bytes that have others in them"},
              {"A in (B, C...)", "is one of them"},
              {"A + B, A - B, A * B", "numbers; times with + and -, texts with +"},
              {"31, 0x1f, 64K", "numbers, sizes in powers of 1024"},
              {"50ms, 10us, 2s", "times"},
              {"\"a $n\", 'a b'", "text; $NAME is a value within \" \""},
              {"hex:0a0b", "bytes"},
              {"true, false, absent", "as they say"},
              {"success, lba-out-of-range, 0/80h", "a status, beside one"},
              {"controller",
               "a name of the field's table, beside a field; $controller is the variable"},
              {"NAME, $NAME, $1", "a variable"},
          }};
}

topic_section paths_section() {
  topic_section out{"Paths",
                    "What there is on the workbench, by name. FIELD is as `describe` has it: nsid, "
                    "cattr.nosqfc, psd[3].mp. Numbers within [ ] may be variables.",
                    {}};
  for (const path_kind& k : path_kinds())
    out.rows.push_back({std::string{k.what}, std::string{k.members}});
  out.rows.push_back({"buf NAME", "a buffer, whatever else has that name"});
  out.rows.push_back({"failure", ".text .status, of the line that must-fail ran last"});
  return out;
}

topic_section events_section() {
  std::string names;
  for (const auto n : event_names()) names += fmt::format("{}{}", names.empty() ? "" : " ", n);
  return {"Events",
          "`expect event` looks from the last `mark` on, or from behind the event that was found "
          "last, and waits for as long as `within` or `timeout` says. Events of a bring-up are "
          "passed over.",
          {
              {"EVENT", names},
              {"qpair=NAME qid=N cid=N", "where, and of which command"},
              {"bytes=N", "of a callback, or the data of a PDU or capsule"},
              {"pdu=TYPE", "of PDU events"},
              {"opcode=COMMAND status=STATUS", "of events with a capsule"},
              {"text=TEXT error=TEXT", "has TEXT in it; error=none: there is none"},
              {"a=N b=N", "the numbers of the event"},
          }};
}

topic_section example_section() {
  return {"Example",
          "A smoke test, run as `nvmfctl run smoke.nvmf URI`.",
          {
              {"connect $1", "queues a1:0 and a1:1"},
              {"sqe r read nsid=1 nlb=7", "eight blocks"},
              {"buf b 4K", ""},
              {"attach r b", ""},
              {"send r", ""},
              {"expect event io_cb bytes=4096 within 1s", "the data has come"},
              {"wait r", ""},
              {"expect r.status == success", "or the script ends with status 22"},
          }};
}

}  // namespace

const wire::topic& script_topic() {
  static const wire::topic topic{"script",
                                 "Scripts: the language of the debugger",
                                 {
                                     lines_section(),
                                     statements_section(),
                                     expressions_section(),
                                     paths_section(),
                                     events_section(),
                                     example_section(),
                                 }};
  return topic;
}

}  // namespace nvmf::cli::repl
