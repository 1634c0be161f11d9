// SPDX-License-Identifier: BSD-2-Clause
// Each rule: a conversation that breaks it and nothing else, and its neighbour that is lawful.
#include <doctest/doctest.h>

#include <set>

#include "samples.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

const sample send_samples[] = {
    {"controller r2t-command",
     [](d& t, bool wrong) {
       write_begun(t);
       t.r2t(wrong ? 9 : 1, 1, 0, 4096);
     }},
    {"controller r2t-direction",
     [](d& t, bool wrong) {
       t.open();
       t.host(wrong ? read_command(1) : write_command(1));
       t.r2t(1, 1, 0, 4096);
     }},
    {"controller r2t-length",
     [](d& t, bool wrong) {
       write_begun(t);
       t.r2t(1, 1, 0, wrong ? 0 : 4);
     }},
    {"controller r2t-range",
     [](d& t, bool wrong) {
       write_begun(t, 8192);
       t.r2t(1, 1, 0, wrong ? 8196 : 8192);
     }},
    {"controller r2t-overlap",
     [](d& t, bool wrong) {
       write_begun(t, 8192);
       t.r2t(1, 1, 0, 4096);
       t.send(1, 1, 0, 4096, 4);
       t.r2t(1, 1, wrong ? 4092 : 4096, 4096);
     }},
    {"controller r2t-order",
     [](d& t, bool wrong) {
       write_begun(t, 8192);
       t.r2t(1, 1, wrong ? 4096 : 0, 4096);
     }},
    {"controller r2t-limit",
     [](d& t, bool wrong) {
       t.open(1, changed(icreq(), 12, wrong ? 0 : 1, 4));
       t.host(write_command(1, 8192));
       t.r2t(1, 1, 0, 4096);
       t.r2t(1, 2, 4096, 4096);
     }},
    {"controller r2t-tag",
     [](d& t, bool wrong) {
       write_begun(t);
       t.host(write_command(2));
       t.r2t(1, 1, 0, 4096);
       t.r2t(2, wrong ? 1 : 2, 0, 4096);
     }},
    {"host h2c-r2t",
     [](d& t, bool wrong) {
       write_begun(t);
       t.r2t(1, 1, 0, 4096);
       t.send(1, wrong ? 2 : 1, 0, 4096, 4);
     }},
    {"host h2c-range",
     [](d& t, bool wrong) {
       write_begun(t);
       t.r2t(1, 1, 0, 4096);
       t.send(1, 1, 0, wrong ? 4100 : 4096, 4);
     }},
    {"host h2c-order",
     [](d& t, bool wrong) {
       write_begun(t);
       t.r2t(1, 1, 0, 8192);
       t.send(1, 1, 0, 4096, 0);
       t.send(1, 1, wrong ? 2048 : 4096, wrong ? 6144 : 4096, 4);
     }},
    {"host h2c-limit",
     [](d& t, bool wrong) {
       t.open(1, icreq(), icresp(0, 4096));
       t.host(write_command(1, 8192));
       t.r2t(1, 1, 0, 8192);
       t.send(1, 1, 0, wrong ? 4100 : 4096, 0);
     }},
    {"host h2c-last",
     [](d& t, bool wrong) {
       write_begun(t);
       t.r2t(1, 1, 0, 8192);
       t.send(1, 1, 0, 4096, wrong ? 4 : 0);
     }},
    {"host data-length",
     [](d& t, bool wrong) {
       write_begun(t);
       t.r2t(1, 1, 0, 8192);
       octets b = data_pdu(0x06, 0, 1, 1, 0, filled(4096, 2));
       t.host(changed(b, 16, wrong ? 4092 : 4096, 4));
     }},
};

