// SPDX-License-Identifier: BSD-2-Clause
#include "catalog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "topics.hpp"
#include "trace/rules/rule.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/names.hpp"
#include "wire/numbers.hpp"
#include "wire/status.hpp"
#include "wire/tables.hpp"

namespace nvmf::cli {
namespace {

using wire::layout;
using wire::row;
using wire::table;

// Short words for tables, as people say them; a word may mean several.
struct word {
  std::string_view name;
  std::string_view table;
};
constexpr std::array words_for_tables{
    word{"status", "fabrics-status-code"},
    word{"status", "status-code"},
    word{"pdu", "pdu-type"},
    word{"opcode", "admin-opcode"},
    word{"opcode", "nvm-opcode"},
    word{"opcode", "fabrics-type"},
    word{"command", "admin-opcode"},
    word{"command", "nvm-opcode"},
    word{"command", "fabrics-type"},
    word{"admin", "admin-opcode"},
    word{"nvm", "nvm-opcode"},
    word{"io", "nvm-opcode"},
    word{"fabrics", "fabrics-type"},
    word{"fctype", "fabrics-type"},
    word{"log", "log-page"},
    word{"lid", "log-page"},
    word{"fid", "feature"},
    word{"exit", "exit-status"},
    word{"event", "aer-type"},
    word{"sgl", "sgl-type"},
};

std::vector<const table*> tables_named(std::string_view name) {
  std::vector<const table*> found;
  if (const table* t = wire::find_table(name)) found.push_back(t);
  for (const word& w : words_for_tables)
    if (w.name == name) found.push_back(wire::find_table(w.table));
  return found;
}

bool is_status(const table& t) {
  return &t == &wire::status_codes || &t == &wire::fabrics_status_codes;
}

// A status that no table lists still means something: its range does.
row unlisted_status(std::uint16_t code, const table& t) {
  const auto set = &t == &wire::status_codes ? wire::status_set::nvm : wire::status_set::fabrics;
  return {.value = code, .name = "", .title = wire::status_name(code, set), .section = ""};
}

// "0x182", "1/82h" or a name in the status tables: a number is looked up in both.
std::vector<entry> statuses(std::span<const table* const> in, std::string_view typed) {
  std::vector<entry> found;
  const auto code = wire::parse_status(typed);
  if (!code) return found;
  for (const table* t : in)
    if (const row* r = t->find(std::uint32_t{*code})) found.emplace_back(row_entry{t, *r});
  if (found.empty()) found.emplace_back(row_entry{in.front(), unlisted_status(*code, *in.front())});
  return found;
}

// `typed` as a row of these tables.
std::vector<entry> rows_of(std::span<const table* const> in, std::string_view typed) {
  if (!in.empty() && std::ranges::all_of(in, [](const table* t) { return is_status(*t); })) {
    auto found = statuses(in, typed);
    if (!found.empty()) return found;
  }
  std::vector<entry> found;
  for (const table* t : in)
    if (const row* r = wire::find_row(*t, typed)) found.emplace_back(row_entry{t, *r});
  return found;
}

// Field names have underscores here and there; people may type either.
const wire::field* field_named(const layout& in, std::string_view kebab) {
  for (const wire::field& f : in.fields)
    if (f.as != wire::kind::reserved && wire::to_kebab(f.name) == kebab) return &f;
  return nullptr;
}

// The field "cattr" or "cattr.nosqfc" of `in`. `words` is the layout that the rest of the path is
// looked up in, `at` its place in `in`, `before` the path so far.
void add_field_at(std::vector<entry>& found, const layout& in, const layout& words,
                  std::string_view path, std::uint32_t at = 0, std::string before = {}) {
  const std::size_t dot = path.find('.');
  const wire::field* f = field_named(words, path.substr(0, dot));
  if (f == nullptr) return;
  before.append(f->name);
  if (dot == std::string_view::npos) {
    found.emplace_back(field_entry{&in, std::move(before), *f});
    std::get<field_entry>(found.back()).field.offset += at;
  } else if (f->of != nullptr) {
    add_field_at(found, in, *f->of, path.substr(dot + 1), at + f->offset, before + ".");
  }
}

void add_unique(std::vector<entry>& found, const layout* l) {
  const auto same = [l](const entry& e) {
    const auto* have = std::get_if<const layout*>(&e);
    return have != nullptr && *have == l;
  };
  if (l != nullptr && std::ranges::none_of(found, same)) found.emplace_back(l);
}

// Layout and what belongs to it: connect, connect-data, connect-response.
void add_layouts(std::vector<entry>& found, std::string_view name) {
  const layout* exact = wire::find_layout(name);
  add_unique(found, exact);
  for (const layout* l : wire::all_layouts()) {
    if (l == exact || !l->name.starts_with(name)) continue;
    const std::string_view rest = l->name.substr(name.size());
    if (rest == "-data" || rest == "-response" || rest == "-invalid-response" || rest == "-list")
      add_unique(found, l);
  }
}

// What a command of that opcode returns when dword 10 begins with `selector`: the structure of a
// CNS value, a log page or a feature.
const layout* data_of(wire::admin_opcode opcode, std::uint32_t selector) {
  std::array<std::byte, 64> sqe{};
  sqe[0] = static_cast<std::byte>(opcode);
  sqe[40] = static_cast<std::byte>(selector);
  return wire::data_form(sqe, true);
}

// The layouts that a row stands for: the fields of a command or PDU, the data of a log page.
void add_layouts_of(std::vector<entry>& found, const row_entry& e) {
  const table* t = e.in;
  if (t == &wire::admin_opcodes || t == &wire::nvm_opcodes || t == &wire::fabrics_types ||
      t == &wire::pdu_types || t == &wire::properties)
    add_layouts(found, e.row.name);
  if (t == &wire::features)
    add_unique(found, wire::find_layout(fmt::format("feature-{}", e.row.name)));
  if (t == &wire::features)
    add_unique(found, data_of(wire::admin_opcode::get_features, e.row.value));
  if (t == &wire::cns_values) add_unique(found, data_of(wire::admin_opcode::identify, e.row.value));
  if (t == &wire::log_pages)
    add_unique(found, data_of(wire::admin_opcode::get_log_page, e.row.value));
}

void add_layouts_of_rows(std::vector<entry>& found) {
  std::vector<row_entry> rows;
  for (const entry& e : found)
    if (const auto* r = std::get_if<row_entry>(&e)) rows.push_back(*r);
  for (const row_entry& r : rows) add_layouts_of(found, r);
}

// How nvmfctl itself ends is the last thing that is asked for.
void add_rows(std::vector<entry>& found, std::string_view name) {
  const auto add = [&](const table* t) {
    if (const row* r = wire::find_name(*t, name)) found.emplace_back(row_entry{t, *r});
  };
  for (const table* t : wire::all_tables())
    if (t != &wire::exit_statuses) add(t);
  add(&wire::exit_statuses);
}

void add_fields(std::vector<entry>& found, std::string_view name) {
  for (const layout* l : wire::all_layouts()) {
    add_field_at(found, *l, *l, name);
    for (const wire::field& f : l->fields)
      if (f.of != nullptr && f.as != wire::kind::nested && f.as != wire::kind::reserved)
        add_field_at(found, *l, *f.of, name, f.offset, std::string{f.name} + ".");
  }
}

// One word that is nothing in particular: any table, layout, row or field of that name.
std::vector<entry> anything(std::string_view name) {
  std::vector<entry> found;
  if (const wire::topic* t = find_topic(name)) found.emplace_back(t);
  for (const table* t : tables_named(name)) found.emplace_back(t);
  add_rows(found, name);
  add_layouts_of_rows(found);
  add_layouts(found, name);
  if (found.empty()) add_fields(found, name);
  return found;
}

std::string near_of(std::string_view typed, std::span<const std::string> names) {
  const std::vector<std::string_view> views{names.begin(), names.end()};
  return wire::did_you_mean(typed, views);
}

// Where to look when no name is near.
std::string near_or(std::string near, std::string_view list) {
  return near.empty() ? fmt::format(" ({} lists them)", list) : near;
}

std::string no_row(std::span<const table* const> in, std::string_view word,
                   std::string_view typed) {
  std::vector<std::string_view> names;
  for (const table* t : in)
    for (const std::string_view n : wire::names_of(*t)) names.push_back(n);
  std::string tables{in.front()->name};
  for (const table* t : in.subspan(1)) tables.append(" or ").append(t->name);
  return fmt::format(
      "{} has no {}{}", tables, wire::quoted(typed),
      near_or(wire::did_you_mean(typed, names), fmt::format("nvmfctl describe {}", word)));
}

std::string no_field(const layout& in, std::string_view typed) {
  std::vector<std::string> names;
  for (const wire::field& f : in.fields) {
    if (f.as == wire::kind::reserved) continue;
    names.emplace_back(f.name);
    if (f.of == nullptr || f.as == wire::kind::nested) continue;
    for (const wire::field& bit : f.of->fields)
      if (bit.as != wire::kind::reserved) names.push_back(fmt::format("{}.{}", f.name, bit.name));
  }
  return fmt::format("{} has no field {}{}", in.name, wire::quoted(typed),
                     near_or(near_of(typed, names), fmt::format("nvmfctl describe {}", in.name)));
}

}  // namespace

std::expected<std::vector<entry>, std::string> look_up(std::span<const std::string> words) {
  std::vector<std::string> w;
  for (const std::string& typed : words) w.push_back(wire::to_kebab(typed));
  if (w.size() == 1) {
    auto found = anything(w[0]);
    if (!found.empty()) return found;
    return std::unexpected(
        fmt::format("nothing is called {}{}", wire::quoted(words[0]),
                    near_or(near_of(w[0], catalog_names()), "nvmfctl describe")));
  }
  const std::string joined = fmt::format("{}", fmt::join(w, "-"));
  if (w.size() == 2) {
    const auto tables = tables_named(w[0]);
    const layout* in = wire::find_layout(w[0]);
    std::vector<entry> found;
    if (!tables.empty()) found = rows_of(tables, w[1]);
    add_layouts_of_rows(found);
    add_unique(found, wire::find_layout(joined));
    if (in != nullptr) add_field_at(found, *in, *in, w[1]);
    if (found.empty() && !tables.empty()) return std::unexpected(no_row(tables, w[0], words[1]));
    if (found.empty() && in != nullptr) return std::unexpected(no_field(*in, words[1]));
    if (!found.empty()) return found;
  }
  auto found = anything(joined);
  if (!found.empty()) return found;
  const bool rule = w[0] == "rule";
  return std::unexpected(
      fmt::format("nothing is called {}{}", wire::quoted(fmt::format("{}", fmt::join(words, " "))),
                  near_or(near_of(rule ? joined : w[0], catalog_names()),
                          rule ? "nvmfctl describe rules" : "nvmfctl describe")));
}

std::vector<std::string> catalog_names() {
  std::vector<std::string> names;
  for (const wire::topic* t : all_topics()) names.emplace_back(t->name);
  for (const trace::rule_row& r : trace::all_rules())
    names.push_back(fmt::format("rule-{}", r.name));
  for (const word& w : words_for_tables) names.emplace_back(w.name);
  for (const table* t : wire::all_tables()) {
    names.emplace_back(t->name);
    for (const std::string_view n : wire::names_of(*t)) names.emplace_back(n);
  }
  for (const layout* l : wire::all_layouts()) {
    names.emplace_back(l->name);
    for (const wire::field& f : l->fields)
      if (f.as != wire::kind::reserved) names.emplace_back(f.name);
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

}  // namespace nvmf::cli
