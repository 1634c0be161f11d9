// SPDX-License-Identifier: BSD-2-Clause
// Every shape of memory in every operation moves the same bytes and touches no others. Item 58.
#include "rig.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

// `size` bytes of a block in one of many descriptions, gaps between the pieces. The bytes that do
// not belong to it must stay.
class shaped {
 public:
  using cut = std::vector<std::size_t>;  // sizes of the pieces
  shaped(std::size_t size, const cut& pieces, std::size_t window_at, bool list) {
    const std::size_t whole = size + window_at + 13;
    std::size_t left = whole, at = 7;
    for (std::size_t i = 0; left > 0; ++i) {
      const std::size_t n = std::min(left, pieces.empty() ? left : pieces[i % pieces.size()]);
      layout_.push_back({at, n});
      at += n + 5;
      left -= n;
    }
    block_.assign(at + 7, untouched);
    for (const auto& [from, n] : layout_) list_.push_back({block_.data() + from, n});
    const memdesc all = list ? memdesc::of_list(list_)
                             : memdesc::of(std::span{block_}.subspan(layout_[0].first, whole));
    mem_ = all.window(window_at, size);
  }
  const memdesc& mem() const { return mem_; }
  std::vector<std::byte> bytes() const {
    std::vector<std::byte> v(mem_.size());
    mem_.copy_out(0, v);
    return v;
  }
  void fill(std::span<const std::byte> with) { mem_.copy_in(0, with); }
  // No byte of the block outside of the described ones has changed.
  bool rest_intact() {
    std::vector<std::byte> saved = bytes();
    fill(std::vector(saved.size(), untouched));
    const bool ok = std::ranges::all_of(block_, [](std::byte b) { return b == untouched; });
    fill(saved);
    return ok;
  }

 private:
  static constexpr std::byte untouched{0x99};
  std::vector<std::pair<std::size_t, std::size_t>> layout_;
  std::vector<std::byte> block_;
  std::vector<segment> list_;
  memdesc mem_;
};

struct shape {
  const char* name;
  shaped::cut pieces;
  std::size_t window_at;
  bool list;
};
const std::vector<shape>& shapes() {
  static const std::vector<shape> all = {
      {"one piece", {}, 0, false},
      {"window of one piece", {}, 11, false},
      {"list of one", {}, 0, true},
      {"list of pages", {4096}, 0, true},
      {"pages, from the middle of one", {4096}, 1000, true},
      {"odd pieces", {1, 2, 509, 3000}, 3, true},
      {"empty pieces between", {100, 0, 0, 700}, 0, true},
      {"empty pieces, windowed", {0, 512, 0}, 512, true},
      {"many small", {17}, 5, true},
  };
  return all;
}

}  // namespace

CONTRACT("memory of every shape: write in the capsule, write fetched, read") {
  for (const shape& from : shapes()) {
    for (const shape& to : shapes()) {
      // Each with each would be many; every shape meets four others.
      const auto apart = static_cast<std::size_t>(&to - &from + static_cast<long>(shapes().size()));
      if (apart % shapes().size() > 3) continue;
      CAPTURE(from.name);
      CAPTURE(to.name);
      rig r(p);
      for (const std::uint32_t n : {3000u, 20'011u}) {
        const auto content = pattern(n, n);
        shaped source(n, from.pieces, from.window_at, from.list);
        shaped target(n, to.pieces, to.window_at, to.list);
        source.fill(content);
        watch sent, got;
        capsule c = r.send(op_write, source.mem(), n, sent);
        capsule at = r.command();
        // In two parts, the second into a window of the window.
        watch rest;
        REQUIRE_FALSE(r.receive(at, 0, target.mem(), n / 3, got));
        REQUIRE_FALSE(r.receive(at, n / 3, target.mem().window(n / 3, n - n / 3), n - n / 3, rest));
        const bool seen = !r.unseen();
        REQUIRE(r.until([&] { return (sent.done() || !seen) && got.done() && rest.done(); }));
        CHECK(got.ended(n / 3, {}));
        CHECK(rest.ended(n - n / 3, {}));
        CHECK(target.bytes() == content);
        CHECK(target.rest_intact());
        CHECK(source.bytes() == content);
        CHECK(source.rest_intact());
        r.respond(at.cid());
        r.response();
        REQUIRE(r.until([&] { return sent.done(); }));
        CHECK(sent.ended(n, {}));
      }
      constexpr std::uint32_t n = 20'011;
      const auto content = pattern(n, 77);
      shaped target(n, to.pieces, to.window_at, to.list);
      watch data;
      capsule c = r.send(op_read, target.mem(), n, data);
      capsule at = r.command();
      CHECK(r.give(at, 0, std::span{content}.first(n / 3)).result == send_result::more);
      CHECK(r.give(at, n / 3, std::span{content}.subspan(n / 3)).result == send_result::success);
      r.respond(at.cid());
      r.response();
      REQUIRE(r.until([&] { return data.done(); }));
      CHECK(data.ended(n, {}));
      CHECK(target.bytes() == content);
      CHECK(target.rest_intact());
    }
  }
}

CONTRACT("only a part of the memory may be meant") {
  rig r(p);
  guarded memory(10'000);
  watch data;
  capsule c = r.send(op_read, memory.mem(), 6000, data);
  capsule at = r.command();
  CHECK(r.controller.queue.data_length(at) == 6000);
  const auto content = pattern(6000);
  CHECK(r.give(at, 0, content).result == send_result::success);
  r.respond(at.cid());
  r.response();
  REQUIRE(r.until([&] { return data.done(); }));
  CHECK(data.ended(6000, {}));
  CHECK(memory.holds(content));
  CHECK(std::ranges::all_of(memory.bytes().subspan(6000),
                            [&](std::byte b) { return b == memory.bytes()[6000]; }));
  CHECK(memory.zones_intact());
}

TEST_CASE("loop: data is released on the controller's executor, though the controller is gone") {
  for (const std::uint32_t chunk : {0u, 500u}) {
    const profile p = loop_profile("loop", {.data_chunk = chunk}, true);
    rig r(p);
    const auto content = pattern(1000);
    guarded memory(1000);
    watch data;
    int released = 0;
    const auto release = [](void* count, std::span<const std::byte>) noexcept {
      ++*static_cast<int*>(count);
    };
    capsule c = r.send(op_read, memory.mem(), 1000, data);
    r.controller.queue.send_controller_data(r.command(), 0, buffer(content, release, &released),
                                            true);
    r.controller.queue.close();
    r.host.queue.close();  // what has not arrived goes back from here, on the host's executor
    CHECK(released == 0);
    r.spin();
    CHECK(released == 1);
    CHECK(data.ended(0, errc::aborted));
  }
}
