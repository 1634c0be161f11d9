// SPDX-License-Identifier: BSD-2-Clause
#include "completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "catalog.hpp"
#include "pdu_kinds.hpp"
#include "topics.hpp"
#include "usage.hpp"
#include "wire/commands.hpp"
#include "wire/encode.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/names.hpp"
#include "wire/tables.hpp"
#include "workbench.hpp"

namespace nvmf::cli::repl {
namespace {

using strings = std::vector<std::string>;

// A word that is being typed, and what is known of its line.
struct request {
  const verb_info& verb;
  const workbench& bench;
  std::span<const word> words;  // the last is being typed
  const usage_place& place;

  const word* known(std::string_view kind) const {
    for (const auto& [k, index] : place.known)
      if (k == kind) return &words[index];
    return nullptr;
  }
};

template <class T>
strings names_on(const shelf<T>& of) {
  const auto names = of.names();
  return {names.begin(), names.end()};
}

strings files(std::string_view typed) {
  const std::string folder{typed.substr(0, typed.rfind('/') + 1)};
  const std::string_view begun = typed.substr(folder.size());
  strings found;
  std::error_code error;
  std::filesystem::directory_iterator each(folder.empty() ? "." : folder, error);
  for (; !error && each != std::filesystem::directory_iterator(); each.increment(error)) {
    const std::string name = each->path().filename().string();
    if (!name.starts_with(begun) || (name.front() == '.' && begun.empty())) continue;
    if (name.find_first_of(" \t\n'\"#[]\\") != std::string::npos) continue;
    std::error_code ignored;
    found.push_back(folder + name + (each->is_directory(ignored) ? "/" : ""));
  }
  return found;
}

// The structure whose fields are meant, as far as it has been built.
struct subject {
  const wire::layout* form;
  const wire::layout* any;  // of every command: dwords by number; or the form again
  sqe_bytes bytes{};        // or those of a completion; nothing of other structures
};

std::optional<subject> subject_of(const request& r) {
  if (const word* name = r.known("SQE")) {
    const auto c = r.bench.capsules.find(name->text);
    if (!c) return std::nullopt;
    return subject{&c->form(), &wire::sqe_layout, c->sqe};
  }
  if (const word* name = r.known("IN")) {
    const auto in = r.bench.incoming.find(name->text);
    if (!in) return std::nullopt;
    return subject{&wire::cqe_form(in->sqe, in->admin, cqe_bytes{}), &wire::cqe_layout, {}};
  }
  if (const word* name = r.known("LAYOUT")) {
    const wire::layout* l = wire::find_layout(wire::to_kebab(name->text));
    return l == nullptr ? std::nullopt : std::optional{subject{l, l, {}}};
  }
  const word* typed = r.known("COMMAND");
  const auto command = wire::parse_command(typed != nullptr ? typed->text : r.verb.name);
  if (!command) return std::nullopt;
  subject s{nullptr, &wire::sqe_layout, {}};
  wire::set<wire::sqe_layout, "opc">(s.bytes, command->opcode);
  if (command->set == wire::command_set::fabrics)
    wire::set<wire::fabrics_command, "fctype">(s.bytes, command->fctype);
  const bool admin = command->set != wire::command_set::nvm;
  s.form = &wire::sqe_form(s.bytes, admin);
  // Fields that stand before say what others mean: fid, for the bits of dword 11.
  for (const word& w : r.words.first(r.words.size() - 1)) {
    const std::array forms{s.form};
    sqe_bytes tried = s.bytes;
    if (w.text.contains('=') && wire::encode_field(forms, tried, w.text)) s.bytes = tried;
  }
  s.form = &wire::sqe_form(s.bytes, admin);
  return s;
}

const wire::field* field_at(const wire::layout& in, const sqe_bytes& bytes, std::string_view path) {
  const std::size_t dot = path.find('.');
  const wire::field* f = in.find(path.substr(0, dot));
  if (f == nullptr || dot == std::string_view::npos) return f;
  const wire::layout* of = wire::inner(*f, bytes);
  return of == nullptr ? nullptr : field_at(*of, bytes, path.substr(dot + 1));
}

// "nsid=", or "cns=controller" once the name stands.
strings fields(const request& r) {
  const auto s = subject_of(r);
  if (!s) return {};
  const std::string& typed = r.words.back().text;
  strings found;
  if (const std::size_t equals = typed.find('='); equals != std::string::npos) {
    const std::string name = typed.substr(0, equals);
    const wire::field* f = field_at(*s->form, s->bytes, name);
    if (f == nullptr) f = field_at(*s->any, s->bytes, name);
    if (f == nullptr || f->values == nullptr) return {};
    for (const wire::row& row : f->values->rows)
      found.push_back(fmt::format("{}={}", name, row.name));
    return found;
  }
  for (const wire::layout* l : {s->form, s->any})
    for (std::string& name : wire::field_names(*l, s->bytes)) {
      // The bits of a word are offered once the word stands.
      if (name.contains('.') && !typed.contains('.') && !typed.empty()) continue;
      if (name.contains('.') && typed.empty()) continue;
      found.push_back(std::move(name) + "=");
    }
  return found;
}

strings patterns(std::string_view typed) {
  if (typed.starts_with("file:")) {
    strings found = files(typed.substr(5));
    for (std::string& f : found) f.insert(0, "file:");
    return found;
  }
  return {"zero", "seq", "lba", "random:", "file:", "hex:"};
}

strings commands() {
  strings found;
  for (const wire::command_info& c : wire::all_commands()) found.emplace_back(c.name);
  return found;
}

strings layouts() {
  strings found;
  for (const wire::layout* l : wire::all_layouts()) found.emplace_back(l->name);
  return found;
}

strings rows_of(const wire::table& t) {
  strings found;
  for (const wire::row& row : t.rows) found.emplace_back(row.name);
  return found;
}

strings statuses() {
  strings found;
  for (const wire::table* t : wire::all_tables())
    if (t->name.ends_with("status-code")) std::ranges::move(rows_of(*t), std::back_inserter(found));
  return found;
}

strings verbs() {
  strings found;
  for (const auto& v : all_verbs()) found.emplace_back(v->info().name);
  return found;
}

strings topics() {
  strings found;
  for (const wire::topic* t : all_topics()) found.emplace_back(t->name);
  return found;
}

strings addresses(const request& r) {
  strings found{"nvme+tcp://", "nvme+loop://"};
  for (const auto& [name, c] : r.bench.connections.all()) found.push_back(c->uri);
  return found;
}

// Kinds of things, by their names in a usage. `typed` is the word, or its part after =.
struct kind {
  std::string_view name;
  strings (*offers)(const request& r, std::string_view typed);
};
constexpr kind kinds[]{
    {"BUF", [](const request& r, std::string_view) { return names_on(r.bench.buffers); }},
    {"CNS", [](const request&, std::string_view) { return rows_of(wire::cns_values); }},
    {"COMMAND", [](const request&, std::string_view) { return commands(); }},
    {"CONNECTION",
     [](const request& r, std::string_view) { return names_on(r.bench.connections); }},
    {"EVENT",
     [](const request&, std::string_view) {
       const auto names = event_names();
       return strings{names.begin(), names.end()};
     }},
    {"FES", [](const request&, std::string_view) { return rows_of(wire::fes_codes); }},
    {"FID", [](const request&, std::string_view) { return rows_of(wire::features); }},
    {"FIELD", [](const request& r, std::string_view) { return fields(r); }},
    {"FILE", [](const request&, std::string_view typed) { return files(typed); }},
    {"PATH", [](const request&, std::string_view typed) { return files(typed); }},
    {"IN", [](const request& r, std::string_view) { return names_on(r.bench.incoming); }},
    {"LAYOUT", [](const request&, std::string_view) { return layouts(); }},
    {"LID", [](const request&, std::string_view) { return rows_of(wire::log_pages); }},
    {"LISTENER", [](const request& r, std::string_view) { return names_on(r.bench.listeners); }},
    {"MEMDESC",
     [](const request& r, std::string_view) {
       strings found = names_on(r.bench.memories);
       for (std::string& b : names_on(r.bench.buffers)) found.push_back(std::move(b));
       return found;
     }},
    {"PROPERTY", [](const request&, std::string_view) { return rows_of(wire::properties); }},
    {"PDU",
     [](const request&, std::string_view) {
       strings found;
       for (const pdu_kind& k : pdu_kinds) found.emplace_back(k.name);
       return found;
     }},
    {"PATTERN", [](const request&, std::string_view typed) { return patterns(typed); }},
    {"QUEUE", [](const request& r, std::string_view) { return names_on(r.bench.queues); }},
    {"SQE", [](const request& r, std::string_view) { return names_on(r.bench.capsules); }},
    {"STATUS", [](const request&, std::string_view) { return statuses(); }},
    {"THING", [](const request&, std::string_view) { return catalog_names(); }},
    {"TOPIC", [](const request&, std::string_view) { return topics(); }},
    {"URI", [](const request& r, std::string_view) { return addresses(r); }},
    {"VERB", [](const request&, std::string_view) { return verbs(); }},
};
// What a person makes up.
constexpr std::string_view free_kinds[]{"EXPRESSION", "ARG",  "LINE",  "KEY",   "NAME", "N",
                                        "TIME",       "HEX",  "SIZE",  "VALUE", "WORD", "OFFSET",
                                        "SPEC",       "PLAN", "SIZES", "NQN",   "UUID"};

const kind* find_kind(std::string_view name) {
  const auto it = std::ranges::find(kinds, name, &kind::name);
  return it == std::end(kinds) ? nullptr : it;
}

void offer(strings& found, std::string_view choice, const request& r) {
  const std::string_view typed = r.words.back().text;
  if (!is_literal(choice)) {
    if (const kind* k = find_kind(kind_of(choice)))
      for (std::string& w : k->offers(r, typed)) found.push_back(std::move(w));
    return;
  }
  const std::size_t equals = choice.find('=');
  if (equals == std::string_view::npos) return found.emplace_back(choice), void();
  const std::string_view name = choice.substr(0, equals + 1), value = choice.substr(equals + 1);
  if (!typed.starts_with(name)) return found.emplace_back(name), void();
  if (is_literal(value)) return found.emplace_back(choice), void();
  if (const kind* k = find_kind(kind_of(value)))
    for (const std::string& w : k->offers(r, typed.substr(name.size())))
      found.push_back(std::string{name} + w);
}

// Where "$NAME" or "${NAME" begins that ends the text; not within ' ' and in comments.
std::optional<std::size_t> variable_at(std::string_view text) {
  char quote = 0;
  std::optional<std::size_t> dollar;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool begins = at == 0 || text[at - 1] == ' ' || text[at - 1] == '\t';
    if (c == '#' && begins && quote == 0) return std::nullopt;
    if (c == '\\' && quote == '"') ++at;
    if ((c == '\'' || c == '"') && (quote == 0 || quote == c)) quote = quote == 0 ? c : '\0';
    if (c == '$' && quote != '\'') dollar = at;
  }
  if (!dollar) return std::nullopt;
  std::string_view name = text.substr(*dollar + 1);
  if (name.starts_with('{')) name.remove_prefix(1);
  const auto in_name = [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
  };
  return std::ranges::all_of(name, in_name) ? dollar : std::nullopt;
}

}  // namespace

