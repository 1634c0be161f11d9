// SPDX-License-Identifier: BSD-2-Clause
#include "pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <string_view>
#include <vector>

#include "topics.hpp"
#include "wire/commands.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/tables.hpp"

namespace nvmf::docs {

namespace {

using namespace nvmf::wire;

constexpr std::string_view origin =
    "\nMade from the rows of libcore/wire by `ninja docs`; change those, not this page.\n";

// The text within a cell: a bar would end it.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string hex(std::uint64_t value, std::uint64_t greatest) {
  const auto digits = (std::bit_width(greatest | 1) + 7) / 8 * 2;
  return fmt::format("0x{:0{}x}", value, digits);
}

std::string short_forms(const table& t, std::string_view name) {
  std::string out;
  for (const short_form& s : t.short_forms)
    if (s.of == name) out += fmt::format("{}`{}`", out.empty() ? "" : ", ", s.name);
  return out;
}

// What a table knows of a row beyond its five columns.
struct extra_columns {
  std::string_view heads;  // "Data transfer | "
  std::string_view rule;   // "--- | "
  std::string (*cells)(const row&);
};

std::string direction_of(const row& r) {
  return fmt::format("{} | ", data_transfers.find(r.value & 0x3)->title);
}
std::string property_of(const row& r) {
  const property_info* p = find_property(r.value);
  return fmt::format("{} | {} | ", p->size, p->fabrics ? "yes" : "no");
}
std::string status_of(const row& r) {
  return fmt::format("{:x}/{:02X}h | ", r.value >> 8, r.value & 0xff);
}

extra_columns extras(const table& t) {
  if (&t == &admin_opcodes || &t == &nvm_opcodes || &t == &fabrics_types)
    return {"Data transfer | ", "--- | ", direction_of};
  if (&t == &properties) return {"Bytes | Over fabrics | ", "--: | --- | ", property_of};
  if (&t == &status_codes || &t == &fabrics_status_codes) return {"SCT/SC | ", "--: | ", status_of};
  return {"", "", nullptr};
}

std::string table_page(const table& t) {
  std::string out = fmt::format("# {}\n\nTable `{}`", cell(t.title), t.name);
  out += t.flags ? "; the values are bits, a field holds any number of them.\n" : ".\n";
  const extra_columns more = extras(t);
  // Nobody writes an exit status in hexadecimal.
  const bool hexadecimal = &t != &exit_statuses;
  const bool shortened = !t.short_forms.empty();
  out += fmt::format("\n|{} Decimal | {}Name | Meaning | Defined in |{}\n",
                     hexadecimal ? " Value |" : "", more.heads, shortened ? " Short forms |" : "");
  out += fmt::format("|{} --: | {}--- | --- | --- |{}\n", hexadecimal ? " --: |" : "", more.rule,
                     shortened ? " --- |" : "");
  for (const row& r : t.rows) {
    if (hexadecimal) out += fmt::format("| {} ", hex(r.value, t.rows.back().value));
    out += fmt::format("| {} | {}`{}` | {} | {} |", r.value, more.cells ? more.cells(r) : "",
                       r.name, cell(r.title), cell(r.section));
    if (shortened) out += fmt::format(" {} |", short_forms(t, r.name));
    out += '\n';
  }
  return out + std::string(origin);
}

std::string_view kind_text(const field& f) {
  if (f.of != nullptr && f.as != kind::nested) return "bits";
  switch (f.as) {
    case kind::number:
      return "number";
    case kind::hex:
      return "hex";
    case kind::ascii:
      return "ASCII";
    case kind::text:
      return "text";
    case kind::uuid:
      return "UUID";
    case kind::raw:
      return "bytes";
    case kind::reserved:
      return "reserved";
    case kind::nested:
      return "structure";
  }
  return "";
}

// As the specification writes places: bytes 15:14, bits 8:1 of that word.
std::string place(const field& f) {
  const std::uint64_t bytes = std::uint64_t{f.size} * f.count;
  std::string out;
  if (f.count == field::open)
    out = fmt::format("{} to the end", f.offset);
  else
    out = bytes == 1 ? fmt::format("{}", f.offset)
                     : fmt::format("{}:{}", f.offset + bytes - 1, f.offset);
  if (f.bits == 1) out += fmt::format(" bit {}", f.bit);
  if (f.bits > 1) out += fmt::format(" bits {}:{}", f.bit + f.bits - 1, f.bit);
  return out;
}

std::string field_notes(const field& f) {
  std::string out;
  const auto note = [&](std::string text) { out += (out.empty() ? "" : ", ") + text; };
  if (f.zero_based) note("0's based");
  if (f.count > 1 && f.as != kind::reserved) note(fmt::format("{} times", f.count));
  if (f.count == field::open) note("repeated");
  if (f.values) note(fmt::format("[{0}](table-{0}.md)", f.values->name));
  if (f.of && find_layout(f.of->name) == f.of)
    note(fmt::format("[{0}](layout-{0}.md)", f.of->name));
  else if (f.of)
    note(fmt::format("`{}` below", f.of->name));
  if (f.pick) note("others by the bytes around it");
  if (f.row_by) note("named by the bytes around it");
  return out;
}

std::string field_rows(const layout& l) {
  std::string out = "\n| Bytes | Field | Kind | Meaning | Defined in | |\n";
  out += "| --: | --- | --- | --- | --- | --- |\n";
  for (const field& f : l.fields)
    out +=
        fmt::format("| {} | {} | {} | {} | {} | {} |\n", place(f),
                    f.as == kind::reserved ? "" : fmt::format("`{}`", f.name), kind_text(f),
                    cell(f.title), cell(f.section.empty() ? l.section : f.section), field_notes(f));
  return out;
}

// The fields of `l`, then of what lies within them and has no page of its own.
void append_layout(std::string& out, const layout& l, std::vector<const layout*>& shown) {
  out += field_rows(l);
  for (const field& f : l.fields) {
    if (f.of == nullptr || find_layout(f.of->name) == f.of) continue;
    if (std::ranges::find(shown, f.of) != shown.end()) continue;
    shown.push_back(f.of);
    out += fmt::format("\n## `{}`: {}\n", f.of->name, cell(f.of->title));
    append_layout(out, *f.of, shown);
  }
}

std::string layout_page(const layout& l) {
  std::string out = fmt::format("# {}\n\nLayout `{}`, {} bytes{}, {}.\n", cell(l.title), l.name,
                                l.size, l.extent ? " or more" : "", cell(l.section));
  std::vector<const layout*> shown;
  append_layout(out, l, shown);
  return out + std::string(origin);
}

std::string topic_page(const topic& t) {
  std::string out = fmt::format("# {}\n", cell(t.title));
  for (const topic_section& s : t.sections) {
    if (!s.title.empty()) out += fmt::format("\n## {}\n", s.title);
    if (!s.text.empty()) out += fmt::format("\n{}\n", s.text);
    out += "\n| | |\n| --- | --- |\n";
    for (const topic_row& r : s.rows)
      out += fmt::format("| `{}` | {} |\n", cell(r.term), cell(r.text));
  }
  return out +
         "\nMade from the tables that read it by `ninja docs`; change those, not this page.\n";
}

}  // namespace

