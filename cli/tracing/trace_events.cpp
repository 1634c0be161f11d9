// SPDX-License-Identifier: BSD-2-Clause
#include "trace_events.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <span>
#include <utility>

#include "tracing/clock_text.hpp"

namespace nvmf::cli {

namespace {

using namespace std::string_view_literals;

// A string of JSON, in ASCII whatever it was made of (RFC 8259, 7).
void append_quoted(line_buffer& to, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  to.push_back('"');
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (u >= 0x20 && u < 0x7f && c != '"' && c != '\\') {
      to.push_back(c);
      continue;
    }
    to.literal("\\u00");
    to.push_back(digits[u >> 4]);
    to.push_back(digits[u & 15]);
  }
  to.push_back('"');
}

// Microseconds with three digits behind the point: the unit of the format.
void append_time(line_buffer& to, std::int64_t ns) {
  const auto n = static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0));
  to.number(n / 1000);
  to.push_back('.');
  to.digits<3>(n);
}

}  // namespace

trace_event::trace_event(line_buffer& to, char phase, std::string_view name, event_track on)
    : to_(to) {
  to.literal(",\n{\"ph\":\"");
  to.push_back(phase);
  to.literal("\",\"name\":");
  append_quoted(to, name);
  number("pid", on.process);
  number("tid", on.thread);
}

void trace_event::key(std::string_view name) {
  if (!std::exchange(first_argument_, false)) to_.push_back(',');
  to_.push_back('"');
  to_.append(name);
  to_.literal("\":");
}

trace_event& trace_event::number(std::string_view name, std::uint64_t value) {
  key(name);
  to_.number(value);
  return *this;
}

trace_event& trace_event::text(std::string_view name, std::string_view value) {
  key(name);
  append_quoted(to_, value);
  return *this;
}

trace_event& trace_event::hex(std::string_view name, std::uint64_t value) {
  key(name);
  fmt::format_to(std::back_inserter(to_), "\"{:#x}\"", value);
  return *this;
}

trace_event& trace_event::time(std::string_view name, std::int64_t ns) {
  key(name);
  append_time(to_, ns);
  return *this;
}

trace_event& trace_event::arguments() {
  to_.literal(",\"args\":{");
  first_argument_ = in_arguments_ = true;
  return *this;
}

void trace_event::end() { to_.append(in_arguments_ ? "}}"sv : "}"sv); }

std::expected<trace_event_file, std::string> trace_event_file::create(const std::string& path) {
  auto out = output_file::create(path);
  if (!out) return std::unexpected(out.error());
  trace_event_file file{std::move(*out)};
  file.put("{\"traceEvents\":[");
  return file;
}

void trace_event_file::put(std::string_view text) {
  out_.write(std::as_bytes(std::span{text}));
  bytes_ += text.size();
}

std::int64_t trace_event_file::since_begin(std::int64_t ns) {
  if (!std::exchange(begun_, true)) first_ns_ = ns;
  return std::max<std::int64_t>(ns - first_ns_, 0);
}

void trace_event_file::write(line_buffer& events) {
  std::string_view text = events.view();
  // Each has a comma in front, but for the first.
  if (!text.empty() && std::exchange(empty_, false)) text.remove_prefix(1);
  put(text);
  events.clear();
}

std::expected<void, std::string> trace_event_file::commit() {
  put("\n],\"displayTimeUnit\":\"ns\",");
  put(fmt::format("\"otherData\":{{\"written_by\":\"nvmfctl " NVMFCTL_VERSION
                  "\",\"begins_ns\":\"{}\"}}}}\n",
                  first_ns_));
  return out_.commit();
}

}  // namespace nvmf::cli