std::vector<std::string> verb::complete(const workbench& bench, std::span<const word> words) const {
  return complete_by_usage(info(), bench, words);
}

strings complete_by_usage(const verb_info& verb, const workbench& bench,
                          std::span<const word> words) {
  std::vector<std::string_view> before;
  for (const word& w : words.first(words.size() - 1)) before.push_back(w.text);
  const usage_place place = place_in_usage(verb.usage, before);
  const request r{verb, bench, words, place};
  strings found;
  for (const std::string_view choice : place.choices) offer(found, choice, r);
  return found;
}

strings unknown_kinds(std::string_view usage) {
  strings unknown;
  const auto check = [&](std::string_view choice) {
    if (is_literal(choice)) {
      const std::size_t equals = choice.find('=');
      if (equals == std::string_view::npos) return;
      choice.remove_prefix(equals + 1);
    }
    const std::string_view name = kind_of(choice);
    if (!name.empty() && find_kind(name) == nullptr &&
        std::ranges::find(free_kinds, name) == std::end(free_kinds))
      unknown.emplace_back(name);
  };
  for (const usage_form& f : parse_usage(usage)) {
    for (const auto& item : f.items) std::ranges::for_each(item.choices, check);
    std::ranges::for_each(f.anywhere, check);
  }
  return unknown;
}

