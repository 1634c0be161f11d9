// SPDX-License-Identifier: BSD-2-Clause
// Two real connections joined by a relay: what goes in at one end comes out at the other, and so
// do ends and resets.
#include "proxy/relay.hpp"

#include <doctest/doctest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <optional>

using namespace nvmf;
using namespace nvmf::cli::proxy;
using namespace std::chrono_literals;

namespace {

namespace asio = boost::asio;
using ip_tcp = asio::ip::tcp;
using octets = std::vector<std::byte>;

octets numbered(std::size_t size) {
  octets out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 7 + i / 251);
  return out;
}

struct tap final : relay_tap {
  octets seen[2];
  std::optional<relay_end> how;
  int overs = 0;
  octets kept;  // held back of what the target sends
  bool hold_back = false;
  octets out;
  const relay* of = nullptr;
  std::size_t most_waiting = 0;

  std::span<const std::byte> passed_on(unsigned from, std::span<std::byte> bytes) override {
    if (from != target_end || !hold_back) return bytes;
    kept.insert(kept.end(), bytes.begin(), bytes.end());
    return {};
  }
  std::span<const std::byte> rest(unsigned from) override {
    if (from != target_end) return {};
    out = std::exchange(kept, {});
    return out;
  }
  void on_bytes(unsigned from, std::span<const std::byte> bytes) override {
    CHECK(overs == 0);
    most_waiting = std::max(most_waiting, of->waiting(1 - from));
    seen[from].insert(seen[from].end(), bytes.begin(), bytes.end());
  }
  void on_end(unsigned from) override { ends.push_back(from); }
  void on_over(relay_end end, unsigned from) override {
    ++overs;
    how = end;
    who = from;
  }
  std::vector<unsigned> ends;
  std::optional<unsigned> who;
};

// Both ends of a connection.
std::pair<ip_tcp::socket, ip_tcp::socket> connected(reactor& on, int buffer = 0) {
  ip_tcp::acceptor at(on.context(), {asio::ip::address_v4::loopback(), 0});
  ip_tcp::socket one(on.context());
  one.open(ip_tcp::v4());
  if (buffer != 0) {
    one.set_option(asio::socket_base::receive_buffer_size(buffer));
    one.set_option(asio::socket_base::send_buffer_size(buffer));
  }
  one.connect(at.local_endpoint());
  return {std::move(one), at.accept()};
}

struct joined {
  explicit joined(int buffer = 0) {
    auto [a, b] = connected(on, buffer);
    auto [c, d] = connected(on, buffer);
    client = std::make_unique<ip_tcp::socket>(std::move(a));
    target = std::make_unique<ip_tcp::socket>(std::move(c));
    middle = std::make_shared<relay>(on, nvmf::tcp::tcp_stream{std::move(b)},
                                     nvmf::tcp::tcp_stream{std::move(d)}, watching);
    watching.of = middle.get();
    middle->start();
  }
  ~joined() { middle->stop(); }

  void until(const std::function<bool()>& there) {
    const auto limit = clock::now() + 20s;
    while (!there()) REQUIRE(on.run_one_until(limit));
  }
  // Reads all that comes, and the end.
  void collect(ip_tcp::socket& from, octets& into, std::optional<boost::system::error_code>& end) {
    auto place = std::make_shared<octets>(65536);
    from.async_read_some(asio::buffer(*place), [=, this, &from, &into, &end](auto error, auto n) {
      into.insert(into.end(), place->begin(), place->begin() + static_cast<std::ptrdiff_t>(n));
      if (error)
        end = error;
      else
        collect(from, into, end);
    });
  }

  reactor on;
  tap watching;
  std::unique_ptr<ip_tcp::socket> client, target;
  std::shared_ptr<relay> middle;
  octets at_client, at_target;
  std::optional<boost::system::error_code> client_end, target_end_seen;
};

void reset(ip_tcp::socket& s) {
  s.set_option(asio::socket_base::linger(true, 0));
  s.close();
}

}  // namespace

TEST_CASE("whatever bytes go both ways, and ends of one direction leave the other open") {
  joined j;
  const octets question = numbered(300'000), answer = numbered(700'001);
  j.collect(*j.target, j.at_target, j.target_end_seen);
  asio::async_write(*j.client, asio::buffer(question),
                    [&](auto, auto) { j.client->shutdown(ip_tcp::socket::shutdown_send); });
  j.until([&] { return j.target_end_seen.has_value(); });
  CHECK(*j.target_end_seen == asio::error::eof);
  CHECK(j.at_target == question);
  CHECK(j.watching.overs == 0);
  // Only now does the other end speak.
  j.collect(*j.client, j.at_client, j.client_end);
  asio::async_write(*j.target, asio::buffer(answer), [&](auto, auto) { j.target->close(); });
  j.until([&] { return j.client_end && j.watching.how; });
  CHECK(*j.client_end == asio::error::eof);
  CHECK(j.at_client == answer);
  CHECK(j.watching.how == relay_end::closed);
  CHECK(j.watching.seen[client_end] == question);
  CHECK(j.watching.seen[target_end] == answer);
  CHECK(j.watching.ends == std::vector<unsigned>{client_end, target_end});
  CHECK(j.watching.overs == 1);
}

