// SPDX-License-Identifier: BSD-2-Clause
#include "outcome.hpp"

#include "workbench.hpp"

namespace nvmf::cli::repl {

result outcome(std::string_view command, const workbench& bench, const interpreter& ran,
               const done& last) {
  result r{.status = last ? bench.status : last.error().status};
  r.document = {{"schema", fmt::format("nvmfctl.{}/1", command)}, {"lines", ran.lines_run()}};
  if (last) return r;
  const auto& stop = *ran.last_stop();
  boost::json::object at{{"source", stop.source}, {"line", stop.number}, {"what", stop.why.text}};
  if (stop.why.column) at["column"] = *stop.why.column + 1;
  r.document["stopped"] = std::move(at);
  return r;
}

}  // namespace nvmf::cli::repl
