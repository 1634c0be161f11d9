// SPDX-License-Identifier: BSD-2-Clause
// Any bytes as a capture, shown in every way, and any text as a filter of it: up to the first zero
// the input is the filter, behind it the capture.
#include <boost/json/parse.hpp>
#include <sstream>
#include <string>

#include "fuzz/input.hpp"
#include "trace/capture/reader.hpp"
#include "trace/tracer.hpp"
#include "tracing/json_view.hpp"
#include "tracing/statistics.hpp"
#include "tracing/text_view.hpp"

using namespace nvmf;
using fuzz::require;

namespace {

void play(wire::byte_span file, trace::listener& to) {
  trace::tracer tracer({.conversation = {.data_bytes = 4096}}, to);
  trace::capture_reader reader;
  trace::packet p;
  while (reader.next(file, p) == trace::capture_reader::step::packet) tracer.take(p);
  tracer.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all{reinterpret_cast<const char*>(data), size};
  const auto end = all.find('\0');
  if (end == std::string_view::npos) return 0;
  const auto filter = cli::trace_filter::parse(all.substr(0, end));
  if (!filter) return 0;
  const wire::byte_span file{reinterpret_cast<const std::byte*>(data) + end + 1, size - end - 1};
  const cli::picking how{.filter = *filter};
  const cli::style plain;
  for (const int verbosity : {0, 2}) {
    std::ostringstream text_out, json_out;
    cli::picker text_picker(how, text_out), json_picker(how, json_out);
    cli::text_view text(text_picker, cli::trace_time::utc, verbosity, plain);
    cli::json_view json(json_picker, verbosity);
    play(file, text);
    play(file, json);
    text_picker.finish();
    json_picker.finish();
    // Nothing that a terminal would obey; every line is a document.
    for (const char c : text_out.view()) require(c == '\n' || (c >= ' ' && c <= '~'));
    std::istringstream lines(json_out.str());
    for (std::string line; std::getline(lines, line);) {
      boost::system::error_code error;
      static_cast<void>(boost::json::parse(line, error));
      require(!error);
    }
  }
  cli::statistics numbers(how.filter);
  play(file, numbers);
  static_cast<void>(numbers.text(plain, true));
  static_cast<void>(numbers.json());
  return 0;
}
