// SPDX-License-Identifier: BSD-2-Clause
#include "relay.hpp"

namespace nvmf::cli::proxy {

namespace {

// Of one visit, so that a busy connection does not keep the others waiting.
constexpr int most_reads = 8;

}  // namespace

relay::relay(reactor& on, tcp::tcp_stream from_client, tcp::tcp_stream to_target, relay_tap& tap)
    : room_(tcp::room::of(on)),
      tap_(tap),
      halves_{half{std::move(from_client)}, half{std::move(to_target)}} {}

void relay::start() {
  arm_read(client_end);
  arm_read(target_end);
}

// All that an end has sent, until the other is behind.
void relay::pump(unsigned from) {
  const auto scratch = room_.scratch().first(chunk_bytes);
  for (int i = 0; i < most_reads && !over_; ++i) {
    if (halves_[1 - from].behind() || halves_[1 - from].broken) return;
    const segment all{scratch.data(), scratch.size()};
    const tcp::io_result got = halves_[from].stream.read({&all, 1});
    if (got.blocked) break;
    if (got.error) return finish(relay_end::reset, from);
    if (got.bytes == 0) return end_of(from);
    take(from, scratch.first(got.bytes));
    // Less than there was room for: it has been emptied.
    if (got.bytes < scratch.size()) break;
  }
  arm_read(from);
}

void relay::take(unsigned from, std::span<std::byte> bytes) {
  const auto out = tap_.passed_on(from, bytes);
  if (out.empty()) return;
  put(1 - from, out);
  if (!over_) tap_.on_bytes(from, out);
}

void relay::put(unsigned to, std::span<const std::byte> bytes) {
  half& h = halves_[to];
  if (h.broken || over_) return;
  std::size_t done = 0;
  if (!h.behind()) {
    const segment all{const_cast<std::byte*>(bytes.data()), bytes.size()};
    const tcp::io_result put = h.stream.write({&all, 1});
    if (put.error) return cannot_write(to);
    done = put.bytes;
    h.waiting.clear();
    h.written = 0;
  }
  if (done == bytes.size()) return;
  h.waiting.insert(h.waiting.end(), bytes.begin() + static_cast<std::ptrdiff_t>(done), bytes.end());
  arm_write(to);
  // Its sender is not read meanwhile, and might be gone.
  arm_trouble(1 - to);
}

void relay::drain(unsigned to) {
  half& h = halves_[to];
  const auto left = std::span{h.waiting}.subspan(h.written);
  const segment all{left.data(), left.size()};
  const tcp::io_result put = h.stream.write({&all, 1});
  if (put.error) return cannot_write(to);
  h.written += put.bytes;
  if (h.behind()) return arm_write(to);
  h.waiting.clear();
  h.written = 0;
  if (halves_[1 - to].ended) return pass_end_on(to);
  pump(1 - to);
}

// It may have said why before it went: that is read, and passed on, first.
void relay::cannot_write(unsigned to) {
  half& h = halves_[to];
  h.broken = true;
  h.waiting.clear();
  h.written = 0;
  if (h.ended || halves_[1 - to].broken) finish(relay_end::reset, to);
}

void relay::end_of(unsigned from) {
  half& h = halves_[from];
  h.ended = true;
  if (h.broken) return finish(relay_end::reset, from);
  if (const auto held = tap_.rest(from); !held.empty()) {
    put(1 - from, held);
    if (!over_) tap_.on_bytes(from, held);
  }
  if (over_) return;
  tap_.on_end(from);
  if (!halves_[1 - from].behind()) pass_end_on(1 - from);
}

void relay::pass_end_on(unsigned to) {
  if (!halves_[to].broken) halves_[to].stream.shutdown_send();
  halves_[to].told_end = true;
  if (halves_[0].told_end && halves_[1].told_end) finish(relay_end::closed);
}

void relay::finish(relay_end how, unsigned from) {
  if (over_) return;
  over_ = true;
  for (half& h : halves_) {
    if (how == relay_end::reset) h.stream.reset_on_close();
    h.stream.close();
  }
  tap_.on_over(how, from);
}

void relay::arm_read(unsigned from) {
  half& h = halves_[from];
  if (h.read_armed || h.ended || over_) return;
  h.read_armed = true;
  h.stream.wait_readable([self = shared_from_this(), from](const boost::system::error_code&) {
    self->halves_[from].read_armed = false;
    if (!self->over_) self->pump(from);
  });
}

void relay::arm_write(unsigned to) {
  half& h = halves_[to];
  if (h.write_armed || over_) return;
  h.write_armed = true;
  h.stream.wait_writable([self = shared_from_this(), to](const boost::system::error_code&) {
    half& now = self->halves_[to];
    now.write_armed = false;
    if (!self->over_ && !now.broken) self->drain(to);
  });
}

void relay::arm_trouble(unsigned of) {
  half& h = halves_[of];
  if (h.trouble_armed || h.ended || over_) return;
  h.trouble_armed = true;
  h.stream.wait_trouble([self = shared_from_this(), of](const boost::system::error_code&) {
    half& now = self->halves_[of];
    now.trouble_armed = false;
    // Else its reader finds out, after what was sent before.
    const bool unread = self->halves_[1 - of].behind();
    if (!self->over_ && unread && !now.ended && now.stream.has_error())
      self->finish(relay_end::reset, of);
  });
}

}  // namespace nvmf::cli::proxy
