// SPDX-License-Identifier: BSD-2-Clause
// `--html FILE`: the view that collects, and the file that it becomes.
#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <memory>
#include <string>

#include "html_view.hpp"
#include "output_file.hpp"

namespace nvmf::cli {

class html_output final : public html_view {
 public:
  // `source` is what people call the traffic.
  static std::expected<std::unique_ptr<html_output>, std::string> create(const std::string& path,
                                                                         const trace_filter& filter,
                                                                         std::string source);

  // Writes the page, with what there is to show.
  std::expected<void, std::string> finish();
  const std::string& path() const { return file_.path(); }
  // How much the page holds, and what it has no room for.
  boost::json::object json();
  std::string left_out_text() { return nvmf::cli::left_out_text(records()); }

 private:
  html_output(output_file file, const trace_filter& filter, std::string source)
      : html_view(filter), file_(std::move(file)), source_(std::move(source)) {}

  output_file file_;
  std::string source_;
};

}  // namespace nvmf::cli
