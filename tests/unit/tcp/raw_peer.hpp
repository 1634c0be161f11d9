// SPDX-License-Identifier: BSD-2-Clause
// Peers of which only the socket is real: raw bytes against our listener and our connector.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "loopback.hpp"
#include "script.hpp"

namespace nvmf::test {

namespace asio = boost::asio;
using boost_tcp = asio::ip::tcp;

// A peer that is only a socket: sends what it is told and keeps what it gets until the end.
class raw_peer {
 public:
  explicit raw_peer(loopback& net) : net_(net), socket_(net.on.context()) {}
  explicit raw_peer(loopback& net, boost_tcp::socket s) : net_(net), socket_(std::move(s)) {}

  void connect(std::uint16_t port) { socket_.connect({asio::ip::address_v4::loopback(), port}); }
  void send(const octets& b) { asio::write(socket_, asio::buffer(b)); }
  // To a side that may have closed.
  void offer(const octets& b) {
    boost::system::error_code ignored;
    asio::write(socket_, asio::buffer(b), ignored);
  }
  // Reads until the other side closes, then stops the reactor.
  void collect(std::function<void()> then = {}) {
    socket_.async_read_some(asio::buffer(place_), [this, then](auto error, std::size_t n) {
      got.insert(got.end(), place_.begin(), place_.begin() + static_cast<std::ptrdiff_t>(n));
      if (!error) {
        if (on_bytes) on_bytes();
        return collect(then);
      }
      ended = error;
      if (then) return then();
      net_.stop();
    });
  }
  void close() { socket_.close(); }
  void reset() {
    socket_.set_option(asio::socket_base::linger(true, 0));
    socket_.close();
  }
  std::string local() const {
    return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
  }
  void shutdown_send() { socket_.shutdown(boost_tcp::socket::shutdown_send); }

  octets got{};
  boost::system::error_code ended{};
  std::function<void()> on_bytes{};

 private:
  loopback& net_;
  boost_tcp::socket socket_;
  std::array<std::byte, 65536> place_{};
};

inline const octets good_icreq = hex("00 00 80 00 80 00 00 00  00 00 00 00 00 00 00 00  112*00");
inline octets good_icresp(std::uint64_t maxh2c = 131'072) {
  return hex("01 00 80 00 80 00 00 00  00 00 00 00") + le(maxh2c, 4) + hex("112*00");
}

// A listener whose qpairs are kept.
struct server : loopback {
  explicit server(transport_options o = {}) {
    auto opened = tcp->listen(
        on, {"127.0.0.1", 0}, {.side = role::controller, .options = std::move(o)},
        [this]() -> executor& { return on; },
        [this](qpair q) {
          accepted.push_back(std::move(q));
          if (on_accept) on_accept(accepted.back());
        });
    REQUIRE(opened.has_value());
    door = std::move(*opened);
  }
  std::uint16_t port() const { return door->where().port; }
  std::vector<qpair> accepted{};
  std::function<void(qpair&)> on_accept{};
};

// A listening socket that is no controller, and a connect to it.
struct false_controller : loopback {
  false_controller() : acceptor(on.context(), {asio::ip::address_v4::loopback(), 0}) {
    acceptor.async_accept([this](auto error, boost_tcp::socket s) {
      REQUIRE_FALSE(error);
      peer.emplace(*this, std::move(s));
      script(*peer);
    });
  }
  void connect(transport_options o = {}) {
    attempt = tcp->connect(on, {"127.0.0.1", acceptor.local_endpoint().port()},
                           {.options = std::move(o)}, [this](auto r) {
                             ++calls;
                             result.emplace(std::move(r));
                             stop();
                           });
    CHECK(calls == 0);
    run();
    CHECK(calls == 1);
  }
  const connect_error& error() {
    REQUIRE(result.has_value());
    REQUIRE_FALSE(result->has_value());
    CHECK_FALSE(result->error().detail.empty());
    return result->error();
  }
  asio::ip::tcp::acceptor acceptor;
  std::optional<raw_peer> peer{};
  std::function<void(raw_peer&)> script = [](raw_peer&) {};
  std::shared_ptr<connect_attempt> attempt{};
  std::optional<std::expected<connected, connect_error>> result{};
  int calls = 0;
};

}  // namespace nvmf::test
