// SPDX-License-Identifier: BSD-2-Clause
#include "guide.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "rule.hpp"
#include "wire/tables.hpp"

namespace nvmf::trace {

namespace {

constexpr std::string_view prefix = "rule-";

std::string codes_of(std::uint8_t fes) {
  std::string out;
  for (const wire::row& r : wire::fes_codes.rows)
    if ((fes >> r.value & 1) != 0) out += fmt::format("{}{}", out.empty() ? "" : ", ", r.name);
  return out.empty() ? "any, or a status of the command" : out;
}

bool is_of_rdma(const rule_row& r) {
  return r.name.starts_with("rdma-") || r.name.starts_with("cm-");
}

wire::topic_section section_of(severity s, std::string_view title, std::string_view text) {
  wire::topic_section out{title, std::string(text), {}};
  for (const rule_row& r : all_rules())
    if (r.weight == s)
      out.rows.push_back(
          {std::string(r.name), fmt::format("{} ({})", r.statement, title_of(r.who))});
  return out;
}

// Topics hold views of their names: they live as long as the program.
struct named_topic {
  std::string name;
  wire::topic topic;
};

std::vector<named_topic> make_topics() {
  std::vector<named_topic> out(all_rules().size());
  for (const rule_row& r : all_rules()) {
    named_topic& t = out[static_cast<std::size_t>(r.id)];
    t.name = fmt::format("{}{}", prefix, r.name);
    std::vector<wire::topic_row> facts{{"severity", std::string(name_of(r.weight))},
                                       {"broken by", std::string(title_of(r.who))},
                                       {"needs to be seen", std::string(title_of(r.needs))}};
    // Only NVMe/TCP has TermReqs.
    if (!is_of_rdma(r)) facts.push_back({"FES of a TermReq for it", codes_of(r.fes)});
    facts.push_back({"defined in", std::string(r.section)});
    t.topic = {t.name, r.statement, {{{}, {}, std::move(facts)}}};
  }
  return out;
}

}  // namespace

const wire::topic& rules_topic() {
  static const wire::topic topic{
      "rules",
      "Rules that traffic is held against",
      {{{},
        "Each rule says what holds when nobody breaks it, and in brackets who can. A rule is "
        "judged "
        "while all that it needs was seen; `describe rule NAME` tells what that is. Where packets "
        "are missing, rules that need them are suspended, and that is said.",
        {}},
       section_of(severity::error, "Errors", ""),
       section_of(severity::warning, "Warnings", ""),
       section_of(severity::note, "Notes", "Lawful, or as good as, and worth to know.")}};
  return topic;
}

const wire::topic* rule_topic(std::string_view name) {
  static const std::vector<named_topic> topics = make_topics();
  if (!name.starts_with(prefix)) return nullptr;
  const rule_row* row = find_rule(name.substr(prefix.size()));
  return row == nullptr ? nullptr : &topics[static_cast<std::size_t>(row->id)].topic;
}

}  // namespace nvmf::trace
