// SPDX-License-Identifier: BSD-2-Clause
// Text that waits for the end of its command is bounded.
#include "tracing/picker.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "unit/trace/journal.hpp"

using namespace nvmf;
using namespace nvmf::cli;
using namespace nvmf::test;

namespace {

// Puts a long text for each PDU.
struct talker final : trace::listener {
  picker& out;
  std::size_t bytes;
  talker(picker& to, std::size_t each) : out(to), bytes(each) {}
  void on_command(const trace::connection& c, const trace::command& k,
                  const trace::pdu& p) override {
    say({.on = c, .of = &k, .pdu = p.type});
  }
  void on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) override {
    if (of != nullptr && p.type == 7) say({.on = c, .of = of, .pdu = p.type});
  }
  void on_completion(const trace::connection& c, const trace::command& k,
                     const trace::completion& done, const trace::pdu*) override {
    const sight s{.on = c, .of = &k, .done = &done};
    out.settle(s);
    out.put(out.wants(s), s, "over\n");
  }
  void say(const sight& s) { out.put(out.wants(s), s, std::string(bytes, 'x') + "\n"); }
};

std::string played(std::string_view filter, std::size_t each, unsigned pdus, bool fails) {
  picking how;
  auto parsed = trace_filter::parse(filter);
  REQUIRE(parsed);
  how.filter = std::move(*parsed);
  std::ostringstream text;
  picker out(how, text);
  talker view(out, each);
  wire_tap w(view);
  w.open();
  w.host(command_pdu(0x02, 1));
  for (unsigned i = 0; i < pdus; ++i) w.controller(data_pdu(0x07, 0, 1, 0, 0, filled(8, 1)));
  w.controller(response_pdu(1, fails ? 0x80 : 0));
  w.tracer.finish();
  out.finish();
  return text.str();
}

}  // namespace

TEST_CASE("what waits is shown with its end, or dropped with it") {
  const std::string text = played("failed", 10, 3, true);
  CHECK(text == std::string(4 * 11, 'x')
                        .replace(10, 1, "\n")
                        .replace(21, 1, "\n")
                        .replace(32, 1, "\n")
                        .replace(43, 1, "\n") +
                    "over\n");
  CHECK(played("failed", 10, 3, false).empty());
}

TEST_CASE("of a command no more than the limit waits, and what was left out is said") {
  const std::string text = played("failed", 300u << 10, 9, true);
  CHECK(text.size() < picker::waiting_bytes_max + 100);
  CHECK(text.find("  ... 7 longer ones of this command were not kept\n") != std::string::npos);
  CHECK(text.ends_with("over\n"));
}
