// SPDX-License-Identifier: BSD-2-Clause
// A rule that somebody broke: who, where, and what shows it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rule.hpp"
#include "trace/conversation/pdu.hpp"

namespace nvmf::trace {

class connection;

// What would have been right.
struct bound {
  enum class how : std::uint8_t { is, at_most, at_least, multiple_of, within, words };
  how kind = how::words;
  std::uint64_t low = 0, high = 0;  // `high` is for within only
  std::string_view text = {};       // for words only: "an R2T that is outstanding"

  static bound is(std::uint64_t v) { return {how::is, v, v, {}}; }
  static bound at_most(std::uint64_t v) { return {how::at_most, v, v, {}}; }
  static bound at_least(std::uint64_t v) { return {how::at_least, v, v, {}}; }
  static bound multiple_of(std::uint64_t v) { return {how::multiple_of, v, v, {}}; }
  static bound within(std::uint64_t low, std::uint64_t high) {
    return {how::within, low, high, {}};
  }
  static bound words(std::string_view text) { return {how::words, 0, 0, text}; }
};
std::string to_text(const bound& b);  // "at most 4096"

struct evidence {
  std::string_view field;  // "datao", "sqe.nlb"; as the layouts name them where they have it
  std::optional<std::uint64_t> seen;
  bound allowed;
};

struct violation {
  rule id;
  side by;
  way going;
  stamp at;                          // the end of the PDU that shows it
  std::uint64_t offset = 0;          // of that PDU in its direction
  std::optional<std::uint8_t> pdu;   // its type
  std::optional<std::uint16_t> cid;  // of the command that it is about
  evidence shown;
};
// "error r2t-range by the controller: r2tl is 8192, at most 4096 is allowed"
std::string to_text(const violation& v);

// Why rules are not judged any more on a connection.
enum class gap : std::uint8_t {
  middle,       // the capture begins within the connection
  lost,         // bytes are missing where a header was due
  header_cut,   // of a header not all was captured
  bad_header,   // a header says a length that cannot be, or its digest is wrong
  not_tracked,  // more is outstanding than is kept
  ambiguous,    // the CID of a command that is outstanding came again
};
std::string_view name_of(gap g);

struct suspension {
  gap why;
  way going;
  stamp at;
};
std::string to_text(const suspension& s);

class violation_sink {
 public:
  virtual ~violation_sink() = default;
  virtual void on_violation(const connection&, const violation&) = 0;
  // Once for each connection: from here on rules that need all that was sent on it are not judged,
  // nor rules about the commands that are outstanding now. All others are.
  virtual void on_suspension(const connection&, const suspension&) {}
};

}  // namespace nvmf::trace
