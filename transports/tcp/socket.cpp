// SPDX-License-Identifier: BSD-2-Clause
#include "socket.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "session/limits.hpp"

namespace nvmf::tcp {
namespace {

// A segment is what the kernel calls an iovec; the list goes to it as it is.
static_assert(sizeof(segment) == sizeof(iovec) && alignof(segment) == alignof(iovec));
static_assert(offsetof(segment, data) == offsetof(iovec, iov_base));
static_assert(offsetof(segment, size) == offsetof(iovec, iov_len));

msghdr message_of(std::span<const segment> pieces) {
  msghdr m{};
  m.msg_iov = const_cast<iovec*>(reinterpret_cast<const iovec*>(pieces.data()));
  m.msg_iovlen = pieces.size();
  return m;
}

io_result result_of(ssize_t n) {
  if (n >= 0) return {.bytes = static_cast<std::size_t>(n)};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {.blocked = true};
  return {.error = {errno, std::system_category()}};
}

}  // namespace

io_result tcp_stream::read(std::span<const segment> pieces) {
  msghdr m = message_of(pieces);
  ssize_t n = 0;
  do n = ::recvmsg(socket_.native_handle(), &m, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return result_of(n);
}

io_result tcp_stream::peek(std::span<std::byte> into) {
  ssize_t n = 0;
  do n = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT | MSG_PEEK);
  while (n < 0 && errno == EINTR);
  return result_of(n);
}

io_result tcp_stream::write(std::span<const segment> pieces) {
  msghdr m = message_of(pieces);
  ssize_t n = 0;
  do n = ::sendmsg(socket_.native_handle(), &m, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return result_of(n);
}

bool tcp_stream::has_error() {
  pollfd asked{.fd = socket_.native_handle(), .events = 0, .revents = 0};
  return ::poll(&asked, 1, 0) == 1 && (asked.revents & POLLERR) != 0;
}

void tcp_stream::shutdown_send() {
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void tcp_stream::reset_on_close() {
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
}

void tcp_stream::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

std::error_code tcp_stream::prepare() {
  boost::system::error_code error;
  socket_.set_option(asio::ip::tcp::no_delay(true), error);
  if (!error) socket_.set_option(asio::socket_base::keep_alive(true), error);
  using idle = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
  using interval = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
  using count = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;
  if (!error) socket_.set_option(idle(peer_idle_s), error);
  if (!error) socket_.set_option(interval(peer_probe_s), error);
  if (!error) socket_.set_option(count(peer_probes), error);
  return error;
}

std::error_code tcp_stream::watch_input_only() {
  const auto protocol = local().protocol();
  boost::system::error_code error;
  const int descriptor = socket_.release(error);
  if (error) return error;
  socket_.assign(protocol, descriptor, error);
  if (error) ::close(descriptor);
  return error;
}

asio::ip::tcp::endpoint tcp_stream::local() const {
  boost::system::error_code ignored;
  return socket_.local_endpoint(ignored);
}

asio::ip::tcp::endpoint tcp_stream::peer() const {
  boost::system::error_code ignored;
  return socket_.remote_endpoint(ignored);
}

std::string to_text(const asio::ip::tcp::endpoint& at) {
  const auto address = at.address();
  if (address.is_v6()) return fmt::format("[{}]:{}", address.to_string(), at.port());
  return fmt::format("{}:{}", address.to_string(), at.port());
}

}  // namespace nvmf::tcp
