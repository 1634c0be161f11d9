// SPDX-License-Identifier: BSD-2-Clause
#include "rule_tally.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "render/text.hpp"
#include "trace/conversation/connection.hpp"

namespace nvmf::cli {

void rule_tally::on_violation(const trace::connection& c, const trace::violation& v) {
  if (!filter_.always() && !filter_.matches({.on = c, .pdu = v.pdu, .broken = &v, .ns = v.at.ns}))
    return;
  row& r = rows_[{v.id, v.by}];
  if (r.count++ > 0) return;
  r.connection = c.number();
  r.frame = v.at.packet;
  r.first = to_text(v);
}

std::string rule_tally::text(const style& look) const {
  if (rows_.empty()) return {};
  text_table t(2);
  t.add({"", "rule", "severity", "by", "count", "first"});
  t.align_right(4);
  for (const auto& [key, r] : rows_) {
    const trace::rule_row& about = row_of(key.first);
    t.add({fmt::format("c{}", r.connection), std::string{about.name},
           std::string{name_of(about.weight)}, std::string{name_of(key.second)},
           fmt::format("{}", r.count), fmt::format("frame {}", r.frame)});
  }
  return look(tone::strong, "Rules broken") + "\n" + t.str();
}

boost::json::array rule_tally::json() const {
  boost::json::array out;
  for (const auto& [key, r] : rows_) {
    const trace::rule_row& about = row_of(key.first);
    out.push_back(boost::json::object{
        {"rule", about.name},
        {"severity", name_of(about.weight)},
        {"by", name_of(key.second)},
        {"count", r.count},
        {"connection", r.connection},
        {"frame", r.frame},
        {"first", r.first},
    });
  }
  return out;
}

}  // namespace nvmf::cli