const sample receive_samples[] = {
    {"controller c2h-command",
     [](d& t, bool wrong) {
       t.open();
       t.host(read_command(1));
       t.data(wrong ? 2 : 1, 0, 4096, 4);
     }},
    {"controller c2h-direction",
     [](d& t, bool wrong) {
       t.open();
       t.host(wrong ? write_command(1) : read_command(1));
       t.data(1, 0, 4096, 4);
     }},
    {"controller c2h-range",
     [](d& t, bool wrong) {
       t.open();
       t.host(read_command(1));
       t.data(1, 0, wrong ? 4100 : 4096, 4);
     }},
    {"controller c2h-order",
     [](d& t, bool wrong) {
       t.open();
       t.host(read_command(1));
       t.data(1, 0, 2048, 0);
       t.data(1, wrong ? 1024 : 2048, 2048, 4);
     }},
    {"controller c2h-last",
     [](d& t, bool wrong) {
       t.open();
       t.host(read_command(1));
       t.data(1, 0, 4096, wrong ? 0 : 4);
       t.answer(1);
     }},
    {"controller c2h-last",
     [](d& t, bool wrong) {
       t.open();
       t.host(read_command(1));
       t.data(1, 0, 2048, wrong ? 4 : 0);
       t.data(1, 2048, 2048, 4);
     }},
    {"controller success-last",
     [](d& t, bool wrong) {
       t.setup();
       t.host(changed(lawful_connect(0, 1, 1), 8 + 46, 4));
       t.controller(with_head(response_pdu(0, 0, 1), 0xffff));
       t.host(read_command(1));
       t.data(1, 0, 4096, wrong ? 8 : 12);
     }},
    {"controller success-flow-control",
     [](d& t, bool wrong) {
       t.setup();
       t.host(changed(lawful_connect(0, 1, 1), 8 + 46, 4));
       t.controller(with_head(response_pdu(0, 0, 1), wrong ? 1 : 0xffff));
       t.host(read_command(1));
       t.data(1, 0, 4096, 12);
     }},
    {"controller read-short",
     [](d& t, bool wrong) {
       t.open();
       t.host(read_command(1));
       t.data(1, 0, wrong ? 2048 : 4096, 4);
       t.answer(1);
     }},
    {"controller response-command",
     [](d& t, bool wrong) {
       t.open();
       t.host(plain_command(0, 1));
       t.answer(wrong ? 2 : 1);
     }},
    {"controller response-twice",
     [](d& t, bool wrong) {
       t.open();
       t.host(plain_command(0, 1));
       t.host(plain_command(0, 2));
       t.answer(1);
       t.answer(wrong ? 1 : 2);
     }},
    {"controller response-after-success",
     [](d& t, bool wrong) {
       t.setup();
       t.host(changed(lawful_connect(0, 1, 1), 8 + 46, 4));
       t.controller(with_head(response_pdu(0, 0, 1), 0xffff));
       t.host(read_command(1));
       t.data(1, 0, 4096, wrong ? 12 : 4);
       t.answer(1);
     }},
    {"controller response-before-data",
     [](d& t, bool wrong) {
       write_begun(t, 4096);
       t.r2t(1, 1, 0, 4096);
       if (!wrong) t.send(1, 1, 0, 4096, 4);
       t.answer(1);
     }},
    {"controller sqhd",
     [](d& t, bool wrong) {
       t.open();
       t.host(plain_command(0, 1));
       t.controller(with_head(response_pdu(1), wrong ? 5 : 2));
     }},
};

octets connect_with(std::size_t at, std::uint64_t value, unsigned size, unsigned qid = 1) {
  return changed(lawful_connect(0, qid, qid == 0 ? 0xffff : 1), at, value, size);
}
template <std::size_t At, std::uint64_t Bad, std::uint64_t Good, unsigned Size, unsigned Qid = 1>
void connect_sample(d& t, bool wrong) {
  t.setup();
  t.host(connect_with(At, wrong ? Bad : Good, Size, Qid));
}

