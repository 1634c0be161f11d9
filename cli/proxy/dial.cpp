// SPDX-License-Identifier: BSD-2-Clause
#include "dial.hpp"

#include <fmt/format.h>

#include <utility>

#include "tcp/spare_descriptor.hpp"

namespace nvmf::cli::proxy {

namespace {

std::string failure(const tcp::asio::ip::tcp::endpoint& at, const boost::system::error_code& why) {
  std::string text = fmt::format("cannot connect to {}: {}", tcp::to_text(at), why.message());
  if (why == boost::system::errc::too_many_files_open)
    text += fmt::format("; this process may have {} descriptors, `ulimit -n` raises that",
                        tcp::spare_descriptor::limit());
  return text;
}

}  // namespace

dial::dial(reactor& on, addresses to, duration limit)
    : on_(on), to_(std::move(to)), limit_(limit), socket_(on.context()) {}

void dial::start(callback done) {
  done_ = std::move(done);
  timer_ = on_.start_timer(on_.now() + limit_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->timer_ = 0;
    self->finish(std::unexpected(fmt::format("no connection to {} within {:g} s",
                                             tcp::to_text(self->to_.front()),
                                             std::chrono::duration<double>(self->limit_).count())));
  });
  // Now: who accepts until descriptors are short would leave none for any target.
  try_next();
}

void dial::cancel() {
  done_ = nullptr;
  finish(std::unexpected(std::string{}));
}

void dial::try_next() {
  while (next_ < to_.size()) {
    const auto& at = to_[next_++];
    boost::system::error_code error;
    socket_ = tcp::asio::ip::tcp::socket{on_.context()};
    socket_.open(at.protocol(), error);
    if (!error) {
      socket_.async_connect(
          at, [self = shared_from_this()](const auto& result) { self->on_connected(result); });
      return;
    }
    failed_ = failure(at, error);
  }
  on_.post([self = shared_from_this()] { self->finish(std::unexpected(self->failed_)); });
}

void dial::on_connected(const boost::system::error_code& error) {
  if (!done_) return;
  if (error) {
    failed_ = failure(to_[next_ - 1], error);
    return try_next();
  }
  tcp::tcp_stream stream{std::move(socket_)};
  // It may have gone already: its reader finds out.
  static_cast<void>(stream.prepare());
  static_cast<void>(stream.watch_input_only());
  finish(std::move(stream));
}

void dial::finish(std::expected<tcp::tcp_stream, std::string> how) {
  if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
  boost::system::error_code ignored;
  socket_.close(ignored);
  if (auto done = std::exchange(done_, nullptr)) done(std::move(how));
}

}  // namespace nvmf::cli::proxy
