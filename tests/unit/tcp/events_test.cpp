// SPDX-License-Identifier: BSD-2-Clause
// What the observer of a connection is told, in order and with its values.
#include "session_cases.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace nvmf::test::session_cases;

namespace {

// One word per event: its name and what matters of it.
class notes final : public observer {
 public:
  explicit notes(const executor* on = nullptr, event_set wanted = ~event_set{0})
      : on_(on), wanted_(wanted) {}
  event_set wanted_with_pdus() const noexcept override { return wanted_; }
  void on_event(const event& e) noexcept override {
    std::string line(event_name(e.type));
    if (e.has_cid) line += " cid=" + std::to_string(e.cid);
    if (!e.header.empty()) line += " h=" + std::to_string(e.header.size());
    if (e.a != 0) line += " a=" + std::to_string(e.a);
    if (e.b != 0) line += " b=" + std::to_string(e.b);
    std::size_t shown = 0;
    for (const segment& s : e.data) shown += s.size;
    if (shown != 0) line += " data=" + std::to_string(shown);
    if (e.error) line += " error";
    lines.push_back(line);
    qid = e.qid;
    if (on_ != nullptr) CHECK(e.at == on_->now());
  }
  std::vector<std::string> take() { return std::exchange(lines, {}); }
  std::vector<std::string> lines{};
  std::uint16_t qid = 0;

 private:
  const executor* on_;
  event_set wanted_;
};

using lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a host's read and write") {
  notes seen;
  octets place(4096), data = fill(10'000, 1);
  bench b(role::host, plain, {.watched_by = &seen});
  b.start();
  b.q.set_queue(3, 32, true);
  auto r = b.send(2, of(place), direction::receive, [](auto, auto) {});
  CHECK(seen.take() == lines{"command-out cid=0 h=64 a=4096", "pdu-out cid=0 h=72", "sent a=72"});
  CHECK(seen.qid == 3);
  b.feed(c2h(0, 0, fill(4096, 2), flag_last) + response(0));
  CHECK(seen.take() == lines{"received a=4144", "pdu-in cid=0 h=24 a=4096",
                             "pdu-in-data cid=0 h=24 a=4096 data=4096", "pdu-in cid=0 h=24",
                             "response-in cid=0 h=16", "data-callback cid=0 a=4096",
                             "receive-callback cid=0 h=16"});
  auto w = b.send(1, of(data), direction::send, [](auto, auto) {});
  b.feed(r2t(1, 9, 0, 10'000));
  CHECK(seen.take() ==
        lines{"command-out cid=1 h=64 a=10000", "pdu-out cid=1 h=72", "sent a=72", "received a=24",
              "pdu-in cid=1 h=24", "pdu-out cid=1 h=24 a=4096 data=4096",
              "pdu-out cid=1 h=24 a=4096 data=4096", "pdu-out cid=1 h=24 a=1808 data=1808",
              "sent a=10072", "data-callback cid=1 a=10000"});
}

TEST_CASE("who wants PDUs only is told of nothing else") {
  notes seen(nullptr, set_of(event_type::pdu_out, event_type::pdu_in_data));
  octets place(4096);
  bench b(role::host, plain, {.watched_by = &seen});
  b.start();
  b.q.set_queue(3, 32, true);
  auto r = b.send(2, of(place), direction::receive, [](auto, auto) {});
  b.feed(c2h(0, 0, fill(4096, 2), flag_last) + response(0));
  CHECK(seen.take() == lines{"pdu-out cid=0 h=72", "pdu-in-data cid=0 h=24 a=4096 data=4096"});
}

TEST_CASE("a controller's read, in-capsule write and violation") {
  notes seen;
  const octets data = fill(100, 1);
  bench b(role::controller, digests, {.watched_by = &seen});
  b.start();
  b.feed(command(1, 7, sgl::in_capsule, 100, data, dressed));
  CHECK(seen.take() == lines{"received a=180", "pdu-in cid=7 h=72 a=100",
                             "pdu-in-data cid=7 h=72 a=100 data=100", "command-in cid=7 h=64 a=100",
                             "receive-callback cid=7 h=64"});
  octets bad = command(1, 8, sgl::in_capsule, 100, data, dressed);
  bad.back() ^= std::byte{1};
  b.feed(bad);
  CHECK(seen.take().at(2) == "pdu-in-data cid=8 h=72 a=100 b=1 data=100");
  b.answer(7);
  CHECK(seen.take() == lines{"response-out cid=7 h=16", "pdu-out cid=7 h=24", "sent a=28"});
  b.feed(response(0, 0, 0, dressed));
  CHECK(seen.take() == lines{"received a=28", "violation h=24 a=1", "disconnected error",
                             "pdu-out h=24 a=24 data=24", "error-callback error", "sent a=48"});
}

TEST_CASE("a SUCCESS flag is told as such, and a TermReq as what it is") {
  notes seen;
  octets place(4);
  bench b(role::host, plain, {.watched_by = &seen});
  b.start();
  auto r = b.send(2, of(place), direction::receive, [](auto, auto) {});
  seen.take();
  b.feed(c2h(0, 0, fill(4, 2), flag_last | flag_success));
  CHECK(seen.take().at(3) == "response-in cid=0 h=16 a=1");
  b.feed(termreq(3, 1, 8, response(0)));
  CHECK(seen.take() ==
        lines{"received a=48", "pdu-in h=24 a=24", "disconnected error", "error-callback error"});
}

TEST_CASE("events carry the time of the executor") {
  octets place(4);
  notes* seen = nullptr;
  virtual_executor clock;
  notes timed(&clock);
  seen = &timed;
  tcp::emitter e(seen, &clock, 5);
  e.count(event_type::sent, 1);
  clock.advance(std::chrono::seconds(2));
  e.count(event_type::sent, 2);
  CHECK(seen->take() == lines{"sent a=1", "sent a=2"});
}
