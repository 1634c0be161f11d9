// SPDX-License-Identifier: BSD-2-Clause
#include "html_output.hpp"

#include <utility>

#include "html_page.hpp"

namespace nvmf::cli {

std::expected<std::unique_ptr<html_output>, std::string> html_output::create(
    const std::string& path, const trace_filter& filter, std::string source) {
  auto file = output_file::create(path);
  if (!file) return std::unexpected(file.error());
  return std::unique_ptr<html_output>(new html_output(std::move(*file), filter, std::move(source)));
}

std::expected<void, std::string> html_output::finish() {
  const html_records& all = records();
  write_page(all, source_,
             [this](std::string_view piece) { file_.write(std::as_bytes(std::span{piece})); });
  return file_.commit();
}

boost::json::object html_output::json() {
  const html_records& all = records();
  return {{"pdus", all.pdus.size()}, {"left_out", all.pdus_left_out}};
}

}  // namespace nvmf::cli