completions complete_at(const workbench& bench, std::string_view before_cursor,
                        std::span<const std::string_view> variables) {
  if (const auto dollar = variable_at(before_cursor)) {
    completions found{.from = *dollar, .words = {}};
    const std::string_view typed = before_cursor.substr(*dollar);
    for (const std::string_view name : variables) {
      const std::string whole =
          typed.starts_with("${") ? fmt::format("${{{}}}", name) : fmt::format("${}", name);
      if (whole.starts_with(typed)) found.words.push_back(whole);
    }
    return found;
  }
  auto words = split_words(before_cursor);
  if (!words) return {};  // within quotes, or [ ]
  const std::size_t size = before_cursor.size();
  const word* last = words->empty() ? nullptr : &words->back();
  const std::size_t end = last != nullptr ? last->column + last->text.size() : 0;
  if (last == nullptr || end != size) {
    const auto rest = before_cursor.substr(std::min(end, size));
    if (rest.find_first_not_of(" \t") != std::string_view::npos) return {};  // a comment, quotes
    if (last != nullptr && last->quoted && rest.empty()) return {};
    words->push_back({"", size, false});
  }
  completions found{.from = words->back().column, .words = {}};
  if (words->size() == 1)
    found.words = verbs();
  else if (const auto v = find_verb(words->front()))
    found.words = (*v)->complete(bench, *words);
  const std::string& typed = words->back().text;
  std::erase_if(found.words, [&](const std::string& w) { return !w.starts_with(typed); });
  std::ranges::sort(found.words);
  found.words.erase(std::ranges::unique(found.words).begin(), found.words.end());
  return found;
}

std::string in_columns(const strings& words, unsigned screen_columns) {
  constexpr std::size_t shown_max = 240;
  const std::size_t count = std::min(words.size(), shown_max);
  std::size_t widest = 0;
  for (const std::string& w : std::span{words}.first(count)) widest = std::max(widest, w.size());
  const std::size_t columns = std::max<std::size_t>(1, screen_columns / (widest + 2));
  const std::size_t rows = (count + columns - 1) / columns;
  std::string text;
  for (std::size_t row = 0; row < rows; ++row) {
    std::string line;
    for (std::size_t at = row; at < count; at += rows) {
      line.append(at == row ? "" : "  ").append(words[at]);
      if (at + rows < count) line.append(widest - words[at].size(), ' ');
    }
    text += line + "\n";
  }
  if (count < words.size()) text += fmt::format("and {} more\n", words.size() - count);
  return text;
}

}  // namespace nvmf::cli::repl
