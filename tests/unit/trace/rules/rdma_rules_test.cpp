// SPDX-License-Identifier: BSD-2-Clause
// Conversations over RDMA that break a rule, and their lawful neighbours.
#include <doctest/doctest.h>

#include <fmt/ranges.h>

#include <set>

#include "rdma_talk.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

struct sample {
  const char* broken;
  void (*play)(talk& t, bool wrong);
};

const sample setup_samples[] = {
    {"host cm-format",
     [](talk& t, bool wrong) {
       t.ready(cm_request_with(0, wrong ? 1 : 0, 2), cm_reply(8, 7, 18, 1000));
     }},
    {"controller cm-format",
     [](talk& t, bool wrong) {
       t.ready(cm_request(7, 17, 5000, 4420), cm_reply_with(0, wrong ? 1 : 0, 2));
     }},
    {"host cm-sizes",
     [](talk& t, bool wrong) {
       t.ready(cm_request_with(4, wrong ? 0 : 1, 2), cm_reply(8, 7, 18, 1000));
     }},
    {"host cm-sizes",
     [](talk& t, bool wrong) {
       t.ready(cm_request_with(6, wrong ? 0 : 1, 2), cm_reply(8, 7, 18, 1000));
     }},
    {"controller cm-sizes",
     [](talk& t, bool wrong) {
       t.ready(cm_request(7, 17, 5000, 4420), cm_reply_with(2, wrong ? 0 : 1, 2));
     }},
    {"host cm-reserved",
     [](talk& t, bool wrong) {
       t.ready(cm_request_with(31, wrong ? 1 : 0, 1), cm_reply(8, 7, 18, 1000));
     }},
    {"host cm-qid",
     [](talk& t, bool wrong) {
       t.ready(cm_request(7, 17, 5000, 4420, 1), cm_reply(8, 7, 18, 1000));
       t.connect(connect_sqe(0, wrong ? 2 : 1), 1);
     }},
    {"host cm-hsqsize",
     [](talk& t, bool wrong) {
       t.ready(cm_request(7, 17, 5000, 4420, 1), cm_reply(8, 7, 18, 1000));
       t.connect(connect_sqe(0, 1, wrong ? 63 : 31), 1);
     }},
    {"host cm-cntlid",
     [](talk& t, bool wrong) {
       t.ready(cm_request_with(8, wrong ? 2 : 1, 2), cm_reply(8, 7, 18, 1000));
       t.connect(connect_sqe(0, 1), 1);
     }},
    {"host cm-cntlid",
     [](talk& t, bool wrong) {
       octets b = cm_request(7, 17, 5000, 4420, 0);
       t.ready(changed(b, private_at(b) + 8, wrong ? 1 : 0), cm_reply(8, 7, 18, 1000));
     }},
    {"controller cm-status",
     [](talk& t, bool wrong) {
       t.w.host(cm_request(7, 17, 5000, 4420));
       t.w.controller(cm_reject(7, 28, wrong ? 10 : 6));
     }},
    {"controller cm-cause",
     [](talk& t, bool wrong) {
       t.w.host(cm_request(7, 17, 5000, 4420));
       t.w.controller(cm_reject(7, 28, wrong ? 2 : 4));
     }},
    {"controller cm-cause",
     [](talk& t, bool wrong) {
       t.w.host(cm_request(7, 17, 5000, 4420, wrong ? 0 : 1));
       t.w.controller(cm_reject(7, 28, 3));
     }},
};