std::map<std::string, std::string> all_pages() {
  std::map<std::string, std::string> pages;
  std::string index =
      "# Tables and layouts\n\nEvery name that nvmfctl takes and shows. `nvmfctl describe NAME` "
      "prints the same offline.\n\nSections are those of NVM Express Base 2.0, NVM Command Set "
      "1.0, "
      "NVMe/TCP 1.0 and NVMe/RDMA 1.0 unless they say otherwise.\n";
  index += "\n## Tables\n\n| Name | |\n| --- | --- |\n";
  for (const table* t : all_tables()) {
    const std::string file = fmt::format("table-{}.md", t->name);
    pages[file] = table_page(*t);
    index += fmt::format("| [{}]({}) | {} |\n", t->name, file, cell(t->title));
  }
  index += "\n## Layouts\n\n| Name | | Bytes |\n| --- | --- | --: |\n";
  for (const layout* l : all_layouts()) {
    const std::string file = fmt::format("layout-{}.md", l->name);
    pages[file] = layout_page(*l);
    index += fmt::format("| [{}]({}) | {} | {} |\n", l->name, file, cell(l->title), l->size);
  }
  index += "\n## Topics\n\n| Name | |\n| --- | --- |\n";
  for (const topic* t : cli::all_topics()) {
    const std::string file = fmt::format("topic-{}.md", t->name);
    pages[file] = topic_page(*t);
    index += fmt::format("| [{}]({}) | {} |\n", t->name, file, cell(t->title));
  }
  pages["README.md"] = index + std::string(origin);
  return pages;
}

}  // namespace nvmf::docs
