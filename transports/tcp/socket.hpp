// SPDX-License-Identifier: BSD-2-Clause
// A connected TCP stream: non-blocking gathering reads and writes, and waiting for readiness. All
// bytes of a connection pass here, and only here, so this is where a layer between session and
// socket (TLS) has its place.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <nvmf/memdesc.hpp>
#include <span>
#include <string>
#include <system_error>
#include <utility>

namespace nvmf::tcp {

namespace asio = boost::asio;

// Pieces of one read or write; the kernel takes no more (IOV_MAX).
inline constexpr std::size_t max_pieces = 1024;

struct io_result {
  std::size_t bytes = 0;
  std::error_code error{};  // would_block() is not one
  bool blocked = false;     // nothing can be moved now
};

class tcp_stream {
 public:
  explicit tcp_stream(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}

  // bytes 0 without error and not blocked: the peer closed its side.
  io_result read(std::span<const segment> pieces);
  // What a read would bring, which leaves it where it is.
  io_result peek(std::span<std::byte> into);
  io_result write(std::span<const segment> pieces);

  // handler(boost::system::error_code); at most one of each kind at a time.
  template <class Handler>
  void wait_readable(Handler handler) {
    socket_.async_wait(asio::ip::tcp::socket::wait_read, std::move(handler));
  }
  template <class Handler>
  void wait_writable(Handler handler) {
    socket_.async_wait(asio::ip::tcp::socket::wait_write, std::move(handler));
  }

  // The peer's reset, for who does not read; it may also be told for less: has_error() knows.
  template <class Handler>
  void wait_trouble(Handler handler) {
    socket_.async_wait(asio::ip::tcp::socket::wait_error, std::move(handler));
  }
  bool has_error();

  void shutdown_send();
  // From now on closing tells the peer by RST, and what has not left is lost.
  void reset_on_close();
  // Waits end with an error.
  void close();
  bool is_open() const { return socket_.is_open(); }
  // TCP_NODELAY, and probes of a peer that is silent for long (SO_KEEPALIVE). To be called once the
  // stream is connected.
  std::error_code prepare();
  // Forgets that connecting has waited for room to write. Asio would go on watching for it, and
  // each wait for input would first be told of the room that there is. No wait may be open.
  std::error_code watch_input_only();

  asio::ip::tcp::endpoint local() const;
  asio::ip::tcp::endpoint peer() const;

 private:
  asio::ip::tcp::socket socket_;
};

// "127.0.0.1:4420", "[::1]:4420".
std::string to_text(const asio::ip::tcp::endpoint& at);

}  // namespace nvmf::tcp
