// SPDX-License-Identifier: BSD-2-Clause
// A lawful conversation over RDMA by hand, of which a test changes one thing.
#pragma once

#include "dialogue.hpp"
#include "unit/trace/rdma/fabric_tap.hpp"

namespace nvmf::test {

inline constexpr std::uint64_t memory = 0x10000;  // of the host
inline constexpr unsigned invalidate = 0x4f, plain_key = 0x40, offset = 0x01, list = 0x31;

inline octets with_sgl(octets sqe, unsigned identifier) {
  return changed(std::move(sqe), 39, identifier);
}
inline octets read_sqe(unsigned cid, std::uint32_t key, std::uint32_t length = 1024) {
  return keyed_sqe(0x02, cid, memory, key, length);
}
inline octets write_sqe(unsigned cid, std::uint32_t key, std::uint32_t length = 1024) {
  return keyed_sqe(0x01, cid, memory, key, length);
}
// An SGL data block of the capsule, and its data.
inline octets capsule_write(unsigned cid, std::uint32_t length, std::uint64_t begin = 0,
                            std::size_t room = 0) {
  octets b = keyed_sqe(0x01, cid, begin);
  put(b, 32, length, 4);
  put(b, 36, 0, 3);
  put(b, 39, offset, 1);
  return add(b, filled(room == 0 ? static_cast<std::size_t>(begin) + length : room, 3));
}
inline octets connect_sqe(unsigned cid, unsigned qid, unsigned sqsize = 31) {
  octets b = keyed_sqe(0x7f, cid, memory, 0xc0, 1024);
  put(b, 4, 1, 4);  // FCTYPE 01h
  put(b, 42, qid, 2);
  put(b, 44, sqsize, 2);
  return b;
}
inline octets connect_names(unsigned cntlid) {
  const octets all = lawful_connect(0, 1, cntlid);
  return {all.begin() + 72, all.end()};
}

// A queue over RDMA with SQHD counted.
struct talk {
  verdicts heard;
  trace::checker judge{heard};
  fabric_tap w{judge};
  unsigned sqhd = 0;

  void ready(const octets& request, const octets& reply) {
    w.host(request);
    w.controller(reply);
    w.host(cm_plain(0x14, 7, 8));
  }
  void write(std::uint64_t address, std::uint32_t key, std::uint32_t announced, std::size_t bytes,
             bool by_host = false) {
    octets b = reth(bth(0x0a, by_host ? w.controller_qp() : w.host_qp(), w.psn[by_host ? 0 : 1]++),
                    address, key, announced);
    w.show(by_host, with_icrc(add(b, filled(bytes, 1))));
  }
  std::uint32_t ask(std::uint64_t address, std::uint32_t key, std::uint32_t bytes) {
    const std::uint32_t psn = w.psn[1]++;
    w.controller(with_icrc(reth(bth(0x0c, w.host_qp(), psn), address, key, bytes)));
    return psn;
  }
  void give(std::uint32_t psn, const octets& data) {
    octets b = aeth(bth(0x10, w.controller_qp(), psn), 0);
    w.host(with_icrc(add(b, data)));
  }
  void fetch(std::uint64_t address, std::uint32_t key, std::uint32_t bytes) {
    give(ask(address, key, bytes), filled(bytes, 5));
  }
  octets entry(unsigned cid, unsigned status = 0, std::uint64_t dw0 = 0) {
    octets b = rdma_cqe(cid, status);
    sqhd = (sqhd + 1) % 32;
    put(b, 0, dw0, 4);
    put(b, 8, sqhd, 2);
    return b;
  }
  void answer(unsigned cid, unsigned status = 0, std::uint64_t dw0 = 0) {
    w.response(entry(cid, status, dw0));
  }
  void answer_and_invalidate(unsigned cid, std::uint32_t key) {
    octets b = bth(0x17, w.host_qp(), w.psn[1]++);
    be(b, key, 4);
    w.controller(with_icrc(add(b, entry(cid))));
  }
  // Connect with its data in host memory.
  void connect(const octets& sqe, unsigned cntlid) {
    w.command(sqe);
    give(ask(memory, 0xc0, 1024), connect_names(cntlid));
    answer(0, 0, 1);
  }
  void open(unsigned qid = 1) {
    ready(cm_request(7 + w.base, w.host_qp(), 5000, 4420, qid),
          cm_reply(8 + w.base, 7 + w.base, w.controller_qp(), 1000));
    connect(connect_sqe(0, qid), qid == 0 ? 0xffff : 1);
  }
  // Both directions go on: what waited for that is told.
  void go_on(unsigned cid = 900) {
    w.command(keyed_sqe(0x00, cid));
    answer(cid);
  }
};

}  // namespace nvmf::test
