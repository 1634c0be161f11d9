// SPDX-License-Identifier: BSD-2-Clause
#include "handshake.hpp"

namespace nvmf::tcp {

handshake::handshake(reactor& on, tcp_stream stream, role side, const transport_options& options,
                     emitter events)
    : on_(on),
      stream_(std::move(stream)),
      exchange_(side, options, events),
      timeout_(options.ic_timeout),
      linger_(options.linger) {}

void handshake::start(callback done) {
  done_ = std::move(done);
  // The waits keep this alive; a timer must not, or a cancelled exchange would stay until it fires.
  timer_ = on_.start_timer(on_.now() + timeout_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->timed_out();
  });
  arm_read();
  if (!exchange_.output().empty()) write();
}

void handshake::cancel() {
  done_ = nullptr;
  close();
}

void handshake::arm_read() {
  stream_.wait_readable([self = shared_from_this()](boost::system::error_code error) {
    if (error || !self->stream_.is_open()) return;
    if (self->lingering_)
      self->discard();
    else
      self->read();
  });
}

void handshake::arm_write() {
  stream_.wait_writable([self = shared_from_this()](boost::system::error_code error) {
    if (!error && self->stream_.is_open()) self->write();
  });
}

void handshake::read() {
  std::array<std::byte, max_header> place;
  while (exchange_.wanted() > 0) {
    const segment all{place.data(), exchange_.wanted()};
    const io_result got = stream_.read({&all, 1});
    if (got.blocked) return arm_read();
    if (got.error)
      return finish({.code = got.error == std::errc::connection_reset ? make_error_code(errc::reset)
                                                                      : got.error});
    if (got.bytes == 0)
      exchange_.end_of_input();
    else
      exchange_.consume(std::span{place}.first(got.bytes));
  }
  if (!exchange_.output().empty()) return write();
  progress();
}

void handshake::write() {
  const auto out = exchange_.output();
  const segment all{const_cast<std::byte*>(out.data()), out.size()};
  const io_result put = stream_.write({&all, 1});
  if (put.error) {
    // What the peer said before it closed is worth more than the fact.
    if (exchange_.stands() == ic_exchange::standing::waiting) return;
    return exchange_.stands() == ic_exchange::standing::failed
               ? progress()
               : finish_later({.code = errc::reset});
  }
  exchange_.sent(put.bytes);
  if (!exchange_.output().empty()) return arm_write();
  progress();
}

void handshake::progress() {
  switch (exchange_.stands()) {
    case ic_exchange::standing::waiting:
      return;
    case ic_exchange::standing::failed:
      return finish(exchange_.error());
    case ic_exchange::standing::done:
      break;
  }
  if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
  auto done = std::exchange(done_, nullptr);
  if (done) done(established{std::move(stream_), std::move(exchange_)});
}

void handshake::timed_out() {
  timer_ = 0;
  if (lingering_) return close();
  finish({.code = errc::timed_out});
}

// For failures that are noticed inside start.
void handshake::finish_later(qpair_error why) {
  on_.post([self = shared_from_this(), why] { self->finish(why); });
}

void handshake::finish(qpair_error why) {
  if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
  auto done = std::exchange(done_, nullptr);
  if (why.code == errc::protocol_violation && why.violation.fes != 0)
    begin_lingering();
  else
    close();
  if (done) done(std::unexpected(why));
}

void handshake::begin_lingering() {
  if (!stream_.is_open()) return;
  lingering_ = true;
  timer_ = on_.start_timer(on_.now() + linger_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->timed_out();
  });
  discard();
}

void handshake::discard() {
  std::array<std::byte, 4096> place;
  const segment all{place.data(), place.size()};
  for (int i = 0; i < 16; ++i) {
    const io_result got = stream_.read({&all, 1});
    if (got.blocked) break;
    if (got.error || got.bytes == 0) return close();
  }
  arm_read();
}

void handshake::close() {
  if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
  stream_.close();
}

}  // namespace nvmf::tcp
