// SPDX-License-Identifier: BSD-2-Clause
#include "outcome.hpp"

#include <boost/json/array.hpp>

#include "workbench.hpp"

namespace nvmf::cli::repl {

namespace {

boost::json::object place_json(const interpreter::stop& s) {
  boost::json::object at{{"source", s.source}, {"line", s.number}, {"what", s.why.text}};
  if (s.why.column) at["column"] = *s.why.column + 1;
  return at;
}

}  // namespace

result outcome(std::string_view command, const workbench& bench, const interpreter& ran,
               const done& last) {
  const bool its_own = last || bench.status != exit_status::ok;
  result r{.status = its_own ? bench.status : last.error().status};
  r.document = {{"schema", fmt::format("nvmfctl.{}/1", command)}, {"lines", ran.lines_run()}};
  r.document["expectations"] = {{"met", ran.tests().met()}, {"unmet", ran.tests().unmet()}};
  if (last) return r;
  boost::json::array failures;
  for (const auto& f : ran.failures()) failures.push_back(place_json(f));
  r.document["failures"] = std::move(failures);
  if (!ran.keeps_going()) r.document["stopped"] = place_json(*ran.last_stop());
  return r;
}

}  // namespace nvmf::cli::repl
