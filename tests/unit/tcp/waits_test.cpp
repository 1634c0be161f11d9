// SPDX-License-Identifier: BSD-2-Clause
// How long sockets are waited for, to the millisecond and without waiting: real sockets on a
// reactor whose clock stands still.
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "raw_peer.hpp"
#include "support/still_reactor.hpp"
#include "tcp/socket.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

transport_options limits() {
  transport_options o;
  o.connect_timeout = 3s;
  o.ic_timeout = 10s;
  o.linger = 700ms;
  return o;
}

// The other end: a socket that is looked at without waiting.
class watched_socket {
 public:
  explicit watched_socket(std::uint16_t port) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
  }
  explicit watched_socket(boost_tcp::acceptor& at) { at.accept(socket_); }
  void send(const octets& b) { asio::write(socket_, asio::buffer(b)); }
  void close() { socket_.close(); }
  // What has come since the last look.
  octets read() {
    octets got(65536);
    const ssize_t n = ::recv(socket_.native_handle(), got.data(), got.size(), MSG_DONTWAIT);
    over_ = n == 0 || (n < 0 && errno != EAGAIN);
    got.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return got;
  }
  // The stream has ended; to be asked when everything before has been read.
  bool over() {
    read();
    return over_;
  }
  // Nothing else is waited for with real time: the kernel may deliver a RST a moment later.
  bool was_reset(int wait_ms) {
    pollfd p{socket_.native_handle(), 0, 0};
    return ::poll(&p, 1, wait_ms) == 1 && (p.revents & POLLERR) != 0;
  }
  // Reads until it has `size` bytes, while `on` works.
  octets read(still_reactor& on, std::size_t size) {
    octets got;
    on.until([&] {
      const octets more = read();
      got.insert(got.end(), more.begin(), more.end());
      return got.size() >= size;
    });
    return got;
  }
  bool ends(still_reactor& on) {
    on.until([&] { return over(); });
    return true;
  }

 private:
  asio::io_context context_;
  boost_tcp::socket socket_{context_};
  bool over_ = false;
};

struct still_server {
  still_reactor on;
  std::shared_ptr<transport> tcp = make_tcp_transport();
  std::vector<qpair> accepted;
  std::unique_ptr<listener> door;
  explicit still_server(const transport_options& o) {
    auto opened = tcp->listen(
        on, {"127.0.0.1", 0}, {.side = role::controller, .options = o},
        [this]() -> executor& { return on; },
        [this](qpair q) { accepted.push_back(std::move(q)); });
    REQUIRE(opened.has_value());
    door = std::move(*opened);
  }
  std::uint16_t port() const { return door->where().port; }
};

// A connect that comes to nothing, and when.
struct still_connect {
  still_reactor on;
  std::shared_ptr<transport> tcp = make_tcp_transport();
  std::optional<connect_error> error;
  std::shared_ptr<connect_attempt> attempt;
  void start(const endpoint& to, const transport_options& o) {
    attempt = tcp->connect(on, to, {.options = o}, [this](auto r) {
      REQUIRE_FALSE(r.has_value());
      error = r.error();
    });
  }
  void ends_after(duration limit, connect_stage stage, std::string_view detail) {
    on.advance(limit - 1ms);
    CHECK_FALSE(error.has_value());
    on.advance(1ms);
    REQUIRE(error.has_value());
    CHECK(error->code == errc::timed_out);
    CHECK(error->stage == stage);
    CHECK(error->detail.find(detail) != std::string::npos);
    CHECK(on.timers() == 0);
  }
};

}  // namespace

TEST_CASE("a controller waits for ICReq as long as ic_timeout, whole or in part") {
  for (const std::size_t part : {0u, 7u, 127u}) {
    still_server s{limits()};
    watched_socket host(s.port());
    host.send(octets(good_icreq.begin(), good_icreq.begin() + static_cast<std::ptrdiff_t>(part)));
    s.on.until([&] { return s.on.timers() == 1; });
    s.on.advance(10s - 1ms);
    CHECK_FALSE(host.over());
    s.on.advance(1ms);
    CHECK(host.ends(s.on));
    CHECK(s.accepted.empty());
    CHECK(s.on.timers() == 0);
  }
}

