// SPDX-License-Identifier: BSD-2-Clause
// help, describe, echo, timeout, quit: the session itself.
#include <fmt/format.h>

#include "../verbs.hpp"
#include "../workbench.hpp"
#include "catalog.hpp"
#include "render/describe.hpp"
#include "render/text.hpp"
#include "render/topic.hpp"
#include "topics.hpp"
#include "wire/quantities.hpp"

namespace nvmf::cli::repl {
namespace {

done help(workbench& bench, arguments args) {
  if (args.empty()) {
    text_table rows(2);
    for (const auto& v : all_verbs())
      rows.add({std::string{v->info().name}, std::string{v->info().summary}});
    bench.say(
        rows.str() +
        "help COMMAND tells more, help script the language; a beginning of a name will do for "
        "the name.");
    return {};
  }
  const auto name = args.take("");
  if (const wire::topic* topic = find_topic(name->text)) {
    if (auto d = args.end(); !d) return d;
    bench.say(topic_text(*topic, bench.look()));
    return {};
  }
  const auto v = find_verb(*name);
  if (!v) return std::unexpected(v.error());
  if (auto d = args.end(); !d) return d;
  const verb_info& i = (*v)->info();
  std::string text = fmt::format("{} {}\n{}\n", bench.look()(tone::strong, i.name), i.usage,
                                 wrapped(i.summary, 2));
  if (!i.details.empty()) text += wrapped(i.details, 2) + "\n";
  text_table rows(2);
  for (const example& e : i.examples) rows.add({std::string{e.line}, std::string{e.what}});
  bench.say(text + rows.str());
  return {};
}

done echo(workbench& bench, arguments args) {
  std::string text;
  for (const word& w : args.take_all()) text += (text.empty() ? "" : " ") + w.text;
  bench.say(text);
  return {};
}

done set_timeout(workbench& bench, arguments args) {
  if (args.empty()) {
    bench.say(wire::time_text(bench.options.timeout));
    return {};
  }
  const auto w = args.take("");
  const auto t = time_of(*w, "timeout");
  if (!t) return std::unexpected(t.error());
  bench.options.timeout = *t;
  return args.end();
}

done describe(workbench& bench, arguments args) {
  if (args.empty()) {
    bench.say(catalog_text(bench.look()) + "\ndescribe THING shows one of them.");
    return {};
  }
  const std::size_t column = args.column();
  std::vector<std::string> words;
  for (const word& w : args.take_all()) words.push_back(w.text);
  const auto found = look_up(words);
  if (!found) return wrong(found.error(), column);
  std::string text;
  for (const entry& e : *found) text += (text.empty() ? "" : "\n") + describe_text(e, bench.look());
  bench.say(text);
  return {};
}

done quit(workbench& bench, arguments args) {
  bench.quitting = true;
  return args.end();
}

constexpr std::array<example, 3> help_examples{{
    {"help", "all commands"},
    {"help memdesc", "one of them"},
    {"help script", "expressions, statements, and what has a name"},
}};
constexpr std::array<example, 1> echo_examples{{{"echo half way", "for scripts"}}};
constexpr std::array<example, 2> timeout_examples{{
    {"timeout 500ms", "of waits, and of every answer that a connect waits for"},
    {"timeout", "shows it"},
}};
constexpr std::array<example, 3> describe_examples{{
    {"describe r2t", "a structure, and its fields"},
    {"describe status 0x182", "a row of a table, by number or name"},
    {"describe", "what there is"},
}};
constexpr std::array<example, 1> quit_examples{{{"quit", "as Ctrl-D at the prompt"}}};

}  // namespace

void add_session_verbs(verb_list& to) {
  const auto add = [&](verb_info info, simple_verb::action does) {
    to.push_back(std::make_unique<simple_verb>(info, does));
  };
  add({"help", "[VERB|TOPIC]", "list the commands, or explain one", "", help_examples}, help);
  add({"echo", "[WORD]...", "print words", "", echo_examples}, echo);
  add({"timeout", "[TIME]", "set or show the longest wait", "", timeout_examples}, set_timeout);
  add({"describe", "[THING] [WORD]", "explain a term: a table, a status, a structure, a field",
       "What `nvmfctl describe` says: it looks among the tables and layouts that this program "
       "itself encodes and decodes with.",
       describe_examples},
      describe);
  add({"quit", "", "end the session", "", quit_examples}, quit);
}

}  // namespace nvmf::cli::repl
