// SPDX-License-Identifier: BSD-2-Clause
#include "gate.hpp"

#include <fmt/format.h>

#include <boost/asio/ip/v6_only.hpp>
#include <utility>

namespace nvmf::cli::proxy {

namespace {

// After the process or the system has run out of something, accepting is tried again so much later.
constexpr std::chrono::milliseconds retry_after{100};

}  // namespace

std::error_code gate::listen(const address& at) {
  boost::system::error_code error;
  acceptor_.open(at.protocol(), error);
  if (!error) acceptor_.set_option(tcp::asio::socket_base::reuse_address(true), error);
  // Both families can be listened to at the same port, each by its own listener.
  if (!error && at.address().is_v6()) acceptor_.set_option(tcp::asio::ip::v6_only(true), error);
  if (!error) acceptor_.bind(at, error);
  if (!error) acceptor_.listen(tcp::asio::socket_base::max_listen_connections, error);
  if (!error) at_ = acceptor_.local_endpoint(error);
  return error;
}

void gate::stop() {
  stopped_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
}

void gate::accept_next() {
  if (stopped_) return;
  acceptor_.async_accept([self = shared_from_this()](const auto& error, socket accepted) {
    if (self->stopped_) return;
    if (error) return self->not_accepted(error);
    self->calls_.on_client(std::move(accepted));
    self->accept_next();
  });
}

void gate::not_accepted(const boost::system::error_code& error) {
  namespace errc = boost::system::errc;
  // It went while it waited, which is no trouble.
  if (error == errc::connection_aborted) return accept_next();
  const bool descriptors =
      error == errc::too_many_files_open || error == errc::too_many_files_open_in_system;
  if (descriptors && spare_.there()) {
    // Also said when nobody waits.
    if (spare_.refuse(acceptor_.native_handle()) > 0) calls_.on_trouble(sentence(error, "refused"));
    return accept_when_somebody_comes();
  }
  calls_.on_trouble(sentence(error, "kept waiting"));
  accept_later();
}

void gate::accept_when_somebody_comes() {
  acceptor_.async_wait(tcp::asio::socket_base::wait_read,
                       [self = shared_from_this()](const auto&) { self->accept_next(); });
}

void gate::accept_later() {
  timer_ = on_.start_timer(on_.now() + retry_after, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->timer_ = 0;
    self->accept_next();
  });
}

std::string gate::sentence(const boost::system::error_code& error, std::string_view fate) const {
  namespace errc = boost::system::errc;
  std::string text =
      fmt::format("{}: connections are {}: {}", tcp::to_text(at_), fate, error.message());
  if (error == errc::too_many_files_open)
    text += fmt::format("; this process may have {} descriptors, `ulimit -n` raises that",
                        tcp::spare_descriptor::limit());
  else if (error == errc::too_many_files_open_in_system)
    text += "; the system's limit is fs.file-max";
  return text;
}

}  // namespace nvmf::cli::proxy
