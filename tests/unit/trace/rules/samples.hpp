// SPDX-License-Identifier: BSD-2-Clause
// Conversations that break a rule of setup, headers or commands, and their lawful neighbours.
#pragma once

#include "dialogue.hpp"

namespace nvmf::test {

using d = dialogue;

// `wrong` tells the two apart.
struct sample {
  const char* broken;  // "host h2c-range"
  void (*play)(d& t, bool wrong);
};

inline void write_begun(d& t, std::uint32_t length = 8192) {
  t.open();
  t.host(write_command(1, length));
}
inline void controller_known(d& t, unsigned mdts = 5, unsigned ioccsz = 36) {
  t.open(0);
  t.bring_up(mdts, ioccsz);
  t.next_connection();
}

inline const sample setup_samples[] = {
    {"host ic-first",
     [](d& t, bool wrong) {
       t.w.handshake();
       t.host(wrong ? lawful_connect(0, 1, 1) : icreq());
     }},
    {"host ic-once",
     [](d& t, bool wrong) {
       t.open();
       t.host(wrong ? icreq() : read_command(1));
     }},
    {"host ic-wait",
     [](d& t, bool wrong) {
       t.w.handshake();
       t.host(icreq());
       if (!wrong) t.controller(icresp());
       t.host(lawful_connect(0, 1, 1));
     }},
    {"host ic-version", [](d& t, bool wrong) { t.setup(changed(icreq(), 8, wrong ? 1 : 0)); }},
    {"controller ic-alignment",
     [](d& t, bool wrong) { t.setup(icreq(), changed(icresp(), 10, wrong ? 32 : 31)); }},
    {"controller ic-digests", [](d& t, bool wrong) { t.setup(icreq(wrong ? 1 : 3), icresp(3)); }},
    {"controller ic-maxh2cdata",
     [](d& t, bool wrong) { t.setup(icreq(), icresp(0, wrong ? 4098 : 4100)); }},
    {"host pdu-type",
     [](d& t, bool wrong) {
       t.open();
       t.host(changed(plain_command(0, 1), 0, wrong ? 8 : 4));
     }},
    {"host pdu-direction",
     [](d& t, bool wrong) {
       t.open();
       t.host(wrong ? response_pdu(1) : plain_command(0, 1));
     }},
    {"controller pdu-flags",
     [](d& t, bool wrong) {
       t.open();
       t.host(plain_command(0, 1));
       t.controller(changed(with_head(response_pdu(1), 2), 1, wrong ? 4 : 0));
     }},
    {"host pdu-hlen",
     [](d& t, bool wrong) {
       t.open();
       t.host(changed(plain_command(0, 1), 2, wrong ? 71 : 72));
     }},
    {"controller pdu-plen",
     [](d& t, bool wrong) {
       t.open();
       t.host(plain_command(0, 1));
       octets b = with_head(response_pdu(1), 2);
       if (wrong) put(b, 4, 28, 4), b.resize(28);
       t.controller(b);
     }},
    {"host pdu-plen",
     [](d& t, bool wrong) {
       t.open();
       t.host(changed(plain_command(0, 1), 4, wrong ? 7 : 72, 4));
     }},
    {"controller pdu-pdo",
     [](d& t, bool wrong) {
       t.open();
       t.host(plain_command(0, 1));
       t.controller(changed(with_head(response_pdu(1), 2), 3, wrong ? 24 : 0));
     }},
    {"controller pdu-alignment",
     [](d& t, bool wrong) {
       t.open(1, changed(icreq(), 10, wrong ? 3 : 1));  // 16 bytes, 8 bytes
       t.host(read_command(1));
       t.data(1, 0, 4096, 4);
     }},
    {"host pdu-reserved", [](d& t, bool wrong) { t.setup(changed(icreq(), 16, wrong ? 1 : 0)); }},
    {"controller header-digest-use",
     [](d& t, bool wrong) {
       t.open();
       t.host(plain_command(0, 1));
       octets b = with_head(response_pdu(1), 2);
       if (wrong) {
         put(b, 1, 1, 1);
         put(b, 4, 28, 4);
         le(b, wire::crc32c(0, b), 4);
       }
       t.controller(b);
     }},
    {"controller data-digest-use",
     [](d& t, bool wrong) {
       t.open();
       t.host(read_command(1));
       octets b = data_pdu(0x07, 4, 1, 0, 0, filled(4096, 1));
       if (wrong) {
         put(b, 1, 6, 1);
         put(b, 4, b.size() + 4, 4);
         le(b, wire::crc32c(0, std::span{b}.subspan(24)), 4);
       }
       t.controller(b);
     }},
    {"controller header-digest",
     [](d& t, bool wrong) {
       t.setup(icreq(1), icresp(1));
       octets b = common_header(0x05, 1, 24, 0, 28);
       b.resize(24);
       octets c = lawful_connect(0, 1, 1);
       put(c, 1, 1, 1);
       put(c, 3, 76, 1);
       put(c, 4, c.size() + 4, 4);
       octets digest;
       le(digest, wire::crc32c(0, std::span{c}.first(72)), 4);
       c.insert(c.begin() + 72, digest.begin(), digest.end());
       t.host(c);
       put(b, 8, 1, 2);
       put(b, 16, 1, 2);
       le(b, wire::crc32c(0, b) ^ (wrong ? 1u : 0u), 4);
       t.controller(b);
     }},
    {"controller data-digest",
     [](d& t, bool wrong) {
       t.open_with_data_digests();
       t.host(read_command(1, 512));
       t.controller(with_data_digest(data_pdu(0x07, 4, 1, 0, 0, filled(512, 1)), 24, wrong));
     }},
};

inline const sample command_samples[] = {
    {"host cid-in-use",
     [](d& t, bool wrong) {
       t.open();
       t.host(plain_command(0, 1));
       t.host(plain_command(0, wrong ? 1 : 2));
     }},
    {"host queue-depth",
     [](d& t, bool wrong) {
       t.open();
       for (unsigned i = 0; i < (wrong ? 32u : 31u); ++i) t.host(plain_command(0, 100 + i));
     }},
    {"host sgl-form",
     [](d& t, bool wrong) {
       t.open();
       t.host(sgl_command(0x02, 1, 4096, wrong ? 0x40 : from_transport));
     }},
    {"host capsule-sgl",
     [](d& t, bool wrong) {
       t.open();
       t.host(sgl_command(0x01, 1, wrong ? 1024 : 512, from_capsule, filled(512, 1)));
     }},
    {"host capsule-limit",
     [](d& t, bool wrong) {
       controller_known(t);
       t.open();
       t.host(small_write(1, wrong ? 516 : 512));
     }},
    {"host mdts",
     [](d& t, bool wrong) {
       controller_known(t);
       t.open();
       t.host(read_command(1, wrong ? 131072 + 4 : 131072));
     }},
    {"host aer-limit",
     [](d& t, bool wrong) {
       t.open(0);
       t.bring_up();
       for (unsigned i = 0; i < (wrong ? 5u : 4u); ++i) t.host(plain_command(0x0c, 100 + i));
     }},
    {"host sgl-length",
     [](d& t, bool wrong) {
       t.open(0);
       octets b = sgl_command(0x06, 1, wrong ? 4095 : 4096, from_transport);
       t.host(changed(b, 8 + 40, 1));
     }},
    {"host sgl-length",
     [](d& t, bool wrong) {
       t.open(0);  // NUMD 1FFh, 0's based
       octets b = sgl_command(0x02, 1, wrong ? 2047 : 2048, from_transport);
       t.host(changed(b, 8 + 40, 0x01ff0001, 4));
     }},
    {"host sgl-length",
     [](d& t, bool wrong) {
       t.open();
       octets b = sgl_command(0x09, 1, 32, from_capsule, octets(32));
       t.host(changed(b, 8 + 40, wrong ? 2 : 1));
     }},
    {"controller cqe-phase",
     [](d& t, bool wrong) {
       t.open();
       t.host(plain_command(0, 1));
       t.controller(changed(with_head(response_pdu(1), 2), 8 + 14, wrong ? 1 : 0));
     }},
    {"controller cqe-status",
     [](d& t, bool wrong) {
       t.open();
       t.host(plain_command(0, 1));
       t.answer(1, wrong ? 0x07f : 0x7ff);
     }},
    {"host keep-alive",
     [](d& t, bool wrong) {
       t.open(0);
       t.bring_up();
       t.w.at += (wrong ? 16'000'000'000 : 14'000'000'000);
       t.host(plain_command(0x18, 9));
     }},
};

}  // namespace nvmf::test
