// SPDX-License-Identifier: BSD-2-Clause
#include "topics.hpp"

#include "engine/fault/guide.hpp"
#include "repl/script/guide.hpp"
#include "trace/rules/guide.hpp"
#include "tracing/filter.hpp"

namespace nvmf::cli {

const std::vector<const wire::topic*>& all_topics() {
  static const std::vector<const wire::topic*> topics{&engine::fault_plan_topic(),
                                                      &repl::script_topic(), &trace_filter_topic(),
                                                      &trace::rules_topic()};
  return topics;
}

const wire::topic* find_topic(std::string_view name) {
  for (const wire::topic* t : all_topics())
    if (t->name == name) return t;
  return trace::rule_topic(name);
}

}  // namespace nvmf::cli
