// SPDX-License-Identifier: BSD-2-Clause
// The relay that `nvmfctl trace --proxy` is measured beside: the same kind of loop (Asio as a
// reactor, its own non-blocking reads and writes, one thread), and nothing that looks at a byte.
//
//   plain_relay PORT    listens on 127.0.0.1, prints its port, and passes on to 127.0.0.1:PORT
#include <sys/socket.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t chunk_bytes = 128 * 1024;
std::vector<char> scratch(chunk_bytes);

class pair final : public std::enable_shared_from_this<pair> {
 public:
  pair(tcp::socket a, tcp::socket b) : ends_{std::move(a), std::move(b)} {
    for (auto& e : ends_) e.set_option(tcp::no_delay(true));
  }
  void start() {
    wait_read(0);
    wait_read(1);
  }

 private:
  void close() {
    boost::system::error_code ignored;
    for (auto& e : ends_) e.close(ignored);
  }
  void wait_read(unsigned from) {
    ends_[from].async_wait(tcp::socket::wait_read, [self = shared_from_this(), from](auto error) {
      if (!error) self->read(from);
    });
  }
  void wait_write(unsigned from) {
    ends_[1 - from].async_wait(tcp::socket::wait_write,
                               [self = shared_from_this(), from](auto error) {
                                 if (!error) self->write_rest(from);
                               });
  }
  void read(unsigned from) {
    for (int i = 0; i < 8; ++i) {
      const ssize_t got =
          ::recv(ends_[from].native_handle(), scratch.data(), scratch.size(), MSG_DONTWAIT);
      if (got < 0 && errno == EAGAIN) break;
      if (got <= 0) return close();
      const auto size = static_cast<std::size_t>(got);
      const ssize_t put = ::send(ends_[1 - from].native_handle(), scratch.data(), size,
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
      if (put < 0 && errno != EAGAIN) return close();
      const std::size_t done = put < 0 ? 0 : static_cast<std::size_t>(put);
      if (done < size) {
        waiting_[from].assign(scratch.begin() + static_cast<std::ptrdiff_t>(done),
                              scratch.begin() + got);
        return wait_write(from);
      }
      if (size < scratch.size()) break;
    }
    wait_read(from);
  }
  void write_rest(unsigned from) {
    auto& w = waiting_[from];
    const ssize_t put =
        ::send(ends_[1 - from].native_handle(), w.data(), w.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN) return close();
    if (put > 0) w.erase(w.begin(), w.begin() + put);
    if (w.empty()) return read(from);
    wait_write(from);
  }

  std::array<tcp::socket, 2> ends_;
  std::array<std::vector<char>, 2> waiting_{};
};

void accept_next(tcp::acceptor& at, const tcp::endpoint& to) {
  at.async_accept([&at, to](auto error, tcp::socket accepted) {
    if (error) return;
    tcp::socket target(at.get_executor());
    target.connect(to, error);
    if (!error) std::make_shared<pair>(std::move(accepted), std::move(target))->start();
    accept_next(at, to);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: plain_relay PORT\n", stderr);
    return 2;
  }
  asio::io_context context(1);
  tcp::acceptor at(context, {asio::ip::address_v4::loopback(), 0});
  std::printf("%u\n", at.local_endpoint().port());
  std::fflush(stdout);
  accept_next(at, {asio::ip::address_v4::loopback(),
                   static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10))});
  context.run();
}
