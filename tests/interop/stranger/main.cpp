// SPDX-License-Identifier: BSD-2-Clause
// A stranger at either end of NVMe/RDMA, on librdmacm alone and with nothing of ours in it: bytes
// are made by hand from the specification (NVMe/RDMA 3.2 private data, Base 3.3.3 capsules). It
// says in one line each what became of it.
//
//   rdma_stranger request ADDRESS PORT HEX [READS]      asks for a queue with that private data
//   rdma_stranger host ADDRESS PORT short|long|flood|deaf|early
//   rdma_stranger controller ADDRESS PORT reject|accept HEX
//   rdma_stranger controller ADDRESS PORT gone|short|long|stranger-cid|invalidate|deaf|silent
//
// host: a queue of 32 entries, then: a capsule of 63 bytes, one of 64 KiB, twice as many commands
// as the queue has entries, a command without a receive for its response, eight commands before the
// message that the connection is established.
// controller: takes hosts until it is ended, and answers each first command so, or never; gone:
// lets go of each request without an answer.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "peer.hpp"

using namespace stranger;

namespace {

constexpr unsigned entries = 32;

bytes good_request() {
  bytes b(32);
  b[4] = entries;      // HRQSIZE
  b[6] = entries - 1;  // HSQSIZE, 0's based
  return b;
}
bytes good_accept() {
  bytes b(32);
  b[2] = entries;  // CRQSIZE
  return b;
}
// Property Get of CSTS: a command that any controller answers, though with an error before Connect.
bytes command(unsigned char cid, std::size_t size = 64) {
  bytes b(size);
  b[0] = 0x7f;
  b[1] = 0x40;
  b[2] = cid;
  b[4] = 0x04;
  b[39] = 0x40;  // SGL 1: keyed, of no bytes
  b[44] = 0x1c;
  return b;
}

int run_request(const char* address, const char* port, const bytes& data, int reads) {
  peer p(address, port);
  const outcome end = p.connect(data, reads);
  end.print();
  return 0;
}

int run_host(const char* address, const char* port, const char* what) {
  peer p(address, port);
  const bool early = std::strcmp(what, "early") == 0, deaf = std::strcmp(what, "deaf") == 0;
  p.receives = deaf ? 0 : 2 * entries;
  if (early) {
    if (!p.respond_by_hand(good_request())) return 1;
    for (unsigned char i = 0; i < 8; ++i) p.send(command(i));
    p.wait_sent(8);  // they are at the other end
    p.establish();
  } else if (const outcome end = p.connect(good_request(), 16); !end.established) {
    end.print();
    return 1;
  } else if (std::strcmp(what, "short") == 0) {
    p.send(bytes(63));
  } else if (std::strcmp(what, "long") == 0) {
    p.send(command(1, 65536));
  } else if (std::strcmp(what, "flood") == 0) {
    for (unsigned char i = 0; i < 2 * entries; ++i) p.send(command(i));
  } else if (deaf) {
    p.send(command(1));
  }
  p.tell_all(early ? 8 : 0);
  return 0;
}

int run_controller(const char* address, const char* port, const char* what, const bytes& data) {
  listening at(address, port);
  std::puts("listening");
  std::fflush(stdout);
  const auto is = [what](const char* name) { return std::strcmp(what, name) == 0; };
  while (true) {
    peer p = at.next();
    if (is("gone")) continue;
    if (is("reject")) {
      p.reject(data);
      continue;
    }
    p.receives = is("deaf") ? 0 : entries;
    const bytes terms = is("accept") ? data : good_accept();
    if (!p.accept(terms)) continue;
    bytes first;
    if (is("accept") || is("deaf") || is("silent") || !p.receive(first)) {
      p.tell_all(0);
      continue;
    }
    bytes answer(16);
    answer[12] = first[2];
    answer[13] = first[3];
    if (is("short")) answer.resize(15);
    if (is("long")) answer.resize(64);
    if (is("stranger-cid")) answer[13] = 0x77;
    if (is("invalidate"))
      p.send_invalidating(answer, 0x12345600);
    else
      p.send(answer);
    p.tell_all(0);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  const bool rejects = std::strcmp(argv[4], "reject") == 0 || std::strcmp(argv[4], "accept") == 0;
  if (std::strcmp(argv[1], "request") == 0)
    return run_request(argv[2], argv[3], from_hex(argv[4]), argc > 5 ? std::atoi(argv[5]) : 16);
  if (std::strcmp(argv[1], "host") == 0) return run_host(argv[2], argv[3], argv[4]);
  if (std::strcmp(argv[1], "controller") == 0 && (!rejects || argc > 5))
    return run_controller(argv[2], argv[3], argv[4], rejects ? from_hex(argv[5]) : bytes{});
  return 2;
}
