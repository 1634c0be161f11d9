// SPDX-License-Identifier: BSD-2-Clause
// Following a conversation and judging it takes no memory from the heap once the depth of its queue
// is known.
#include <doctest/doctest.h>

#include "counter.hpp"
#include "unit/trace/rules/dialogue.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

// Frames of so many reads and writes, four outstanding at a time, made beforehand.
struct recorded {
  std::vector<octets> frames;
  std::uint32_t sequence[2] = {1000, 5000};
  unsigned sqhd = 0;

  void add(bool to_controller, octets payload) {
    tcp_packet p{.from = 40000, .to = 4420};
    if (!to_controller) {
      std::swap(p.source, p.destination);
      std::swap(p.from, p.to);
    }
    p.sequence = sequence[to_controller];
    p.acknowledged = sequence[!to_controller];
    p.payload = std::move(payload);
    sequence[to_controller] += static_cast<std::uint32_t>(p.payload.size());
    frames.push_back(frame_of(p));
  }
  void answer(unsigned cid) {
    sqhd = (sqhd + 1) % 32;
    add(false, with_head(response_pdu(cid), sqhd));
  }
  void round(unsigned number) {
    for (unsigned i = 0; i < 4; ++i) {
      const unsigned cid = (number * 4 + i) % 97 + 1;
      add(true, i % 2 == 0 ? read_command(cid) : write_command(cid));
    }
    for (unsigned i = 0; i < 4; ++i) {
      const unsigned cid = (number * 4 + i) % 97 + 1;
      if (i % 2 == 0) {
        add(false, data_pdu(0x07, 4, cid, 0, 0, filled(4096, 1)));
      } else {
        add(false, r2t_pdu(cid, i, 0, 4096));
        add(true, data_pdu(0x06, 4, cid, i, 0, filled(4096, 2)));
      }
      answer(cid);
    }
  }
};

}  // namespace

TEST_CASE("tracer and rules allocate nothing for commands once warm") {
  recorded r;
  r.add(true, icreq());
  r.add(false, icresp());
  r.add(true, lawful_connect(0, 1, 1));
  r.sqhd = 1;
  r.add(false, with_head(response_pdu(0, 0, 1), r.sqhd));
  for (unsigned i = 0; i < 64; ++i) r.round(i);
  const std::size_t warm = r.frames.size();
  for (unsigned i = 64; i < 1064; ++i) r.round(i);

  verdicts heard;
  trace::checker judge(heard);
  trace::tracer tracer({}, judge);
  std::uint64_t number = 0;
  const auto take = [&](const octets& frame) {
    ++number;
    tracer.take({.bytes = frame,
                 .wire_bytes = static_cast<std::uint32_t>(frame.size()),
                 .link = 1,
                 .at = {static_cast<std::int64_t>(number) * 1000, number}});
  };
  for (std::size_t i = 0; i < warm; ++i) take(r.frames[i]);
  const std::size_t before = allocations;
  for (std::size_t i = warm; i < r.frames.size(); ++i) take(r.frames[i]);
  CHECK(allocations - before == 0);
  CHECK(heard.lines == std::vector<std::string>{});
  CHECK(tracer.counts().connections == 1);
}
