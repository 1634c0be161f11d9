// SPDX-License-Identifier: BSD-2-Clause
#include "render/topic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "render/text.hpp"

namespace nvmf::cli {
namespace {

// A longer term has a line of its own, and its text stands below it.
constexpr std::size_t term_columns_max = 34;

std::string rows_text(const wire::topic_section& s, const style& look) {
  const bool long_terms = std::ranges::any_of(
      s.rows, [](const wire::topic_row& r) { return r.term.size() > term_columns_max; });
  std::string out;
  text_table rows{2};
  for (const wire::topic_row& r : s.rows)
    if (long_terms)
      out += fmt::format("  {}\n{}", look(tone::name, r.term), wrapped(r.text, 6));
    else
      rows.add({look(tone::name, r.term), r.text});
  return long_terms ? out : rows.str();
}

}  // namespace

std::string topic_text(const wire::topic& t, const style& look) {
  std::string out = fmt::format("{}: {}\n", look(tone::strong, t.name), t.title);
  for (const wire::topic_section& s : t.sections) {
    if (!s.title.empty()) out += fmt::format("\n{}\n", look(tone::strong, s.title));
    if (!s.text.empty()) out += wrapped(s.text, 2);
    out += rows_text(s, look);
  }
  return out;
}

boost::json::object topic_json(const wire::topic& t) {
  boost::json::array sections;
  for (const wire::topic_section& s : t.sections) {
    boost::json::array rows;
    for (const wire::topic_row& r : s.rows) rows.push_back({{"term", r.term}, {"text", r.text}});
    sections.push_back({{"title", s.title}, {"text", s.text}, {"rows", std::move(rows)}});
  }
  return {
      {"kind", "topic"}, {"name", t.name}, {"title", t.title}, {"sections", std::move(sections)}};
}

}  // namespace nvmf::cli