const sample capsule_samples[] = {
    {"host rdma-command-size",
     [](talk& t, bool wrong) {
       t.open();
       octets b = keyed_sqe(0x00, 1);
       b.resize(wrong ? 63 : 64);
       t.w.command(b);
     }},
    {"host rdma-command-size",
     [](talk& t, bool wrong) {
       t.open();
       octets b = keyed_sqe(0x00, 1);
       b.resize(wrong ? 2 : 64);
       t.w.command(b);
     }},
    {"controller rdma-response-size",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(keyed_sqe(0x00, 1));
       octets b = t.entry(1);
       b.resize(wrong ? 20 : 16);
       t.w.response(b);
     }},
    {"controller rdma-response-size",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(keyed_sqe(0x00, 1));
       octets b = t.entry(1);
       b.resize(wrong ? 12 : 16);
       t.w.response(b);
     }},
    {"host rdma-sgl",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(with_sgl(read_sqe(1, 0xa), wrong ? 0x5a : invalidate));
     }},
    {"host rdma-sgl",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(with_sgl(read_sqe(1, 0xa), wrong ? 0x4a : plain_key));
     }},
    {"host rdma-sgl",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(changed(read_sqe(1, 0xa), 1, wrong ? 0 : 0x40));
     }},
    {"host rdma-sgl",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(changed(capsule_write(1, 512), 39, wrong ? 0x00 : offset));
     }},
    {"host rdma-capsule-data",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(capsule_write(1, wrong ? 513 : 512, 0, 512));
     }},
    {"host rdma-capsule-data",
     [](talk& t, bool wrong) {
       t.open();
       octets b = write_sqe(1, 0xa);
       t.w.command(wrong ? add(b, filled(16, 1)) : b);
     }},
    {"host rdma-fabrics-data",
     [](talk& t, bool wrong) {
       t.ready(cm_request(7, 17, 5000, 4420), cm_reply(8, 7, 18, 1000));
       if (!wrong) return t.connect(connect_sqe(0, 1), 1);
       octets b = connect_sqe(0, 1);
       put(b, 24, 0, 8);
       put(b, 32, 1024, 4);
       put(b, 36, 0, 3);
       put(b, 39, offset, 1);
       const octets names = connect_names(1);
       const auto half = names.begin() + 512;
       t.w.host(rdma_send(0x00, 18, t.w.psn[0]++, add(b, octets(names.begin(), half))));
       t.w.host(rdma_send(0x02, 18, t.w.psn[0]++, octets(half, names.end())));
     }},
    {"host rdma-receives",
     [](talk& t, bool wrong) {
       octets b = cm_request_with(4, 3, 2);
       t.ready(b, cm_reply(8, 7, 18, 1000));
       t.connect(connect_sqe(0, 1), 1);
       for (unsigned i = 0; i < (wrong ? 4u : 3u); ++i) t.w.command(keyed_sqe(0x00, 1 + i));
       t.answer(1);
     }},
};

const sample data_samples[] = {
    {"host rdma-host-access",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(read_sqe(1, 0xa));
       t.write(memory, 0xa, 1024, 1024, wrong);
     }},
    {"host rdma-host-access",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(write_sqe(1, 0xa));
       if (!wrong)
         t.ask(memory, 0xa, 1024);
       else
         t.w.host(with_icrc(reth(bth(0x0c, 18, t.w.psn[0]++), memory, 0xa, 1024)));
     }},
    {"controller rdma-key",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(read_sqe(1, 0xa));
       t.write(memory, wrong ? 0xb : 0xa, 1024, 1024);
       t.go_on();
     }},
    {"controller rdma-key",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(write_sqe(1, 0xa));
       t.ask(memory, wrong ? 0xb : 0xa, 1024);
       t.go_on();
     }},
    {"controller rdma-after-response",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(read_sqe(1, 0xa));
       t.write(memory, 0xa, 1024, 1024);
       t.answer(1);
       if (wrong) t.write(memory, 0xa, 1024, 1024);
       t.go_on();
     }},
    {"controller rdma-direction",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(wrong ? write_sqe(1, 0xa) : read_sqe(1, 0xa));
       t.write(memory, 0xa, 1024, 1024);
     }},
    {"controller rdma-direction",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(wrong ? read_sqe(1, 0xa) : write_sqe(1, 0xa));
       t.ask(memory, 0xa, 1024);
     }},
    {"controller rdma-range",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(read_sqe(1, 0xa));
       t.write(memory + 512, 0xa, wrong ? 513 : 512, wrong ? 513 : 512);
     }},
    {"controller rdma-range",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(write_sqe(1, 0xa));
       t.ask(wrong ? memory - 1 : memory, 0xa, 1024);
     }},
    {"controller rdma-length",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(read_sqe(1, 0xa));
       t.write(memory, 0xa, 1024, wrong ? 1020 : 1024);
     }},
    {"host rdma-length",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(write_sqe(1, 0xa));
       t.give(t.ask(memory, 0xa, 1024), filled(wrong ? 1000 : 1024, 1));
     }},
    {"controller rdma-before-data",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(write_sqe(1, 0xa));
       const std::uint32_t psn = t.ask(memory, 0xa, 1024);
       if (!wrong) t.give(psn, filled(1024, 1));
       t.answer(1);
       if (wrong) t.give(psn, filled(1024, 1));
     }},
    {"controller rdma-short",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(read_sqe(1, 0xa));
       t.write(memory, 0xa, 512, 512);
       if (!wrong) t.write(memory + 512, 0xa, 512, 512);
       t.answer(1);
     }},
    {"controller rdma-short",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(write_sqe(1, 0xa));
       t.fetch(memory, 0xa, 512);
       if (!wrong) t.fetch(memory + 512, 0xa, 512);
       t.answer(1);
     }},
    {"controller rdma-invalidate",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(read_sqe(1, 0xa));
       t.write(memory, 0xa, 1024, 1024);
       t.answer_and_invalidate(1, wrong ? 0xb : 0xa);
     }},
    {"controller rdma-invalidate",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(with_sgl(read_sqe(1, 0xa), wrong ? plain_key : invalidate));
       t.write(memory, 0xa, 1024, 1024);
       t.answer_and_invalidate(1, 0xa);
     }},
};

