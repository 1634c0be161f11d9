// SPDX-License-Identifier: BSD-2-Clause
#include "network.hpp"

#include <fmt/format.h>

namespace nvmf::sim {
namespace {

// When the kernel tells the end of a connection whose other end is not heard of any more.
constexpr auto kernel_patience = std::chrono::minutes(2);

}  // namespace

host_luck& network::host_on(const executor& on) {
  for (host_luck& h : hosts)
    if (h.on == &on) return h;
  return hosts.emplace_back(host_luck{.on = &on});
}

void pipe::send(std::span<const std::byte> bytes) {
  under_way_ += bytes.size();
  if (under_way_ >= of_.shape.window) of_.log.count("full window");
  if (only_bytes_) {
    of_.log.add(bytes);
    if (!dead_) put(octets(bytes.begin(), bytes.end()), false);
    return;
  }
  outgoing_.add(bytes, [this](octets whole) { pdu(std::move(whole)); });
}

void pipe::no_more_pdus() {
  if (std::exchange(only_bytes_, true)) return;
  octets begun = outgoing_.take();
  if (!begun.empty() && !dead_) put(std::move(begun), false);
}

void pipe::pdu(octets whole) {
  if (of_.meddler) return of_.meddler(*this, std::move(whole));
  of_.sabotage.before_watch(whole, connection_, to_host_);
  of_.log.add(whole);
  if (!whole.empty()) of_.watch.sent(connection_, to_host_, {whole});
  of_.sabotage.after_watch(whole);
  if (whole.empty() || dead_) return;
  const pdu_view view{whole};
  const fault f = of_.faults.next({.type = view.type(),
                                   .to_host = to_host_,
                                   .header_digest = view.header_digest(),
                                   .data_digest = view.data_digest()});
  if (f != fault::none) {
    ++host_.faults;
    of_.watch.excuse_host_of(connection_);
    of_.log.count(fault_name(f));
    of_.log.say(fmt::format("fault: {} of a PDU of type {} to the {}", fault_name(f), view.type(),
                            to_host_ ? "host" : "controller"));
    suffer(f, whole);
  }
  if (!whole.empty()) put(std::move(whole), false);
}

// Does it to `whole`, or to the pipe; what is left of `whole` is sent.
void pipe::suffer(fault f, octets& whole) {
  const pdu_view view{whole};
  switch (f) {
    case fault::none:
      break;
    case fault::reset:
      // Not from within the sender's own turn.
      sender_.post([self = shared_from_this()] {
        if (self->on_reset) self->on_reset();
      });
      break;
    case fault::cut:
      whole.resize(of_.luck.between(1, whole.size() - 1));
      put(std::exchange(whole, {}), false);
      put({}, true);
      dead_ = true;
      break;
    case fault::stall:
      last_ =
          std::max(last_, of_.time.now()) + std::chrono::milliseconds(of_.luck.between(1, 30'000));
      break;
    case fault::silence:
      whole.clear();
      fall_silent();
      break;
    case fault::duplicate:
      if (view.type() == pdu_type::capsule_resp || view.success()) host_.doubtful = true;
      under_way_ += whole.size();
      put(whole, false);
      break;
    case fault::wrong_cid:
      // No queue here has so many commands.
      test::put(whole, view.cid_offset(), 2, view.cid() | 0x8000u);
      renew_header_digest(whole);
      break;
    case fault::header_flip:
      flip(whole, 0, view.header() + digest_bytes);
      break;
    case fault::data_flip:
      flip(whole, view.data_offset(), whole.size());
      break;
  }
}

void pipe::flip(octets& whole, std::size_t from, std::size_t to) {
  std::size_t at = of_.luck.between(from, to - 1);
  // PLEN apart: with another length the digest is looked for elsewhere, maybe for ever.
  if (at >= 4 && at < common_header) at = 0;
  whole[at] ^= static_cast<std::byte>(1u << of_.luck.between(0, 7));
}

// Nothing arrives any more, and nobody is told before the kernel's patience is over.
void pipe::fall_silent() {
  dead_ = true;
  receiver_.start_timer(of_.time.now() + kernel_patience, [self = shared_from_this()] {
    self->reset_ = true;
    if (self->on_arrival) self->on_arrival();
  });
}

void pipe::send_end() {
  told_closed();
  if (!dead_) put({}, true);
}

void pipe::put(octets bytes, bool end) {
  const duration delay(
      of_.luck.between(0, static_cast<std::uint64_t>(of_.shape.delay_most.count())));
  if (delay.count() > 0) of_.log.count("delay");
  last_ = std::max(last_, of_.time.now() + delay);
  flight_.push_back({last_, std::move(bytes), end});
  arm();
}

void pipe::arm() {
  if (armed_ || flight_.empty()) return;
  armed_ = true;
  receiver_.start_timer(flight_.front().when, [self = shared_from_this()] {
    self->armed_ = false;
    self->deliver();
  });
}

void pipe::deliver() {
  if (reset_) return;
  int together = 0;
  while (!flight_.empty() && flight_.front().when <= of_.time.now()) {
    piece& p = flight_.front();
    // A part of it now and the rest a little later: PDUs arrive in pieces.
    std::size_t n = p.bytes.size();
    if (n > 1 && of_.shape.splits && of_.luck.one_in(4)) n = of_.luck.between(1, n - 1);
    if (n > 1 && of_.shape.bytewise && of_.luck.one_in(8)) n = 1;
    inbox_.insert(inbox_.end(), p.bytes.begin(), p.bytes.begin() + static_cast<std::ptrdiff_t>(n));
    if (n > 0 && ++together == 2) of_.log.count("merge");
    if (n < p.bytes.size()) {
      of_.log.count("split");
      p.bytes.erase(p.bytes.begin(), p.bytes.begin() + static_cast<std::ptrdiff_t>(n));
      p.when = of_.time.now() + std::chrono::microseconds(of_.luck.between(1, 20));
      last_ = std::max(last_, p.when);
      break;
    }
    ended_ = ended_ || p.end;
    flight_.pop_front();
  }
  arm();
  if (on_arrival) on_arrival();
}

void pipe::take(std::size_t n) {
  if (!only_bytes_ && !of_.meddler)
    incoming_.add(arrived().first(n), [this](const octets& whole) {
      of_.watch.arrived(connection_, to_host_, {whole});
    });
  taken_ += n;
  under_way_ -= n;
  if (taken_ == inbox_.size()) {
    inbox_.clear();
    taken_ = 0;
  }
  sender_.post([self = shared_from_this()] {
    if (self->on_room) self->on_room();
  });
}

void pipe::lose(bool by_sender) {
  if (by_sender) told_closed();
  if (reset_ || dead_) return;
  reset_ = true;
  flight_.clear();
  receiver_.post([self = shared_from_this()] {
    if (self->on_arrival) self->on_arrival();
  });
}

void pipe::told_closed() {
  if (std::exchange(told_closed_, true)) return;
  of_.log.say(
      fmt::format("the {} closes connection {}", to_host_ ? "controller" : "host", connection_));
  if (!of_.sabotage.hides_close(to_host_)) of_.watch.closed(connection_, !to_host_);
}

}  // namespace nvmf::sim
