// SPDX-License-Identifier: BSD-2-Clause
#include "render/describe.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "render/text.hpp"
#include "render/topic.hpp"
#include "topics.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/tables.hpp"

namespace nvmf::cli {
namespace {

using wire::field;
using wire::kind;
using wire::layout;
using wire::row;
using wire::table;

bool is_status(const table& t) {
  return &t == &wire::status_codes || &t == &wire::fabrics_status_codes;
}

// Decimal where people count, hexadecimal where they compare bits.
std::string value_text(const table& t, std::uint32_t value) {
  if (&t == &wire::exit_statuses) return fmt::format("{}", value);
  if (is_status(t)) return fmt::format("{:x}/{:02X}h", value >> 8, value & 0xff);
  return value > 0xff ? fmt::format("0x{:04x}", value) : fmt::format("0x{:02x}", value);
}

std::string short_forms_of(const table& t, const row& r) {
  std::string text;
  for (const wire::short_form& s : t.short_forms)
    if (s.of == r.name && !r.name.empty()) text.append(text.empty() ? "" : ", ").append(s.name);
  return text;
}

std::string table_text(const table& t, const style& look) {
  std::string out = fmt::format("{}: {}{}\n", look(tone::strong, t.name), t.title,
                                t.flags ? " (bits, any number of them)" : "");
  text_table rows{2};
  rows.align_right(0);
  for (const row& r : t.rows) {
    const std::string also = short_forms_of(t, r);
    rows.add({value_text(t, r.value), look(tone::name, r.name),
              fmt::format("{}{}{}", r.title, also.empty() ? "" : "; also ", also)});
  }
  return out + rows.str();
}

// What a number says beyond its row: the parts of a status, the direction of an opcode.
std::string about_value(const table& t, std::uint32_t value) {
  if (is_status(t)) {
    const row* type = wire::status_code_types.find(value >> 8);
    return fmt::format("0x{:x}: SCT {:x}h ({}), SC {:02X}h", value, value >> 8,
                       type != nullptr ? type->title : "Reserved", value & 0xff);
  }
  if (&t == &wire::exit_statuses) return fmt::format("{}", value);
  if (&t == &wire::admin_opcodes || &t == &wire::nvm_opcodes || &t == &wire::fabrics_types) {
    const row* way = wire::data_transfers.find(value & 3);
    const bool fabrics = &t == &wire::fabrics_types;
    return fmt::format("{}0x{:02x}; data: {}", fabrics ? "opcode 0x7f, type " : "", value,
                       way != nullptr ? way->title : "");
  }
  return value > 9 ? fmt::format("0x{:x} ({})", value, value) : fmt::format("{}", value);
}

std::string row_text(const row_entry& e, const style& look) {
  text_table lines{2};
  if (!e.row.name.empty()) lines.add({"name", std::string{e.row.name}});
  if (const std::string also = short_forms_of(*e.in, e.row); !also.empty())
    lines.add({"short forms", also});
  lines.add({"value", about_value(*e.in, e.row.value)});
  lines.add({"table", fmt::format("{}: {}", e.in->name, e.in->title)});
  if (!e.row.section.empty()) lines.add({"defined in", std::string{e.row.section}});
  return look(tone::strong, e.row.title) + "\n" + lines.str();
}

std::string place_text(const field& f) {
  if (f.count == field::open) return fmt::format("{}...", f.offset);
  const std::uint64_t last = std::uint64_t{f.offset} + std::uint64_t{f.size} * f.count - 1;
  return last == f.offset ? fmt::format("{}", f.offset) : fmt::format("{}-{}", f.offset, last);
}

std::string bits_text(const field& f) {
  if (f.bits == 0) return {};
  const unsigned high = f.bit + f.bits - 1u;
  return high == f.bit ? fmt::format("{}", high) : fmt::format("{}:{}", high, unsigned{f.bit});
}

std::string_view kind_name(const field& f) {
  switch (f.as) {
    case kind::number:
      return "number";
    case kind::hex:
      return "hex";
    case kind::ascii:
      return "ascii";
    case kind::text:
      return "text";
    case kind::uuid:
      return "uuid";
    case kind::raw:
      return "bytes";
    case kind::reserved:
      return "reserved";
    case kind::nested:
      return "structure";
  }
  return "";
}

std::string about_field(const field& f) {
  std::string text{f.title};
  if (f.count == field::open)
    text += "; repeats to the end";
  else if (f.count > 1)
    text += fmt::format("; {} times", f.count);
  if (f.as == kind::nested && f.of != nullptr) text += fmt::format("; see {}", f.of->name);
  if (f.values != nullptr) text += fmt::format("; values: {}", f.values->name);
  return text;
}

void add_fields(text_table& rows, const layout& l, std::string_view prefix, const style& look) {
  for (const field& f : l.fields) {
    const bool reserved = f.as == kind::reserved;
    const std::string name = fmt::format("{}{}", prefix, f.name);
    rows.add({prefix.empty() ? place_text(f) : std::string{}, bits_text(f),
              look(reserved ? tone::faint : tone::name, name), std::string{kind_name(f)},
              about_field(f)});
    // The bits of a word stand below it.
    if (f.of != nullptr && f.as != kind::nested)
      add_fields(rows, *f.of, fmt::format("{}{}.", prefix, f.name), look);
  }
}

std::string layout_text(const layout& l, const style& look) {
  const bool open = !l.fields.empty() && l.fields.back().count == field::open;
  std::string out = fmt::format("{}: {} ({}), {}{} bytes\n", look(tone::strong, l.name), l.title,
                                l.section, l.size, open ? " or more" : "");
  text_table rows{2};
  rows.add({look(tone::faint, "bytes"), look(tone::faint, "bits"), look(tone::faint, "field"),
            look(tone::faint, "as"), "meaning"});
  add_fields(rows, l, {}, look);
  return out + rows.str();
}

std::string field_text(const field_entry& e, const style& look) {
  text_table lines{2};
  lines.add({"in", fmt::format("{}: {}", e.in->name, e.in->title)});
  const std::string bits = bits_text(e.field);
  lines.add({"place",
             fmt::format("byte {}{}{}", place_text(e.field), bits.empty() ? "" : ", bits ", bits)});
  lines.add({"as", std::string{kind_name(e.field)}});
  const std::string_view section = e.field.section.empty() ? e.in->section : e.field.section;
  lines.add({"defined in", std::string{section}});
  std::string out =
      fmt::format("{}: {}\n{}", look(tone::strong, e.path), about_field(e.field), lines.str());
  if (e.field.of != nullptr) {
    text_table rows{2};
    add_fields(rows, *e.field.of, e.path + ".", look);
    out += rows.str();
  }
  return out;
}

namespace json = boost::json;

json::object row_json(const table& t, const row& r) {
  json::object o{{"value", r.value}, {"name", r.name}, {"title", r.title}, {"section", r.section}};
  if (is_status(t)) {
    o["sct"] = r.value >> 8;
    o["sc"] = r.value & 0xff;
  }
  json::array also;
  for (const wire::short_form& s : t.short_forms)
    if (s.of == r.name) also.emplace_back(s.name);
  if (!also.empty()) o["short_forms"] = std::move(also);
  return o;
}

json::object table_json(const table& t) {
  json::array rows;
  for (const row& r : t.rows) rows.push_back(row_json(t, r));
  return {{"kind", "table"},
          {"name", t.name},
          {"title", t.title},
          {"flags", t.flags},
          {"rows", std::move(rows)}};
}

json::array fields_json(const layout& l);

json::object field_json(const field& f) {
  json::object o{{"name", f.name}, {"offset", f.offset}, {"size", f.size}};
  if (f.bits != 0) {
    o["bit"] = f.bit;
    o["bits"] = f.bits;
  }
  o["as"] = kind_name(f);
  o["title"] = f.title;
  if (!f.section.empty()) o["section"] = f.section;
  if (f.count == field::open)
    o["count"] = "open";
  else if (f.count > 1)
    o["count"] = f.count;
  if (f.zero_based) o["zero_based"] = true;
  if (f.values != nullptr) o["values"] = f.values->name;
  if (f.of != nullptr && f.as == kind::nested) o["layout"] = f.of->name;
  if (f.of != nullptr && f.as != kind::nested) o["fields"] = fields_json(*f.of);
  return o;
}

json::array fields_json(const layout& l) {
  json::array fields;
  for (const field& f : l.fields) fields.push_back(field_json(f));
  return fields;
}

json::object layout_json(const layout& l) {
  return {{"kind", "layout"},     {"name", l.name}, {"title", l.title},
          {"section", l.section}, {"size", l.size}, {"fields", fields_json(l)}};
}

}  // namespace

std::string describe_text(const entry& e, const style& look) {
  if (const auto* t = std::get_if<const table*>(&e)) return table_text(**t, look);
  if (const auto* r = std::get_if<row_entry>(&e)) return row_text(*r, look);
  if (const auto* l = std::get_if<const layout*>(&e)) return layout_text(**l, look);
  if (const auto* topic = std::get_if<const wire::topic*>(&e)) return topic_text(**topic, look);
  return field_text(std::get<field_entry>(e), look);
}

boost::json::object describe_json(const entry& e) {
  if (const auto* t = std::get_if<const table*>(&e)) return table_json(**t);
  if (const auto* l = std::get_if<const layout*>(&e)) return layout_json(**l);
  if (const auto* topic = std::get_if<const wire::topic*>(&e)) return topic_json(**topic);
  if (const auto* r = std::get_if<row_entry>(&e)) {
    json::object o{{"kind", "row"}, {"table", r->in->name}};
    for (auto& member : row_json(*r->in, r->row)) o.insert(member);
    return o;
  }
  const auto& f = std::get<field_entry>(e);
  json::object o{{"kind", "field"}, {"layout", f.in->name}, {"path", f.path}};
  for (auto& member : field_json(f.field)) o.insert(member);
  return o;
}

std::string catalog_text(const style& look) {
  std::string out = look(tone::strong, "Tables") + "\n";
  text_table tables{2};
  for (const table* t : wire::all_tables())
    tables.add({look(tone::name, t->name), fmt::format("{} ({})", t->title, t->rows.size())});
  out += tables.str() + "\n" + look(tone::strong, "Layouts") + "\n";
  text_table layouts{2};
  for (const layout* l : wire::all_layouts())
    layouts.add({look(tone::name, l->name), fmt::format("{} ({})", l->title, l->section)});
  out += layouts.str() + "\n" + look(tone::strong, "Topics") + "\n";
  text_table topics{2};
  for (const wire::topic* t : all_topics())
    topics.add({look(tone::name, t->name), std::string{t->title}});
  return out + topics.str();
}

boost::json::object catalog_json() {
  json::array tables, layouts, topics;
  for (const wire::topic* t : all_topics())
    topics.push_back({{"name", t->name}, {"title", t->title}});
  for (const table* t : wire::all_tables())
    tables.push_back({{"name", t->name}, {"title", t->title}, {"rows", t->rows.size()}});
  for (const layout* l : wire::all_layouts())
    layouts.push_back(
        {{"name", l->name}, {"title", l->title}, {"section", l->section}, {"size", l->size}});
  return {{"tables", std::move(tables)},
          {"layouts", std::move(layouts)},
          {"topics", std::move(topics)}};
}

}  // namespace nvmf::cli
