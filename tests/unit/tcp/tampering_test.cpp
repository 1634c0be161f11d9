// SPDX-License-Identifier: BSD-2-Clause
// What leaves when somebody tampers with it, byte by byte, and what the books say afterwards.
#include <functional>

#include "session_cases.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace nvmf::test::session_cases;

namespace {

struct hand final : tamperer {
  std::function<void(outgoing&)> what;
  std::vector<outgoing> seen{};
  explicit hand(std::function<void(outgoing&)> does) : what(std::move(does)) {}
  void on_outgoing(outgoing& o) noexcept override {
    seen.push_back(o);
    what(o);
  }
};

// A controller that has been asked for 100 bytes under CID 7.
struct reading : bench {
  explicit reading(tcp::negotiated agreed, bool flow_control, hand& by)
      : bench(role::controller, agreed) {
    start();
    REQUIRE_FALSE(q.tamper(&by));
    q.set_queue(1, 32, flow_control);
    const bool d = agreed.header_digest;
    feed(command(2, 7, sgl::transport, 100, {}, d ? dressed : dress{}));
  }
  send_answer give() { return q.send_controller_data(received.at(0), 0, owned(data)); }
  void respond() { REQUIRE_FALSE(bench::answer(7)); }
  octets left() {
    drain();
    return take_out();
  }
  octets data = fill(100, 3);
};

}  // namespace

TEST_CASE("tamper: nothing is changed by one who only looks") {
  hand by([](outgoing&) {});
  reading b(digests, true, by);
  b.give();
  b.respond();
  CHECK(b.left() == c2h(7, 0, b.data, flag_last, dressed) + response(7, 0, 1, dressed));
  REQUIRE(by.seen.size() == 2);
  const outgoing& data = by.seen[0];
  CHECK(data.kind == outgoing_kind::controller_data);
  CHECK(data.cid == 7);
  CHECK(data.qid == 1);
  CHECK(data.length == 100);
  CHECK(data.last);
  CHECK_FALSE(data.success);
  CHECK(by.seen[1].kind == outgoing_kind::response);
}

TEST_CASE("tamper: a response that is dropped leaves the CID free, as if it had left") {
  hand by([](outgoing& o) { o.drop = o.kind == outgoing_kind::response; });
  reading b(plain, true, by);
  b.give();
  b.respond();
  CHECK(b.left() == c2h(7, 0, b.data, flag_last));
  b.received.clear();
  b.feed(command(2, 7, sgl::transport, 100));
  REQUIRE(b.received.size() == 1);
  CHECK(b.q.validate_command(b.received[0]).ok());
}

TEST_CASE("tamper: a response twice, and one beside a SUCCESS flag") {
  hand twice([](outgoing& o) { o.twice = o.kind == outgoing_kind::response; });
  reading b(digests, true, twice);
  b.give();
  b.respond();
  CHECK(b.left() == c2h(7, 0, b.data, flag_last, dressed) + response(7, 0, 1, dressed) +
                        response(7, 0, 1, dressed));

  hand beside([](outgoing& o) { o.respond = o.success; });
  reading s(plain, false, beside);
  CHECK(s.give().result == send_result::success_sent);
  CHECK(s.left() == c2h(7, 0, s.data, flag_last | flag_success) + response(7));
}

TEST_CASE("tamper: data twice is a copy that may leave after the original is gone") {
  hand by([](outgoing& o) { o.twice = o.kind == outgoing_kind::controller_data; });
  reading b(digests, true, by);
  released memory;
  b.q.send_controller_data(b.received.at(0), 0, memory.of(b.data));
  const octets one = c2h(7, 0, b.data, flag_last, dressed);
  CHECK(b.left() == one + one);
  CHECK(memory.times == 1);
}

TEST_CASE("tamper: another CID, in each PDU that has one") {
  hand by([](outgoing& o) { o.cid = 0x1234; });
  reading b(digests, true, by);
  b.give();
  b.respond();
  CHECK(b.left() == c2h(0x1234, 0, b.data, flag_last, dressed) + response(0x1234, 0, 1, dressed));
}

TEST_CASE("tamper: a length that is wrong has a right digest") {
  hand by([](outgoing& o) { o.length_off = 4; });
  reading b(digests, true, by);
  b.give();
  octets wanted = c2h(7, 0, b.data, flag_last, dressed);
  put(wanted, 4, wanted.size() + 4, 4);
  put(wanted, 24, slow_crc32c(part(wanted, 0, 24)), 4);
  CHECK(b.left() == wanted);
}

TEST_CASE("tamper: less data than there was, down to none") {
  for (const std::uint32_t keep : {60u, 0u}) {
    CAPTURE(keep);
    hand by([=](outgoing& o) {
      if (o.kind == outgoing_kind::controller_data) o.length = keep;
    });
    reading b(digests, true, by);
    b.give();
    b.respond();
    octets shorter = c2h(7, 0, part(b.data, 0, keep), flag_last, dressed);
    if (keep == 0) {  // PDO still points behind the digest, where nothing follows
      put(shorter, 3, 28, 1);
      put(shorter, 24, slow_crc32c(part(shorter, 0, 24)), 4);
    }
    CHECK(b.left() == shorter + response(7, 0, 1, dressed));
  }
}

