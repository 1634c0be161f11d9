// SPDX-License-Identifier: BSD-2-Clause
#include <doctest/doctest.h>

#include <bit>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "tracing/fan_out.hpp"
#include "tracing/html_page.hpp"
#include "tracing/html_view.hpp"
#include "unit/trace/journal.hpp"

using namespace nvmf;
using namespace nvmf::cli;
using namespace nvmf::test;
namespace json = boost::json;

namespace {

// A conversation by hand, seen by a view with the rules behind it.
struct watched {
  explicit watched(const html_limits& limits = {}, std::string_view condition = {}) {
    if (!condition.empty()) filter = *trace_filter::parse(condition);
    view = std::make_unique<html_view>(filter, limits);
    all.add(static_cast<trace::listener&>(*view));
    all.add(static_cast<trace::violation_sink&>(*view));
    all.judge();
  }
  const html_records& finish() {
    w.tracer.finish();
    return view->records();
  }
  // A read of one block each: three PDUs.
  void read(unsigned cid, unsigned status = 0) {
    w.host(command_pdu(2, cid, {}, 1, 8 * cid, 0));
    w.controller(data_pdu(7, 4, cid, 0, 0, filled(512, 1)));
    w.controller(response_pdu(cid, status));
  }

  trace_filter filter;
  std::unique_ptr<html_view> view;
  fan_out all;
  wire_tap w{all.listener()};
};

std::string page_of(const html_records& r, std::string_view source = "a.pcap") {
  std::string page;
  write_page(r, source, [&](std::string_view piece) { page += piece; });
  return page;
}

// What the page's script reads.
std::string data_of(const std::string& page) {
  const std::string_view begin = "<script type=\"application/json\" id=\"data\">";
  const std::size_t from = page.find(begin) + begin.size();
  return page.substr(from, page.find("</script>", from) - from);
}

std::string base64(std::string_view text) {
  std::string out;
  append_base64(out, std::as_bytes(std::span{text}));
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  append_for_script(out, text);
  return out;
}

// RFC 4648 read back, by nothing of the product.
std::vector<unsigned char> decoded(std::string_view text) {
  const std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<unsigned char> out;
  unsigned bits = 0, have = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = (bits << 6 | static_cast<unsigned>(digits.find(c))) & 0xffffff;
    if ((have += 6) >= 8) out.push_back(static_cast<unsigned char>(bits >> (have -= 8)));
  }
  return out;
}

}  // namespace

TEST_CASE("base64 as in RFC 4648, 10") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("fooba") == "Zm9vYmE=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xff\xfe\xfd") == "//79");
}

TEST_CASE("JSON within a script ends nothing and begins nothing") {
  const std::string text = "a</script><!--&\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xa6>b";
  const std::string out = escaped(json::serialize(json::string{text}));
  CHECK(out == R"("a\u003c/script\u003e\u003c!--\u0026\u2028\u2029)"
               "\xe2\x80\xa6"
               R"(\u003eb")");
  CHECK(json::parse(out).as_string() == text);
  CHECK(escaped("\xe2\x80") == "\xe2\x80");  // cut short
}

