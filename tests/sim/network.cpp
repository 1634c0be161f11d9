// SPDX-License-Identifier: BSD-2-Clause
#include "network.hpp"

#include <fmt/format.h>

#include "wire/crc32c.hpp"

namespace nvmf::sim {
namespace {

constexpr std::size_t common_header = 8;
enum pdu_type : std::uint8_t { capsule_resp = 5, h2c_data = 6, c2h_data = 7, r2t = 9 };

std::uint32_t number(const octets& b, std::size_t at, std::size_t size) {
  std::uint32_t v = 0;
  for (std::size_t i = 0; i < size; ++i) v |= std::to_integer<std::uint32_t>(b[at + i]) << (8 * i);
  return v;
}
void put_number(octets& b, std::size_t at, std::size_t size, std::uint32_t v) {
  for (std::size_t i = 0; i < size; ++i) b[at + i] = static_cast<std::byte>(v >> (8 * i) & 0xff);
}

// Where the CID is: CCCID of data and R2T, CID of a CQE (NVMe/TCP 3.6.2.5 to 3.6.2.9).
std::size_t cid_at(std::uint8_t type) { return type == capsule_resp ? common_header + 12 : 8; }

// The SUCCESS flag: the command is complete without a response (NVMe/TCP 3.6.2.8).
bool success(const octets& pdu) { return (std::to_integer<unsigned>(pdu[1]) & 0x08) != 0; }

}  // namespace

std::string_view fault_name(fault f) {
  switch (f) {
    case fault::reset:
      return "reset";
    case fault::stall:
      return "stall";
    case fault::duplicate:
      return "duplicate";
    case fault::wrong_cid:
      return "wrong CID";
    case fault::flip:
      return "flip";
    case fault::none:
      break;
  }
  return "none";
}

fault network::next_fault() {
  if (calm || shape.pdus_per_fault == 0 || happened.size() >= shape.faults_most) return fault::none;
  if (!luck.one_in(shape.pdus_per_fault)) return fault::none;
  return all_faults[luck.between(0, std::size(all_faults) - 1)];
}

void pipe::send(std::span<const std::byte> bytes) {
  under_way_ += bytes.size();
  partial_.insert(partial_.end(), bytes.begin(), bytes.end());
  while (partial_.size() >= common_header) {
    const std::size_t length = number(partial_, 4, 4);
    if (partial_.size() < length) return;
    const auto end = partial_.begin() + static_cast<std::ptrdiff_t>(length);
    octets whole(partial_.begin(), end);
    partial_.erase(partial_.begin(), end);
    pdu(std::move(whole));
  }
}

// A duplicated or altered command would be another command, which nobody could tell from the host's
// own: those two faults spare the command capsules, and need no CRC of theirs to be right.
void pipe::pdu(octets whole) {
  const auto type = std::to_integer<std::uint8_t>(whole[0]);
  const bool named = type == capsule_resp || type == h2c_data || type == c2h_data || type == r2t;
  fault f = of_.next_fault();
  if ((f == fault::duplicate || f == fault::wrong_cid) && !named) f = fault::none;
  if (f == fault::flip && !(of_.shape.header_digest && of_.shape.data_digest && named))
    f = fault::none;
  if (f != fault::none)
    of_.happened.push_back(fmt::format("{} of a PDU of type {} to the {}", fault_name(f), type,
                                       to_host_ ? "host" : "controller"));
  switch (f) {
    case fault::none:
      break;
    case fault::reset:
      // Not from within the sender's own turn.
      sender_.post([self = shared_from_this()] {
        if (self->on_reset) self->on_reset();
      });
      break;
    case fault::stall:
      last_ =
          std::max(last_, of_.time.now()) + std::chrono::milliseconds(of_.luck.between(1, 30'000));
      break;
    case fault::duplicate:
      if (type == capsule_resp || (type == c2h_data && success(whole))) of_.doubtful = true;
      under_way_ += whole.size();
      put(whole, false);
      break;
    case fault::wrong_cid:
      // No queue here has so many commands.
      put_number(whole, cid_at(type), 2, number(whole, cid_at(type), 2) | 0x8000);
      if (of_.shape.header_digest) {
        const std::size_t hlen = std::to_integer<std::size_t>(whole[2]);
        put_number(whole, hlen, 4, wire::crc32c(0, std::span{whole}.first(hlen)));
      }
      break;
    case fault::flip: {
      // PLEN apart: with another length the digest is looked for elsewhere, maybe for ever.
      std::size_t at = of_.luck.between(0, whole.size() - 1);
      if (at >= 4 && at < common_header) at = 0;
      whole[at] ^= static_cast<std::byte>(1u << of_.luck.between(0, 7));
      break;
    }
  }
  put(std::move(whole), false);
}

void pipe::send_end() { put({}, true); }

void pipe::put(octets bytes, bool end) {
  const duration delay(
      of_.luck.between(0, static_cast<std::uint64_t>(of_.shape.delay_most.count())));
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
  while (!flight_.empty() && flight_.front().when <= of_.time.now()) {
    piece& p = flight_.front();
    // A part of it now and the rest a little later: PDUs arrive in pieces.
    std::size_t n = p.bytes.size();
    if (n > 1 && of_.luck.one_in(4)) n = of_.luck.between(1, n - 1);
    if (n > 1 && of_.shape.bytewise && of_.luck.one_in(8)) n = 1;
    inbox_.insert(inbox_.end(), p.bytes.begin(), p.bytes.begin() + static_cast<std::ptrdiff_t>(n));
    if (n < p.bytes.size()) {
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

void pipe::lose() {
  if (reset_) return;
  reset_ = true;
  flight_.clear();
  receiver_.post([self = shared_from_this()] {
    if (self->on_arrival) self->on_arrival();
  });
}

}  // namespace nvmf::sim
