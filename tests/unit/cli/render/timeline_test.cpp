// SPDX-License-Identifier: BSD-2-Clause
#include "render/timeline.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <nvmf/error.hpp>

using namespace nvmf;
using namespace nvmf::cli;
using namespace std::chrono_literals;

namespace {

// A C2HData header by hand (NVMe/TCP 3.6.2.9): LAST and SUCCESS, CCCID 7, DATAO 0, DATAL 512.
constexpr std::array<unsigned char, 24> c2h{7, 0x0c, 24, 24, 0x18, 2, 0, 0, 7, 0, 0, 0,
                                            0, 0,    0,  0,  0,    2, 0, 0, 0, 0, 0, 0};
constexpr std::array<unsigned char, 64> read_sqe{2, 0x40, 7, 0, 1};
constexpr std::array<unsigned char, 16> cqe{0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 7, 0, 0x02, 0x80};

template <std::size_t N>
std::span<const std::byte> bytes(const std::array<unsigned char, N>& a) {
  return std::as_bytes(std::span{a});
}

event make(event_type type, duration at, std::span<const std::byte> header = {}) {
  return {.type = type, .at = time_point{} + at, .qpair = 1, .qid = 1, .header = header};
}

std::string details(const event& e) { return event_details(record(e)); }

}  // namespace

TEST_CASE("events say what they carry") {
  event pdu = make(event_type::pdu_in, 0s, bytes(c2h));
  pdu.a = 512;
  CHECK(details(pdu) == "c2h-data [last-pdu success] cccid=0x7 datal=512, 512 bytes of data");
  event command = make(event_type::command_out, 0s, bytes(read_sqe));
  CHECK(details(command) == "read nsid=0x1");
  command.qid = 0;
  CHECK(details(command) == "get-log-page nsid=0x1");
  command.qid = 1;
  command.a = 512;
  command.b = 1;
  CHECK(details(command) == "read nsid=0x1, 512 bytes in the capsule");
  CHECK(details(make(event_type::response_in, 0s, bytes(cqe))) ==
        "sqhd=3 sc=1 (invalid-opcode) dnr=1");
  event made_up = make(event_type::response_in, 0s, bytes(cqe));
  made_up.a = 1;
  CHECK(details(made_up) == "made up from a SUCCESS flag");
  event callback = make(event_type::data_callback, 0s);
  callback.a = 4;
  callback.error = errc::aborted;
  CHECK(details(callback).starts_with("4 bytes: "));
  event work = make(event_type::work_posted, 0s);
  work.text = "RDMA WRITE";
  work.a = 4096;
  work.b = 0x420100;
  CHECK(details(work) == "RDMA WRITE, 4096 bytes, key 0x00420100");
  // A keyed SGL descriptor by hand (Base 4.1.2): address, length, key, type 4.
  constexpr std::array<unsigned char, 16> keyed{0, 0x10, 0, 0, 0x12, 0x7f, 0,    0,
                                                0, 0x10, 0, 0, 1,    0x42, 0x00, 0x40};
  work.header = bytes(keyed);
  CHECK(details(work) == "RDMA WRITE, 4096 bytes, key 0x00420100, address 0x7f1200001000");
  work.text = "SEND with invalidate";
  work.a = 16;
  CHECK(details(work) == "SEND with invalidate, 16 bytes, key 0x00420100");
  work.type = event_type::work_done;
  work.text = "remote access error";
  work.error = errc::reset;
  work.a = work.b = 0;
  CHECK(details(work) == "remote access error");
}

TEST_CASE("headers cut short or unknown do no harm") {
  for (std::size_t size = 0; size <= c2h.size(); ++size)
    CHECK(!details(make(event_type::pdu_in, 0s, bytes(c2h).first(size))).empty());
  for (std::size_t size = 0; size <= read_sqe.size(); ++size)
    CHECK(!details(make(event_type::command_in, 0s, bytes(read_sqe).first(size))).empty());
  constexpr std::array<unsigned char, 8> unknown{0x33};
  CHECK(details(make(event_type::pdu_in, 0s, bytes(unknown))) == "PDU type 0x33, unknown");
}

TEST_CASE("a timeline records only while it is on, with times from its first event") {
  timeline t;
  t.on_event(make(event_type::connected, 1s));
  t.start();
  t.on_event(make(event_type::command_out, 2s, bytes(read_sqe)));
  event in = make(event_type::response_in, 2s + 1500ns, bytes(cqe));
  in.cid = 7;
  in.has_cid = true;
  t.on_event(in);
  t.stop();
  t.on_event(make(event_type::disconnected, 3s));
  REQUIRE(t.events().size() == 2);
  CHECK(timeline_text(t.events(), style{}, false) ==
        "       0.0 us  > q1          command-out       read nsid=0x1\n"
        "       1.5 us  < q1 cid 7    response-in       sqhd=3 sc=1 (invalid-opcode) dnr=1\n");
  const auto json = timeline_json(t.events());
  REQUIRE(json.size() == 2);
  CHECK(json[1].at("us").as_double() == 1.5);
  CHECK(json[1].at("event").as_string() == "response-in");
  CHECK(json[1].at("cid").to_number<int>() == 7);
  CHECK(json[0].at("header").as_string().size() == 128);
  t.start();
  CHECK(t.events().empty());
}

TEST_CASE("bytes of the kernel are for --verbose, and so is the middle of a long timeline") {
  timeline t;
  t.start();
  t.on_event(make(event_type::sent, 0s));
  for (int i = 0; i < 200; ++i) t.on_event(make(event_type::pdu_in, 0s, bytes(c2h)));
  const std::string brief = timeline_text(t.events(), style{}, false);
  CHECK(std::count(brief.begin(), brief.end(), '\n') == 81);
  CHECK(brief.find("...  120 more events (--verbose shows them)\n") != std::string::npos);
  CHECK(brief.find("sent") == std::string::npos);
  const std::string all = timeline_text(t.events(), style{}, true);
  CHECK(std::count(all.begin(), all.end(), '\n') == 201);
}

TEST_CASE("what is more than a timeline keeps is counted") {
  timeline t;
  t.start();
  for (std::size_t i = 0; i < timeline::events_max + 5; ++i) t.on_event(make(event_type::sent, 0s));
  CHECK(t.events().size() == timeline::events_max);
  CHECK(t.lost() == 5);
}