// CAP, CC.EN and Identify Controller of an Admin Queue; then another connection.
void controller_known(talk& t, unsigned ioccsz = 4 + 32, unsigned icdoff = 2) {
  t.w.go_to(100);
  t.open(0);
  octets get = keyed_sqe(0x7f, 1);
  put(get, 4, 4, 4);
  put(get, 40, 1, 1);
  t.w.command(get);
  t.answer(1, 0, 127);
  octets set = keyed_sqe(0x7f, 2);
  put(set, 4, 0, 4);
  put(set, 44, 0x14, 4);
  put(set, 48, 0x460001, 8);
  t.w.command(set);
  t.answer(2);
  octets identify = keyed_sqe(0x06, 3, memory, 0xd0, 4096);
  put(identify, 40, 1, 4);
  t.w.command(identify);
  octets d(4096);
  put(d, 77, 5, 1);  // MDTS: 128 KiB
  put(d, 320, 10, 2);
  put(d, 1792, ioccsz, 4);
  put(d, 1796, 1, 4);
  put(d, 1800, icdoff, 2);
  octets b = reth(bth(0x06, t.w.host_qp(), t.w.psn[1]++), memory, 0xd0, 4096);
  t.w.controller(with_icrc(add(b, octets(d.begin(), d.begin() + 1024))));
  for (unsigned i = 1; i < 4; ++i)
    t.w.controller(rdma_send(i == 3 ? 0x08 : 0x07, t.w.host_qp(), t.w.psn[1]++,
                             octets(d.begin() + 1024 * i, d.begin() + 1024 * (i + 1))));
  t.answer(3);
  t.w.go_to(0);
  t.sqhd = 0;
}

const sample association_samples[] = {
    {"host rdma-capsule-limit",
     [](talk& t, bool wrong) {
       controller_known(t);
       t.open();
       t.w.command(capsule_write(1, wrong ? 484 : 480, 32));
       t.go_on();
     }},
    {"host rdma-capsule-limit",
     [](talk& t, bool wrong) {
       t.open(0);
       t.w.command(wrong ? changed(capsule_write(1, 16), 0, 0x09) : keyed_sqe(0x09, 1));
       t.go_on();
     }},
    {"host rdma-capsule-offset",
     [](talk& t, bool wrong) {
       controller_known(t);
       t.open();
       t.w.command(capsule_write(1, 128, wrong ? 0 : 32));
       t.go_on();
     }},
    {"host mdts",
     [](talk& t, bool wrong) {
       controller_known(t);
       t.open();
       t.w.command(read_sqe(1, 0xa, wrong ? 131072 + 4 : 131072));
       t.go_on();
     }},
    {"controller response-command",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(keyed_sqe(0x00, 1));
       t.answer(1);
       if (wrong) t.answer(77);
       t.sqhd = 2;
       t.go_on();
     }},
    {"host cid-in-use",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(keyed_sqe(0x00, 1));
       t.w.command(keyed_sqe(0x00, wrong ? 1 : 2));
       t.answer(2);
     }},
    {"host connect-first",
     [](talk& t, bool wrong) {
       t.ready(cm_request(7, 17, 5000, 4420), cm_reply(8, 7, 18, 1000));
       if (!wrong) t.connect(connect_sqe(0, 1), 1);
       t.w.command(keyed_sqe(0x00, 1));
       t.answer(1);
     }},
    {"host connect-host-id",
     [](talk& t, bool wrong) {
       t.ready(cm_request(7, 17, 5000, 4420), cm_reply(8, 7, 18, 1000));
       t.w.command(connect_sqe(0, 1));
       t.give(t.ask(memory, 0xc0, 1024), changed(connect_names(1), 0, wrong ? 0 : 1));
     }},
    {"controller sqhd",
     [](talk& t, bool wrong) {
       t.open();
       t.w.command(keyed_sqe(0x00, 1));
       if (wrong) t.sqhd = 20;
       t.answer(1);
       t.w.command(keyed_sqe(0x00, 2));
     }},
};

