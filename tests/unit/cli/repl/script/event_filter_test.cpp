// SPDX-License-Identifier: BSD-2-Clause
#include "repl/script/event_filter.hpp"

#include <doctest/doctest.h>
#include <nvmf/error.hpp>

using namespace nvmf;
using namespace nvmf::cli;
using namespace nvmf::cli::repl;

namespace {

std::expected<event_filter, complaint> parsed(std::string text) {
  line l{std::move(text), "", 1};
  l.words = *split_words(l.text);
  arguments args(l);
  return take_event_filter(args);
}

event_filter filter(const std::string& text) {
  const auto f = parsed("event " + text);
  REQUIRE_MESSAGE(f.has_value(), (f ? "" : f.error().text));
  return *f;
}

seen_event seen(event_type type) {
  seen_event s;
  s.what.type = type;
  s.queue = "q1";
  return s;
}

// A command on the queue `qid`, a response with a status field (Base 4.2.1: bits 15:1 of the last
// two bytes), a PDU of a type (NVMe/TCP 3.6.1).
seen_event a_command(std::uint16_t qid, unsigned opcode, unsigned fctype = 0) {
  seen_event s = seen(event_type::command_out);
  s.what.qid = qid;
  s.what.header.resize(64);
  s.what.header[0] = static_cast<std::byte>(opcode);
  s.what.header[4] = static_cast<std::byte>(fctype);
  return s;
}
seen_event a_response(unsigned word) {
  seen_event s = seen(event_type::response_in);
  s.what.header.resize(16);
  s.what.header[14] = static_cast<std::byte>(word);
  s.what.header[15] = static_cast<std::byte>(word >> 8);
  return s;
}
seen_event a_pdu(event_type way, unsigned type, std::uint64_t b = 0) {
  seen_event s = seen(way);
  s.what.header.resize(24);
  s.what.header[0] = static_cast<std::byte>(type);
  s.what.b = b;
  return s;
}

}  // namespace

TEST_CASE("an opcode by name is that of its queue, by number that of any") {
  CHECK(filter("command-out opcode=read").matches(a_command(1, 0x02)));
  CHECK_FALSE(filter("command-out opcode=read").matches(a_command(0, 0x02)));
  CHECK(filter("command-out opcode=get-log-page").matches(a_command(0, 0x02)));
  CHECK(filter("command-out opcode=2").matches(a_command(0, 0x02)));
  CHECK(filter("command-out opcode=2").matches(a_command(1, 0x02)));
  CHECK(filter("command-out opcode=property-get").matches(a_command(1, 0x7f, 0x04)));
  CHECK_FALSE(filter("command-out opcode=property-get").matches(a_command(1, 0x7f, 0x00)));
}

TEST_CASE("families of events") {
  CHECK(filter("pdu").matches(a_pdu(event_type::pdu_in, 0x09)));
  CHECK(filter("pdu pdu=r2t").matches(a_pdu(event_type::pdu_out, 0x09)));
  CHECK_FALSE(filter("pdu pdu=r2t").matches(a_pdu(event_type::pdu_out, 0x07)));
  CHECK_FALSE(filter("pdu").matches(a_pdu(event_type::pdu_in_data, 0x07)));
  CHECK_FALSE(filter("pdu").matches(a_command(1, 2)));
  CHECK(filter("capsule").matches(a_command(1, 2)));
  CHECK(filter("capsule").matches(a_response(0)));
  CHECK(filter("work").matches(seen(event_type::work_posted)));
  CHECK(filter("work").matches(seen(event_type::work_done)));
  CHECK_FALSE(filter("work").matches(a_command(1, 2)));
  for (const auto t :
       {event_type::receive_callback, event_type::data_callback, event_type::error_callback})
    CHECK(filter("callback").matches(seen(t)));
  CHECK_FALSE(filter("callback").matches(seen(event_type::violation)));
}

TEST_CASE("a digest error, wherever it shows") {
  const event_filter f = filter("digest-error");
  CHECK(f.matches(a_pdu(event_type::pdu_in_data, 0x07, 1)));
  CHECK_FALSE(f.matches(a_pdu(event_type::pdu_in_data, 0x07, 0)));
  seen_event e = seen(event_type::violation);
  e.what.a = 3;  // Header Digest Error, NVMe/TCP 3.6.2.4
  CHECK(f.matches(e));
  e.what.a = 2;
  CHECK_FALSE(f.matches(e));
  e = seen(event_type::data_callback);
  CHECK_FALSE(f.matches(e));
  e.what.error = errc::data_digest;
  CHECK(f.matches(e));
}

TEST_CASE("any status but one") {
  event_filter f = filter("response-in status=lba-out-of-range");
  CHECK(f.matches(a_response(0x80 << 1)));
  CHECK_FALSE(f.matches(a_response(0)));
  f.status_not = std::exchange(f.status, std::nullopt);
  CHECK(f.matches(a_response(0)));
  CHECK_FALSE(f.matches(a_response(0x80 << 1)));
  f.is = is_capsule_event;
  CHECK_FALSE(f.matches(a_command(1, 2)));  // has none
}

TEST_CASE("quiet events are passed over, but for who asks for them") {
  seen_event e = a_command(1, 2);
  e.quiet = true;
  CHECK_FALSE(filter("capsule").matches(e));
  CHECK(filter("capsule").matches(e, true));
}

TEST_CASE("what is no event") {
  const auto f = parsed("event digest-eror");
  REQUIRE_FALSE(f);
  CHECK(f.error().text.find("did you mean digest-error") != std::string::npos);
  CHECK_FALSE(parsed("event sent"));  // of bytes moved nothing is kept
}