TEST_CASE("tamper: SUCCESS where there is more to come, and none where it was due") {
  hand early([](outgoing& o) { o.success = o.last = true; });
  reading b(plain, true, early);
  CHECK(b.q.send_controller_data(b.received.at(0), 0, owned(part(b.data, 0, 40))).result ==
        send_result::more);
  CHECK(b.left() == c2h(7, 0, part(b.data, 0, 40), flag_last | flag_success));

  hand none([](outgoing& o) { o.success = false; });
  reading s(plain, false, none);
  CHECK(s.give().result == send_result::success_sent);
  CHECK(s.left() == c2h(7, 0, s.data, flag_last));
}

TEST_CASE("tamper: digests that are wrong or missing") {
  const octets good = [] {
    hand by([](outgoing&) {});
    reading b(digests, true, by);
    b.give();
    return b.left();
  }();
  REQUIRE(good.size() == 24 + 4 + 100 + 4);
  const auto with = [](digest_choice header, digest_choice data) {
    hand by([=](outgoing& o) {
      o.header_digest = header;
      o.data_digest = data;
    });
    reading b(digests, true, by);
    b.give();
    return b.left();
  };
  octets wrong = good;
  wrong[24] ^= std::byte{1};
  CHECK(with(digest_choice::wrong, digest_choice::right) == wrong);
  wrong = good;
  wrong[128] ^= std::byte{1};
  CHECK(with(digest_choice::right, digest_choice::wrong) == wrong);

  // Without the data digest: flag off, four bytes less, the header's digest right.
  octets missing = part(good, 0, 128);
  put(missing, 1, flag_last | 1, 1);
  put(missing, 4, 128, 4);
  put(missing, 24, slow_crc32c(part(missing, 0, 24)), 4);
  CHECK(with(digest_choice::right, digest_choice::missing) == missing);
  // Without the header digest its place is padding, since PDO stands.
  missing = good;
  put(missing, 1, flag_last | 2, 1);
  put(missing, 24, 0, 4);
  CHECK(with(digest_choice::missing, digest_choice::right) == missing);

  hand by([](outgoing& o) { o.header_digest = digest_choice::missing; });
  reading b(digests, true, by);
  b.respond();
  CHECK(b.left() == response(7, 0, 1));
}

TEST_CASE("tamper: any byte of the header, with the digest to match") {
  hand by([](outgoing& o) { o.header[10] = std::byte{0xab}; });
  reading b(digests, true, by);
  b.give();
  octets wanted = c2h(7, 0, b.data, flag_last, dressed);
  put(wanted, 10, 0xab, 1);
  put(wanted, 24, slow_crc32c(part(wanted, 0, 24)), 4);
  CHECK(b.left() == wanted);
}

TEST_CASE("tamper: a host's command and data") {
  octets data = fill(10'000, 1);
  hand by([](outgoing& o) {
    if (o.kind == outgoing_kind::command) o.cid = 99;
    if (o.kind == outgoing_kind::host_data && o.offset == 4096) o.drop = true;
  });
  bench b(role::host, plain);
  b.start();
  REQUIRE_FALSE(b.q.tamper(&by));
  std::size_t moved = 0;
  auto c = b.send(1, of(data), direction::send, [&](std::size_t n, auto) { moved = n; });
  CHECK(number(b.take_out(), 8 + 2, 2) == 99);
  b.feed(r2t(0, 5, 0, 10'000));
  CHECK(b.take_out() ==
        h2c(0, 5, 0, part(data, 0, 4096), 0) + h2c(0, 5, 8192, part(data, 8192, 1808), flag_last));
  b.drain();
  CHECK(moved == 10'000);  // the books say that all left
}

TEST_CASE("misbehave: a TermReq without a cause ends the qpair as one's own doing") {
  bench b(role::controller, plain);
  b.start();
  REQUIRE_FALSE(b.q.misbehave(misdeed::terminate, 3));
  b.drain();
  CHECK(b.take_out() == termreq(3, 3, 0, {}));
  CHECK(b.errors == 1);
  CHECK(b.error.code == errc::aborted);
  CHECK(b.machine->after() == tcp::session::aftermath::await_peer);
  CHECK(b.q.misbehave(misdeed::terminate) == errc::aborted);
}

TEST_CASE("misbehave: reset, half close, and ears that are closed") {
  bench b(role::controller, plain);
  b.start();
  CHECK(b.machine->wants_input());
  REQUIRE_FALSE(b.q.misbehave(misdeed::stop_reading));
  CHECK_FALSE(b.machine->wants_input());
  REQUIRE_FALSE(b.q.misbehave(misdeed::resume_reading));
  CHECK(b.machine->wants_input());
  REQUIRE_FALSE(b.q.misbehave(misdeed::half_close));
  CHECK(b.link->half_closes == 1);
  CHECK(b.errors == 0);
  REQUIRE_FALSE(b.q.misbehave(misdeed::reset));
  b.drain();
  CHECK(b.link->resets == 1);
  CHECK(b.errors == 1);
  CHECK(b.error.code == errc::reset);
}