std::set<std::string> broken_by(const char* broken) {
  return {std::string(broken).substr(std::string_view(broken).find(' ') + 1)};
}
template <std::size_t N>
void play(const sample (&samples)[N], std::set<std::string>& seen) {
  for (const sample& s : samples) {
    const std::string which = fmt::format("{}, row {}", s.broken, &s - samples);
    CAPTURE(which);
    talk wrong, right;
    s.play(wrong, true);
    CAPTURE(fmt::format("{}", fmt::join(wrong.heard.lines, " ")));
    CHECK(wrong.heard.lines == std::vector<std::string>{s.broken});
    s.play(right, false);
    CHECK(right.heard.lines == std::vector<std::string>{});
    seen.merge(broken_by(s.broken));
  }
}

}  // namespace

TEST_CASE("every rule of RDMA: its breach is told, and nothing else; its neighbour is quiet") {
  std::set<std::string> seen;
  play(setup_samples, seen);
  play(capsule_samples, seen);
  play(data_samples, seen);
  play(association_samples, seen);
  for (const trace::rule_row& r : trace::all_rules()) {
    if (!r.name.starts_with("rdma-") && !r.name.starts_with("cm-")) continue;
    CAPTURE(r.name);
    CHECK(seen.contains(std::string(r.name)));
  }
}

TEST_CASE("what a missing packet of the other direction would explain waits for its next message") {
  talk t;
  t.open();
  t.answer(77);
  t.write(memory, 0xb, 1024, 1024);
  CHECK(t.heard.lines.empty());
  SUBCASE("none is missing") {
    t.w.command(keyed_sqe(0x00, 1));
    CHECK(t.heard.lines ==
          std::vector<std::string>{"controller response-command", "controller rdma-key"});
    REQUIRE(t.heard.all.size() == 2);
    CHECK(t.heard.all[0].at.packet + 2 == t.w.number);
    CHECK(t.heard.all[1].shown.seen == 0xb);
  }
  SUBCASE("one is") {
    ++t.w.psn[0];
    t.w.command(keyed_sqe(0x00, 1));
    t.w.controller(with_icrc(aeth(bth(0x11, 17, t.w.psn[0] - 1), 0)));
    CHECK(t.heard.lines.empty());
    CHECK(t.heard.suspended == std::vector<std::string>{"lost"});
  }
  SUBCASE("the connection ends") {
    t.w.host(cm_plain(0x15, 7, 8));
    t.w.controller(cm_plain(0x16, 8, 7));
    CHECK(t.heard.lines.empty());
    CHECK(t.judge.connections() == 0);
  }
}

TEST_CASE("one key for all memory of a host: many commands have it at once") {
  talk t;
  t.open();
  for (unsigned cid = 1; cid <= 3; ++cid)
    t.w.command(keyed_sqe(0x02, cid, memory + 4096 * cid, 0xa, 1024));
  for (unsigned cid = 3; cid >= 1; --cid) {
    t.write(memory + 4096 * cid, 0xa, 1024, 1024);
    t.answer(cid);
  }
  CHECK(t.heard.lines.empty());
  t.w.command(keyed_sqe(0x02, 4, memory, 0xa, 1024));
  t.w.command(keyed_sqe(0x02, 5, memory + 4096, 0xa, 1024));
  t.write(memory + 1024, 0xa, 4, 4);
  REQUIRE(t.heard.all.size() == 1);
  CHECK(t.heard.lines[0] == "controller rdma-range");
  CHECK(t.heard.all[0].cid == 4);
}

TEST_CASE("a list of keyed descriptors in the capsule: the key of the last may be invalidated") {
  for (const bool wrong : {false, true}) {
    talk t;
    t.open();
    octets b = keyed_sqe(0x02, 1, 0);
    put(b, 32, 32, 4);
    put(b, 36, 0, 3);
    put(b, 39, list, 1);
    for (const unsigned key : {0xau, 0xbu}) {
      octets sgl(16);
      put(sgl, 0, memory + 4096 * key, 8);
      put(sgl, 8, 512, 3);
      put(sgl, 11, key, 4);
      put(sgl, 15, invalidate, 1);
      add(b, sgl);
    }
    t.w.command(b);
    t.write(memory + 4096 * 0xa, 0xa, 512, 512);
    t.write(memory + 4096 * 0xb, 0xb, 512, 512);
    t.answer_and_invalidate(1, wrong ? 0xa : 0xb);
    CHECK(t.heard.lines == (wrong ? std::vector<std::string>{"controller rdma-invalidate"}
                                  : std::vector<std::string>{}));
  }
}