const sample connect_samples[] = {
    {"host connect-first",
     [](d& t, bool wrong) {
       t.setup();
       t.host(lawful_connect(0, 1, 1));
       t.answer(0, wrong ? 0x182 : 0, 1);
       t.host(plain_command(0, 1));
     }},
    {"host connect-once",
     [](d& t, bool wrong) {
       t.open();
       t.host(wrong ? lawful_connect(1, 1, 1) : plain_command(0, 1));
     }},
    {"host connect-format", connect_sample<8 + 40, 1, 0, 2>},
    {"host connect-cntlid", connect_sample<72 + 16, 0xffff, 1, 2>},
    {"host connect-cntlid", connect_sample<72 + 16, 0xfff5, 0xfffe, 2, 0>},
    {"host connect-sqsize", connect_sample<8 + 44, 0, 1, 2>},
    {"host connect-sqsize",
     [](d& t, bool wrong) {
       controller_known(t);
       t.setup();
       t.host(connect_with(8 + 44, wrong ? 128 : 127, 2));
     }},
    {"host connect-kato", connect_sample<8 + 48, 1000, 0, 4>},
    {"host connect-names", connect_sample<72 + 512, 0, 'n', 1>},
    {"host connect-host-id", connect_sample<72, 0, 7, 1>},
    {"host connect-data",
     [](d& t, bool wrong) {
       t.setup();
       octets b = lawful_connect(0, 1, 1);
       if (wrong) {
         b.resize(72 + 512);
         put(b, 4, b.size(), 4);
         put(b, 8 + 32, 512, 4);
       }
       t.host(b);
     }},
    {"host connect-same-host",
     [](d& t, bool wrong) {
       controller_known(t);
       t.setup();
       t.host(connect_with(72, wrong ? 2 : 1, 1));
     }},
    {"controller connect-granted",
     [](d& t, bool wrong) {
       t.setup();
       t.host(lawful_connect(0, 0));
       t.answer(0, 0, wrong ? 0xfff0 : 0xffef);
     }},
    {"controller connect-flow-control",
     [](d& t, bool wrong) {
       t.setup();
       t.host(changed(lawful_connect(0, 1, 1), 8 + 46, wrong ? 0 : 4));
       t.controller(with_head(response_pdu(0, 0, 1), 0xffff));
     }},
    {"host io-before-enable",
     [](d& t, bool wrong) {
       t.open(0);
       if (!wrong) t.bring_up();
       t.next_connection();
       t.setup();
       t.host(lawful_connect(0, 1, 1));
     }},
    {"host property-queue",
     [](d& t, bool wrong) {
       t.open(wrong ? 1 : 0);
       t.host(property_get(1, 0));
     }},
    {"host disconnect-queue",
     [](d& t, bool wrong) {
       t.open(wrong ? 0 : 1);
       octets b = property_get(1, 0);
       t.host(changed(b, 8 + 4, 8, 1));
     }},
    {"host termreq-form",
     [](d& t, bool wrong) {
       t.open();
       t.host(read_command(1));
       t.data(9, 0, 4096, 4);  // a reason
       t.heard.lines.clear();
       t.host(termreq(true, 1, wrong ? 156 : 152));
     }},
    {"host termreq-fes",
     [](d& t, bool wrong) {
       t.open();
       t.data(9, 0, 4096, 4);
       t.heard.lines.clear();
       t.host(termreq(true, wrong ? 9 : 2));
     }},
    {"controller termreq-cause",
     [](d& t, bool wrong) {
       t.open();
       if (!wrong) t.send(9, 1, 0, 512, 4);
       t.heard.lines.clear();
       t.controller(termreq(false, 2));
     }},
    {"controller termreq-fit",
     [](d& t, bool wrong) {
       t.open();
       t.send(9, 1, 0, 512, 4);
       t.heard.lines.clear();
       t.controller(termreq(false, wrong ? 3 : 1));
     }},
    {"controller termreq-missing",
     [](d& t, bool wrong) {
       t.open();
       t.send(9, 1, 0, 512, 4);
       t.heard.lines.clear();
       if (!wrong) t.controller(termreq(false, 2));
       t.part(false);
     }},
    {"host termreq-missing",
     [](d& t, bool wrong) {
       t.open();
       t.data(9, 0, 4096, 4);
       t.heard.lines.clear();
       t.part(wrong);  // who broke it may leave as it likes
     }},
    {"controller data-digest-end",
     [](d& t, bool wrong) {
       t.open_with_data_digests();
       t.host(with_data_digest(small_write(1), 72, true));
       t.heard.lines.clear();
       if (!wrong) t.answer(1, 0x22);
       t.part(false);
     }},
    {"host termreq-last",
     [](d& t, bool wrong) {
       t.open();
       t.data(9, 0, 4096, 4);
       t.host(termreq(true, 2));
       t.heard.lines.clear();
       if (wrong) t.host(plain_command(0, 1));
     }},
};

template <std::size_t N>
void play(const sample (&samples)[N], std::set<std::string>& seen) {
  for (const sample& s : samples) {
    CAPTURE(s.broken);
    d wrong, right;
    s.play(wrong, true);
    CHECK(wrong.heard.lines == std::vector<std::string>{s.broken});
    s.play(right, false);
    CHECK(right.heard.lines == std::vector<std::string>{});
    seen.insert(std::string(s.broken).substr(std::string_view(s.broken).find(' ') + 1));
  }
}

}  // namespace

TEST_CASE("every rule: its breach is told, and nothing else; its lawful neighbour is quiet") {
  std::set<std::string> seen;
  play(setup_samples, seen);
  play(command_samples, seen);
  play(send_samples, seen);
  play(receive_samples, seen);
  play(connect_samples, seen);
  for (const trace::rule_row& r : trace::all_rules()) {
    CAPTURE(r.name);
    // Those of RDMA: rdma_rules_test.cpp.
    if (r.name.starts_with("rdma-") || r.name.starts_with("cm-")) continue;
    CHECK(seen.contains(std::string(r.name)));
  }
}