TEST_CASE("a reset is passed on as a reset, after what was sent before it") {
  for (const bool by_client : {true, false}) {
    CAPTURE(by_client);
    joined j;
    ip_tcp::socket& goes = by_client ? *j.client : *j.target;
    ip_tcp::socket& stays = by_client ? *j.target : *j.client;
    octets got;
    std::optional<boost::system::error_code> end;
    j.collect(stays, got, end);
    const octets last = numbered(1000);
    asio::write(goes, asio::buffer(last));
    j.until([&] { return got == last; });
    reset(goes);
    j.until([&] { return end && j.watching.how; });
    CHECK(*end == asio::error::connection_reset);
    CHECK(j.watching.how == relay_end::reset);
    CHECK(j.watching.who == (by_client ? client_end : target_end));
    CHECK(j.watching.ends.empty());
    CHECK(j.watching.overs == 1);
  }
}

TEST_CASE("an end that went while it was written to: its last words are passed on, then a reset") {
  joined j;
  const octets last = numbered(144);
  // It will not read this: closing tells the sender by a reset.
  asio::write(*j.client, asio::buffer(numbered(10)));
  j.until([&] { return j.watching.seen[client_end].size() == 10; });
  asio::write(*j.target, asio::buffer(last));
  j.target->close();
  j.collect(*j.client, j.at_client, j.client_end);
  j.until([&] { return j.client_end && j.watching.how; });
  CHECK(*j.client_end == asio::error::connection_reset);
  CHECK(j.at_client == last);
  CHECK(j.watching.how == relay_end::reset);
}

TEST_CASE("a slow reader pushes back: the relay reads no more than a chunk ahead of it") {
  joined j(16 * 1024);
  const octets much = numbered(8 << 20);
  std::size_t sent = 0;
  bool all_sent = false;
  asio::async_write(*j.client, asio::buffer(much), [&](auto error, std::size_t n) {
    CHECK_FALSE(error);
    sent = n;
    all_sent = true;
  });
  // Nobody reads: everything comes to a halt.
  j.until([&] { return j.middle->waiting(target_end) > 0; });
  j.on.run_due();
  CHECK_FALSE(all_sent);
  j.collect(*j.target, j.at_target, j.target_end_seen);
  j.until([&] { return j.at_target.size() == much.size(); });
  CHECK(j.at_target == much);
  CHECK(all_sent);
  CHECK(sent == much.size());
  CHECK(j.watching.most_waiting > 0);
  CHECK(j.watching.most_waiting <= relay::chunk_bytes);
}

TEST_CASE("of an end that is not read because the other is slow, a reset is noticed all the same") {
  joined j(16 * 1024);
  const octets much = numbered(8 << 20);
  asio::async_write(*j.client, asio::buffer(much), [](auto, auto) {});
  j.until([&] { return j.middle->waiting(target_end) > 0; });
  j.on.run_due();
  CHECK(j.watching.overs == 0);
  reset(*j.client);
  j.until([&] { return j.watching.how.has_value(); });
  CHECK(j.watching.how == relay_end::reset);
  j.collect(*j.target, j.at_target, j.target_end_seen);
  j.until([&] { return j.target_end_seen.has_value(); });
  CHECK(*j.target_end_seen == asio::error::connection_reset);
}

TEST_CASE("the end of a stream waits for what is before it") {
  joined j(16 * 1024);
  const octets much = numbered(8 << 20);
  asio::async_write(*j.client, asio::buffer(much),
                    [&](auto, auto) { j.client->shutdown(ip_tcp::socket::shutdown_send); });
  j.until([&] { return j.middle->waiting(target_end) > 0; });
  j.collect(*j.target, j.at_target, j.target_end_seen);
  j.until([&] { return j.target_end_seen.has_value(); });
  CHECK(*j.target_end_seen == asio::error::eof);
  CHECK(j.at_target == much);
}

TEST_CASE("what a tap held back is passed on when its sender ends") {
  joined j;
  j.watching.hold_back = true;
  const octets words = numbered(77);
  j.collect(*j.client, j.at_client, j.client_end);
  asio::write(*j.target, asio::buffer(words));
  j.until([&] { return j.watching.kept == words; });
  CHECK(j.at_client.empty());
  j.target->shutdown(ip_tcp::socket::shutdown_send);
  j.until([&] { return j.client_end.has_value(); });
  CHECK(*j.client_end == asio::error::eof);
  CHECK(j.at_client == words);
  CHECK(j.watching.seen[target_end] == words);
}

TEST_CASE("a relay that is stopped closes both ends, and tells so once") {
  joined j;
  j.collect(*j.client, j.at_client, j.client_end);
  j.collect(*j.target, j.at_target, j.target_end_seen);
  j.middle->stop();
  CHECK(j.watching.how == relay_end::stopped);
  j.until([&] { return j.client_end && j.target_end_seen; });
  CHECK(*j.client_end == asio::error::eof);
  j.middle->stop();
  CHECK(j.watching.overs == 1);
}
