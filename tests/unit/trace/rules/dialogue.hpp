// SPDX-License-Identifier: BSD-2-Clause
// A lawful conversation by hand, of which a test changes one thing; and who hears what was broken.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "trace/rules/checker.hpp"
#include "unit/trace/journal.hpp"
#include "wire/crc32c.hpp"

namespace nvmf::test {

struct verdicts final : trace::violation_sink {
  std::vector<std::string> lines;  // "host h2c-range"
  std::vector<trace::violation> all;
  std::vector<std::string> suspended;
  void on_violation(const trace::connection&, const trace::violation& v) override {
    lines.push_back(fmt::format("{} {}", name_of(v.by), row_of(v.id).name));
    all.push_back(v);
  }
  void on_suspension(const trace::connection&, const trace::suspension& s) override {
    suspended.emplace_back(name_of(s.why));
  }
};

constexpr unsigned from_transport = 0x5a, from_capsule = 0x01;

// A command with its SGL (Base 4.1.2: address, length, identifier in the last byte).
inline octets sgl_command(unsigned opcode, unsigned cid, std::uint32_t length, unsigned identifier,
                          const octets& data = {}) {
  octets b = command_pdu(opcode, cid, data);
  put(b, 8 + 32, length, 4);
  put(b, 8 + 39, identifier, 1);
  return b;
}
inline octets read_command(unsigned cid, std::uint32_t length = 4096) {
  return sgl_command(0x02, cid, length, from_transport);
}
inline octets write_command(unsigned cid, std::uint32_t length = 4096) {
  return sgl_command(0x01, cid, length, from_transport);
}
inline octets small_write(unsigned cid, std::uint32_t length = 512) {
  return sgl_command(0x01, cid, length, from_capsule, filled(length, 3));
}
// `head`: bytes before the data. DDGST_FLAG and PLEN tell of it.
inline octets with_data_digest(octets pdu, std::size_t head, bool wrong = false) {
  const std::uint32_t crc = wire::crc32c(0, std::span{pdu}.subspan(head));
  put(pdu, 1, std::to_integer<unsigned>(pdu[1]) | 2u, 1);
  put(pdu, 4, pdu.size() + 4, 4);
  return le(pdu, crc ^ (wrong ? 1u : 0u), 4);
}
inline octets plain_command(unsigned opcode, unsigned cid) {
  return sgl_command(opcode, cid, 0, from_transport);
}
inline octets lawful_connect(unsigned cid, unsigned qid, unsigned cntlid = 0xffff) {
  octets b = connect_pdu(cid, qid, "nqn.2014-08.org.example:host", "nqn.2014-08.org.example:sub");
  put(b, 8 + 32, 1024, 4);
  put(b, 8 + 39, from_capsule, 1);
  if (qid != 0) put(b, 8 + 48, 0, 4);
  put(b, 72, 1, 1);  // HOSTID
  put(b, 72 + 16, cntlid, 2);
  return b;
}
inline octets property_get(unsigned cid, unsigned offset, unsigned size = 1) {
  octets b = plain_command(0x7f, cid);
  put(b, 8 + 4, 4, 4);  // FCTYPE 04h, NSID is none of its fields
  put(b, 8 + 40, size, 1);
  put(b, 8 + 44, offset, 4);
  put(b, 8 + 48, 0, 8);
  put(b, 8 + 56, 0, 4);
  return b;
}
inline octets property_set(unsigned cid, unsigned offset, std::uint64_t value) {
  octets b = property_get(cid, offset, 0);
  put(b, 8 + 4, 0, 4);
  put(b, 8 + 48, value, 8);
  return b;
}
inline octets with_head(octets response, unsigned sqhd) {
  put(response, 8 + 8, sqhd, 2);
  return response;
}

// A queue with SQHD counted, so that each step says only what is special about it.
class dialogue {
 public:
  verdicts heard;
  trace::checker judge{heard};
  wire_tap w{judge};
  unsigned sqhd = 0;
  unsigned size = 32;

  void host(octets b) { w.host(std::move(b)); }
  void controller(octets b) { w.controller(std::move(b)); }
  void answer(unsigned cid, unsigned status = 0, std::uint64_t dw0 = 0) {
    sqhd = (sqhd + 1) % size;
    controller(with_head(response_pdu(cid, status, dw0), sqhd));
  }
  void setup(const octets& request = icreq(), const octets& response = icresp()) {
    w.handshake();
    host(request);
    controller(response);
  }
  void open(unsigned qid = 1, const octets& request = icreq(), const octets& response = icresp()) {
    setup(request, response);
    host(lawful_connect(0, qid, qid == 0 ? 0xffff : 1));
    answer(0, 0, 1);
  }
  void open_with_data_digests() {
    setup(icreq(2), icresp(2));
    host(with_data_digest(lawful_connect(0, 1, 1), 72));
    answer(0, 0, 1);
  }
  void data(unsigned cid, std::uint32_t offset, std::size_t bytes, unsigned flags) {
    controller(data_pdu(0x07, flags, cid, 0, offset, filled(bytes, 1)));
  }
  // Both ends send their FIN, the host first or the controller.
  void part(bool host_first) {
    for (const bool to_controller : {host_first, !host_first}) {
      tcp_packet fin = w.blank(to_controller);
      fin.flags = 0x11;
      w.show(fin);
      ++w.sequence[to_controller];
    }
  }
  void r2t(unsigned cid, unsigned ttag, std::uint32_t offset, std::uint32_t length) {
    controller(r2t_pdu(cid, ttag, offset, length));
  }
  void send(unsigned cid, unsigned ttag, std::uint32_t offset, std::size_t bytes, unsigned flags) {
    host(data_pdu(0x06, flags, cid, ttag, offset, filled(bytes, 2)));
  }
  // CAP, CC.EN and Identify Controller on an Admin Queue that is open.
  void bring_up(unsigned mdts = 5, unsigned ioccsz = 4 + 32, unsigned aerl = 3,
                unsigned tbkas = 1) {
    host(property_get(1, 0));
    answer(1, 0, 127);  // MQES 127, MPSMIN 0
    host(property_set(2, 0x14, 0x460001));
    answer(2);
    identify(mdts, ioccsz, aerl, tbkas);
  }
  void identify(unsigned mdts, unsigned ioccsz, unsigned aerl, unsigned tbkas) {
    octets command = sgl_command(0x06, 3, 4096, from_transport);
    put(command, 8 + 40, 1, 4);
    host(command);
    octets d(4096);
    put(d, 77, mdts, 1);
    put(d, 96, tbkas << 6, 4);
    put(d, 259, aerl, 1);
    put(d, 320, 10, 2);
    put(d, 1792, ioccsz, 4);
    put(d, 1796, 1, 4);
    controller(data_pdu(0x07, 4, 3, 0, 0, d));
    answer(3);
  }
  // The next packets are of another connection of the same host.
  void next_connection() {
    ++w.host_port;
    w.sequence[0] = w.sequence[1] = 9000;
    sqhd = 0;
  }
  void close() {
    for (const bool way : {true, false}) {
      tcp_packet fin = w.blank(way);
      fin.flags = 0x11;
      w.show(fin);
    }
  }
};

inline octets changed(octets b, std::size_t at, std::uint64_t value, unsigned size = 1) {
  put(b, at, value, size);
  return b;
}
inline octets termreq(bool host, unsigned fes, std::size_t plen = 32) {
  octets b = common_header(host ? 2 : 3, 0, 24, 0, plen);
  b.resize(plen);
  put(b, 8, fes, 2);
  return b;
}

}  // namespace nvmf::test
