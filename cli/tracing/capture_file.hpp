// SPDX-License-Identifier: BSD-2-Clause
// The bytes of a capture, from a file, a pipe or a stream, in pieces: what is held does not grow
// with the capture.
#pragma once

#include <expected>
#include <functional>
#include <iosfwd>
#include <string>

#include "trace/tracer.hpp"

namespace nvmf::cli {

// Of one read: fits into the second-level cache with what works on it.
inline constexpr std::size_t capture_piece_bytes = 256u << 10;

struct capture_end {
  bool begun = false;  // it was a capture
  bool ended = false;  // all of it was read
  std::string damage;  // what is wrong with its rest; empty: nothing
  std::uint64_t bytes = 0;
};

// Who takes part in the reading; false ends it.
struct capture_hooks {
  std::function<bool()> progress;        // after each piece
  std::function<bool(int)> before_read;  // of a descriptor: waits for its bytes
  // Each packet, before the tracer has it; false ends the reading. Empty: nobody looks.
  std::function<bool(const trace::packet&)> look = {};
};

// `path` "-" is `descriptor` where there is one, else `in`. The error: it could not be opened or
// read.
std::expected<capture_end, std::string> read_capture(const std::string& path, std::istream& in,
                                                     int descriptor, trace::tracer& to,
                                                     const capture_hooks& hooks);

}  // namespace nvmf::cli
