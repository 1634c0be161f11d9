// SPDX-License-Identifier: BSD-2-Clause
// Segments of two known streams in any order, cut, doubled, overlapping, lost: each direction is
// told in order and without a gap that is not named, and every byte is the one that was sent there.
// Steps of five bytes: what (bit 0 direction, bit 1 acknowledges, bit 2 SYN), where relative to
// what was sent last (two bytes, signed), length, captured.
#include <array>
#include <vector>

#include "fuzz/input.hpp"
#include "trace/stream/tcp_flow.hpp"

using namespace nvmf;
using fuzz::require;

namespace {

std::byte sent(unsigned from, std::uint32_t sequence) {
  return static_cast<std::byte>((sequence * 2654435761u) >> 24 ^ (from * 0x55));
}

class checker final : public trace::stream_sink {
 public:
  void on_bytes(unsigned from, trace::byte_span bytes, const trace::stamp&) override {
    require(known_[from] && !bytes.empty());
    for (const std::byte b : bytes) require(b == sent(from, next_[from]++));
  }
  void on_absent(unsigned from, std::uint64_t bytes, trace::absence, const trace::stamp&) override {
    require(known_[from] && bytes > 0);
    next_[from] += static_cast<std::uint32_t>(bytes);
  }
  void on_middle(unsigned from, const trace::stamp&) override {
    known_[from] = true;
    next_[from] = expected;
  }
  void begin(unsigned from, std::uint32_t sequence) {
    if (known_[from]) return;
    known_[from] = true;
    next_[from] = sequence;
  }
  std::uint32_t expected = 0;  // where the segment in hand begins

 private:
  std::array<bool, 2> known_{};
  std::array<std::uint32_t, 2> next_{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  checker out;
  trace::tcp_flow flow;
  trace::held_budget budget{.bytes = 4096};
  std::array<std::uint32_t, 2> at{0xffffff00, 0x7fffff00};
  for (std::uint64_t n = 1; !in.done() && n < 5000; ++n) {
    const std::uint8_t what = in.byte();
    const unsigned from = what & 1;
    const auto step = static_cast<std::int16_t>(in.number(2));
    const std::uint32_t length = in.byte();
    const std::uint32_t captured = std::min<std::uint32_t>(in.byte(), length);
    const std::uint32_t sequence = at[from] + static_cast<std::uint32_t>(step);
    trace::segment s;
    s.from = static_cast<std::uint8_t>(from);
    s.sequence = sequence;
    if ((what & 2) != 0) {
      s.flags |= trace::tcp_flag::ack;
      s.acknowledged = at[1 - from];
    }
    const bool syn = (what & 4) != 0;
    if (syn) s.flags |= trace::tcp_flag::syn;
    const std::uint32_t first = sequence + (syn ? 1 : 0);
    std::vector<std::byte> payload;
    for (std::uint32_t i = 0; i < captured; ++i) payload.push_back(sent(from, first + i));
    s.payload = payload;
    s.payload_bytes = length;
    if (flow.is_new(s)) continue;
    if (syn) out.begin(from, first);
    out.expected = first;
    flow.take(s, {static_cast<std::int64_t>(n), n}, budget, out);
    at[from] = first + length;
  }
  flow.finish(budget, out);
  require(budget.bytes == 4096);
  return 0;
}
