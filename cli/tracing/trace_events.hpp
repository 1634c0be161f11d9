// SPDX-License-Identifier: BSD-2-Clause
// Events of the Chrome trace event format ("Trace Event Format"; JSON that ui.perfetto.dev and
// chrome://tracing read), written as they come. Times are nanoseconds; they count from the first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "line_buffer.hpp"
#include "output_file.hpp"

namespace nvmf::cli {

// Where an event stands: a process and a thread in it.
struct event_track {
  std::uint32_t process = 0, thread = 0;
};

// The text of one event: begun, given members, ended. Any text may be given, keys are ours. A comma
// is in front of it.
class trace_event {
 public:
  trace_event(line_buffer& to, char phase, std::string_view name, event_track on);
  trace_event& number(std::string_view key, std::uint64_t value);
  trace_event& text(std::string_view key, std::string_view value);
  trace_event& hex(std::string_view key, std::uint64_t value);  // "0x1f"
  trace_event& time(std::string_view key, std::int64_t ns);
  // What follows is of its arguments.
  trace_event& arguments();
  void end();

 private:
  void key(std::string_view name);
  line_buffer& to_;
  bool first_argument_ = false, in_arguments_ = false;
};

class trace_event_file {
 public:
  static std::expected<trace_event_file, std::string> create(const std::string& path);

  // Nanoseconds since the first time that was asked for, never less than 0.
  std::int64_t since_begin(std::int64_t ns);
  // Any number of events, each ended. The buffer is empty then.
  void write(line_buffer& events);
  std::uint64_t bytes() const { return bytes_; }
  const std::string& path() const { return out_.path(); }
  // Why it cannot be written, or nothing.
  std::string trouble() const { return out_.failed() ? out_.trouble() : std::string{}; }
  std::expected<void, std::string> commit();

 private:
  explicit trace_event_file(output_file&& out) : out_(std::move(out)) {}
  void put(std::string_view text);

  output_file out_;
  std::int64_t first_ns_ = 0;
  bool begun_ = false, empty_ = true;
  std::uint64_t bytes_ = 0;
};

}  // namespace nvmf::cli