TEST_CASE("a page holds what was said, in columns") {
  watched t;
  t.w.open(1);
  t.read(5);
  t.read(6, 0x80);
  const std::string data = data_of(page_of(t.finish(), "<&>.pcap"));
  const json::value all = json::parse(data);
  const json::object& head = all.at("head").as_object();
  CHECK(head.at("schema") == "nvmfctl.trace-html/1");
  CHECK(head.at("source") == "<&>.pcap");
  CHECK(head.at("pdus") == 10);
  CHECK(head.at("commands") == 3);
  CHECK(head.at("leftOut") == "");
  CHECK(head.at("baseNs") == "3000");  // after the two packets of the handshake
  const json::object& c = head.at("connections").at(0).as_object();
  CHECK(c.at("host") == "10.0.0.1:40000");
  CHECK(c.at("hostNqn") == "nqn.2014-08.org.example:host");
  CHECK(c.at("qid") == 1);
  CHECK(c.at("failed") == 1);
  CHECK(c.at("closed") == false);
  CHECK(head.at("kinds").at("9").at("name") == "r2t");

  const auto column = [&](std::string_view name) { return all.at("columns").at(name).as_array(); };
  // ICReq, ICResp, Connect and its response, then twice capsule, data and response.
  CHECK(column("pduType").at(0) == "u8");
  CHECK(decoded(column("pduType").at(2).as_string()) ==
        std::vector<unsigned char>{0, 1, 4, 5, 4, 7, 5, 4, 7, 5});
  CHECK(decoded(column("pduToHost").at(2).as_string()) ==
        std::vector<unsigned char>{0, 1, 0, 1, 0, 1, 1, 0, 1, 1});
  CHECK(decoded(column("failed").at(2).as_string()) == std::vector<unsigned char>{0, 0, 1});
  CHECK(decoded(column("cid").at(2).as_string()) == std::vector<unsigned char>{0, 0, 5, 0, 6, 0});
  // Of one value for all: once.
  CHECK(column("pduConnection") == json::array{"u16", true, "AAA="});
  // 1000.0 is 408f400000000000h: the second PDU, a packet after the first.
  const auto times = decoded(column("pduTime").at(2).as_string());
  REQUIRE(times.size() == 80);
  CHECK(std::vector<unsigned char>(times.begin(), times.begin() + 16) ==
        std::vector<unsigned char>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x8f, 0x40});
  // 2000 ns from capsule to response, as a single: 44fa0000h.
  const auto latencies = decoded(column("latency").at(2).as_string());
  CHECK(std::vector<unsigned char>(latencies.begin() + 4, latencies.begin() + 8) ==
        std::vector<unsigned char>{0, 0, 0xfa, 0x44});

  std::vector<std::string> texts;
  for (const json::value& v : all.at("texts").as_array()) texts.emplace_back(v.as_string());
  const auto has = [&](std::string_view text) { return std::ranges::count(texts, text); };
  CHECK(has("nsid=0x1 slba=40") == 1);
  CHECK(has("ok") == 1);
  CHECK(has("LBA Out of Range (0/80h)") == 1);
  CHECK(has("[last-pdu] cccid=0x5 datal=512") == 1);
}

TEST_CASE("a violation points at the PDU that shows it") {
  watched t;
  t.w.open(1);
  t.w.host(command_pdu(1, 9));
  t.w.controller(r2t_pdu(9, 1, 0, 1 << 20));
  const html_records& r = t.finish();
  const auto range = std::ranges::find(r.findings, "r2t-range", &html_finding::rule);
  REQUIRE(range != r.findings.end());
  CHECK(range->severity == "error");
  CHECK(range->by == "controller");
  CHECK(range->cid == 9);
  CHECK(range->sequence == r.pdus.back().sequence);
  CHECK(r.pdus.back().type == 9);
  const json::value head = json::parse(data_of(page_of(r))).at("head");
  for (const json::value& f : head.at("findings").as_array())
    if (f.at("rule") == "r2t-range") CHECK(f.at("pdu") == 5);
}

TEST_CASE("what a page has no room for is counted, and said") {
  watched t({.pdus = 5, .findings = 1});
  t.w.open(1);
  t.read(5);
  t.read(6);
  const html_records& r = t.finish();
  CHECK(r.pdus.size() == 5);
  CHECK(r.pdus_left_out == 5);
  CHECK(r.findings.size() == 1);
  CHECK(r.commands.size() == 2);  // Connect, and the read that began
  CHECK(r.commands[1].fate == 0);
  CHECK(r.connections[0].counts.pdus == 10);
  const std::string text = left_out_text(r);
  CHECK(text.starts_with("the page has no room for 5 PDUs, "));
  CHECK(page_of(r).find(text) != std::string::npos);

  watched none({.connections = 0});
  none.w.open(1);
  CHECK(none.finish().pdus.empty());
  CHECK(left_out_text(none.finish())
            .ends_with(" 1 connection after what it shows (--filter picks what it shows)"));

  watched words({.text_bytes = 40});
  words.w.open(1);
  words.read(5);
  CHECK(words.finish().pdus.size() < 7);
  CHECK(words.finish().pdus_left_out > 0);
}