TEST_CASE("a host waits for ICResp as long as ic_timeout") {
  asio::io_context own;
  boost_tcp::acceptor acceptor(own, {asio::ip::address_v4::loopback(), 0});
  still_connect c;
  c.start({"127.0.0.1", acceptor.local_endpoint().port()}, limits());
  c.on.settle();
  watched_socket controller(acceptor);
  CHECK(controller.read(c.on, 128) == good_icreq);
  c.ends_after(10s, connect_stage::exchange, "no answer to ICReq within 10 s");
  CHECK(controller.ends(c.on));
}

TEST_CASE("a host waits for TCP to connect as long as connect_timeout") {
  // A full backlog: the kernel drops what asks for more.
  asio::io_context own;
  boost_tcp::acceptor acceptor(own);
  acceptor.open(boost_tcp::v4());
  acceptor.bind({asio::ip::address_v4::loopback(), 0});
  acceptor.listen(0);
  const auto to = acceptor.local_endpoint();
  std::vector<boost_tcp::socket> crowd;
  for (int i = 0; i < 4; ++i) {
    crowd.emplace_back(own, boost_tcp::v4());
    crowd.back().native_non_blocking(true);
    ::connect(crowd.back().native_handle(), to.data(), static_cast<socklen_t>(to.size()));
  }
  still_connect c;
  c.start({"127.0.0.1", to.port()}, limits());
  c.on.settle();
  c.ends_after(3s, connect_stage::connect, "within 3 s");
}

TEST_CASE("a host waits for a name as long as connect_timeout") {
  // The answer of the resolver, whatever it is, stays unread until the time is over.
  still_connect c;
  c.start({"name.invalid", 4420}, limits());
  c.ends_after(3s, connect_stage::resolve, "\"name.invalid\" was not resolved within 3 s");
}

TEST_CASE("after our TermReq the peer has `linger` to close, to the millisecond") {
  for (const bool set_up : {false, true}) {
    still_server s{limits()};
    watched_socket host(s.port());
    const octets bad = hex("ff 00 18 00 18 00 00 00");
    host.send(set_up ? good_icreq : bad);
    if (set_up) {
      s.on.until([&] { return s.accepted.size() == 1; });
      s.accepted[0].start({.on_receive = [](capsule) {}, .on_error = [](const qpair_error&) {}});
      CHECK(host.read(s.on, 128).size() == 128);
      host.send(bad);
    }
    CHECK(host.read(s.on, 32) == termreq(3, 1, 0, bad));
    s.on.advance(700ms - 1ms);
    CHECK_FALSE(host.over());
    s.on.advance(1ms);
    CHECK(host.ends(s.on));
  }
}

TEST_CASE("after a clean close the peer has `linger` to close too") {
  still_server s{limits()};
  watched_socket host(s.port());
  host.send(good_icreq);
  s.on.until([&] { return s.accepted.size() == 1; });
  s.accepted[0].start({.on_receive = [](capsule) {}, .on_error = [](const qpair_error&) {}});
  CHECK(host.read(s.on, 128).size() == 128);
  s.accepted.clear();
  CHECK(host.ends(s.on));  // it is told at once
  s.on.advance(700ms - 1ms);
  host.send(hex("00"));  // and is still listened to
  s.on.settle();
  CHECK_FALSE(host.was_reset(0));
  s.on.advance(1ms);
  CHECK(host.was_reset(10'000));
}

TEST_CASE("the kernel is asked to look after peers that have gone without a word") {
  asio::io_context own;
  boost_tcp::acceptor acceptor(own, {asio::ip::address_v4::loopback(), 0});
  boost_tcp::socket one(own), other(own);
  one.connect(acceptor.local_endpoint());
  acceptor.accept(other);
  const int descriptor = one.native_handle();
  tcp::tcp_stream stream(std::move(one));
  REQUIRE_FALSE(stream.prepare());
  const auto option = [&](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    REQUIRE(::getsockopt(descriptor, level, name, &value, &size) == 0);
    return value;
  };
  CHECK(option(SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(option(IPPROTO_TCP, TCP_KEEPIDLE) == 30);
  CHECK(option(IPPROTO_TCP, TCP_KEEPINTVL) == 10);
  CHECK(option(IPPROTO_TCP, TCP_KEEPCNT) == 3);
}