TEST_CASE("a filter that needs the end of a command keeps the order of what happened") {
  watched t({}, "status == lba-out-of-range || cid == 7");
  t.w.open(1);
  t.w.host(command_pdu(2, 5, {}, 1, 40, 0));  // ends last
  t.read(6);
  t.read(7);
  t.w.controller(response_pdu(5, 0x80));
  const html_records& r = t.finish();
  std::vector<int> types;
  for (const html_pdu& p : r.pdus) types.push_back(p.type);
  CHECK(types == std::vector{4, 4, 7, 5, 5});
  CHECK(std::ranges::is_sorted(r.pdus, {}, &html_pdu::sequence));
  CHECK(r.commands.size() == 2);
  const html_command& first = r.commands[r.pdus.front().command - 1];
  CHECK(first.cid == 5);
  CHECK(first.failed == 1);

  // What waits is bounded like what is kept.
  watched few({.pdus = 2}, "failed");
  few.w.open(1);
  few.w.host(command_pdu(2, 5, {}, 1, 40, 0));
  for (int i = 0; i < 4; ++i) few.w.controller(data_pdu(7, 0, 5, 0, 0, filled(512, 1)));
  few.w.controller(response_pdu(5, 0x80));
  CHECK(few.finish().pdus.size() == 2);
  CHECK(few.finish().pdus_left_out == 4);
}

TEST_CASE("names of peers do not end the page's data") {
  watched t;
  t.w.handshake();
  t.w.host(icreq());
  t.w.controller(icresp());
  t.w.host(connect_pdu(0, 1, "nqn.2014-08.org.example:</script><script>alert(1)</script>",
                       "nqn.2014-08.org.example:\xe2\x80\xa8&"));
  t.w.controller(response_pdu(0, 0, 1));
  const std::string page = page_of(t.finish(), "</script>\xe2\x80\xa8.pcap");
  CHECK(page.find("alert(1)</script>") == std::string::npos);
  CHECK(page.find("\xe2\x80\xa8") == std::string::npos);
  std::size_t scripts = 0;
  for (std::size_t at = 0; (at = page.find("<script", at)) != std::string::npos; ++at) ++scripts;
  CHECK(scripts == 2);
  const json::value head = json::parse(data_of(page)).at("head");
  CHECK(head.at("source") == "</script>\xe2\x80\xa8.pcap");
  CHECK(head.at("connections").at(0).at("hostNqn") ==
        "nqn.2014-08.org.example:</script><script>alert(1)</script>");
  CHECK(head.at("connections").at(0).at("subsystem") == R"(nqn.2014-08.org.example:\xe2\x80\xa8&)");
}

TEST_CASE("the page's policy allows its own script and style, and no network") {
  watched t;
  t.w.open(1);
  const std::string page = page_of(t.finish());
  CHECK(page.find("content=\"default-src 'none'; script-src 'sha256-") != std::string::npos);
  for (const std::string_view mark : {"@policy@", "@style@", "@script@", "@data@"})
    CHECK(page.find(mark) == std::string::npos);
}

TEST_CASE(
    "a filter leaves connections out of which nothing fits, and what lies outside of its time") {
  watched of({}, "conn == 2 && cid == 3");
  of.w.open(1);
  of.read(3);
  ++of.w.host_port;
  of.w.open(2);
  of.read(2);
  of.read(3);
  const html_records& r = of.finish();
  REQUIRE(r.connections.size() == 1);
  CHECK(r.connections[0].number == 2);
  CHECK(r.connections[0].qid == 2);
  REQUIRE(r.commands.size() == 1);
  CHECK(r.commands[0].connection == 0);
  CHECK(r.pdus.size() == 3);
  for (const html_pdu& p : r.pdus) CHECK(p.connection == 0);
}

TEST_CASE("texts are kept once") {
  text_pool pool;
  std::vector<std::uint32_t> numbers;
  for (int round = 0; round < 2; ++round)
    for (int i = 0; i < 5000; ++i) {
      const std::uint32_t n = pool.add(fmt::format("text {}", i));
      if (round == 0) numbers.push_back(n);
      if (round == 1) REQUIRE(n == numbers[static_cast<std::size_t>(i)]);
    }
  CHECK(pool.size() == 5000);
  CHECK(pool[numbers[4321]] == "text 4321");
  CHECK(pool.add("") == 5000);
  CHECK(pool[5000].empty());
}
