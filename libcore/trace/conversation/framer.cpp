// SPDX-License-Identifier: BSD-2-Clause
#include "framer.hpp"

#include <algorithm>
#include <cassert>

#include "wire/crc32c.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::trace {

namespace {

using wire::get;
using wire::pdu_common;

bool is_host_type(std::uint8_t type) { return type % 2 == 0; }

bool carries_data(std::uint8_t type) {
  switch (static_cast<wire::pdu_type>(type)) {
    case wire::pdu_type::capsule_cmd:
    case wire::pdu_type::h2c_data:
    case wire::pdu_type::c2h_data:
    case wire::pdu_type::h2c_termreq:
    case wire::pdu_type::c2h_termreq:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool is_plausible_header(way w, byte_span b) {
  const auto type = static_cast<std::uint8_t>(get<pdu_common, "type">(b));
  const wire::layout* form = wire::pdu_layout(type);
  if (form == nullptr || is_host_type(type) != (w == way::to_controller)) return false;
  const auto flags = get<pdu_common, "flags">(b), hlen = get<pdu_common, "hlen">(b);
  const auto pdo = get<pdu_common, "pdo">(b), plen = get<pdu_common, "plen">(b);
  if (hlen != form->size || (flags & ~std::uint64_t{0x0f}) != 0) return false;
  if (plen < hlen || plen > pdu_bytes_max) return false;
  if (!carries_data(type)) return pdo == 0 && plen <= hlen + 4;
  if (form == &wire::pdu_h2c_termreq || form == &wire::pdu_c2h_termreq)
    return pdo == 0 && plen <= 152;
  if (pdo == 0) return plen <= hlen + 4;
  return pdo >= hlen && pdo <= plen && pdo % 4 == 0;
}

void framer::take(byte_span bytes, const stamp& at) {
  while (!bytes.empty()) {
    std::size_t taken = 0;
    switch (state_) {
      case state::head:
        taken = take_head(bytes, at);
        break;
      case state::body:
        taken = take_body(bytes, at);
        break;
      case state::searching:
        taken = search(bytes, at);
        break;
    }
    offset_ += taken;
    bytes = bytes.subspan(taken);
  }
}

// The common header is there: what the PDU is. False when it cannot be one.
bool framer::read_common(byte_span b, const stamp& at) {
  pdu_.plen = static_cast<std::uint32_t>(get<pdu_common, "plen">(b));
  if (pdu_.plen < pdu_common.size || pdu_.plen > pdu_bytes_max) {
    lose(framing_lost::bad_plen, at);
    return false;
  }
  pdu_.type = static_cast<std::uint8_t>(get<pdu_common, "type">(b));
  pdu_.flags = static_cast<std::uint8_t>(get<pdu_common, "flags">(b));
  pdu_.hlen = static_cast<std::uint8_t>(get<pdu_common, "hlen">(b));
  pdu_.pdo = static_cast<std::uint8_t>(get<pdu_common, "pdo">(b));
  return true;
}

// Header and its digest, as far as the PDU has them.
std::size_t framer::head_bytes() const {
  const std::size_t digest = (pdu_.flags & pdu_flag_bit::hdgst) != 0 ? 4 : 0;
  const std::size_t header = std::max<std::size_t>(pdu_.hlen, pdu_common.size);
  return std::min<std::size_t>(header + digest, pdu_.plen);
}

std::size_t framer::take_head(byte_span bytes, const stamp& at) {
  if (have_ == 0) {
    pdu_.begun = at;
    pdu_.offset = offset_;
    if (bytes.size() >= pdu_common.size) {
      if (!read_common(bytes, at)) return 0;
      if (bytes.size() >= pdu_.plen) {
        whole(bytes.first(pdu_.plen), at);
        return pdu_.plen;
      }
    }
  }
  std::size_t taken = 0;
  const auto fill = [&](std::size_t to) {
    const std::size_t n = std::min(to - std::min(to, have_), bytes.size() - taken);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(taken), n,
                head_.begin() + static_cast<std::ptrdiff_t>(have_));
    have_ += n;
    taken += n;
  };
  fill(pdu_common.size);
  if (have_ < pdu_common.size) return taken;
  if (!read_common(head_, at)) return taken;
  fill(head_bytes());
  if (have_ < head_bytes()) return taken;
  open(byte_span{head_}.first(have_));
  at_ = have_;
  state_ = state::body;
  if (at_ == pdu_.plen) close(at);
  return taken;
}

// Header complete (or as complete as the capture has it): where its data is, and its digest.
void framer::open(byte_span head) {
  pdu_.going = way_;
  pdu_.bytes_missing = 0;
  pdu_.header = head.first(std::min<std::size_t>(pdu_.hlen, head.size()));
  pdu_.header_digest = pdu_.data_digest = digest_state::none;
  if ((pdu_.flags & pdu_flag_bit::hdgst) != 0) {
    const bool there = head.size() >= std::size_t{pdu_.hlen} + 4;
    if (!there)
      pdu_.header_digest = digest_state::unknown;
    else
      pdu_.header_digest = wire::crc32c(0, pdu_.header) == wire::load_le(head, pdu_.hlen, 4)
                               ? digest_state::good
                               : digest_state::bad;
  }
  const std::uint32_t tail = (pdu_.flags & pdu_flag_bit::ddgst) != 0 ? 4 : 0;
  const std::uint32_t header_end = pdu_.hlen + ((pdu_.flags & pdu_flag_bit::hdgst) != 0 ? 4u : 0u);
  const std::uint32_t begin = std::max<std::uint32_t>(pdu_.pdo, header_end);
  const bool data = carries_data(pdu_.type) && std::uint64_t{begin} + tail < pdu_.plen;
  pdu_.data_at = begin;
  pdu_.data_bytes = data ? pdu_.plen - begin - tail : 0;
  pdu_.data = {};
  kept_.clear();
  keep_ = 0;
  if (data) keep_ = std::min<std::size_t>(to_.data_wanted(pdu_), pdu_.data_bytes);
  crc_runs_ = data && tail != 0;
  crc_ = 0;
}

// All of the PDU lies here: nothing is copied.
void framer::whole(byte_span bytes, const stamp& at) {
  open(bytes.first(head_bytes()));
  const byte_span data = bytes.subspan(std::min<std::size_t>(pdu_.data_at, bytes.size()));
  pdu_.data = data.first(keep_);
  if (crc_runs_) {
    pdu_.data_digest =
        wire::crc32c(0, data.first(pdu_.data_bytes)) == wire::load_le(bytes, pdu_.plen - 4, 4)
            ? digest_state::good
            : digest_state::bad;
  }
  end_at(at);
  to_.on_pdu(pdu_);
}

void framer::body_bytes(byte_span bytes) {
  const std::uint64_t end = at_ + bytes.size();
  const std::uint64_t data_end = std::uint64_t{pdu_.data_at} + pdu_.data_bytes;
  // The part of `bytes` from `from` to `to`, which count from the beginning of the PDU.
  const auto part = [&](std::uint64_t from, std::uint64_t to) -> byte_span {
    from = std::max(from, at_);
    to = std::min(to, end);
    return from < to ? bytes.subspan(static_cast<std::size_t>(from - at_),
                                     static_cast<std::size_t>(to - from))
                     : byte_span{};
  };
  if (kept_.size() < keep_) {
    const byte_span more = part(pdu_.data_at, pdu_.data_at + keep_);
    kept_.insert(kept_.end(), more.begin(), more.end());
  }
  if (crc_runs_) {
    crc_ = wire::crc32c(crc_, part(pdu_.data_at, data_end));
    const byte_span tail = part(data_end, pdu_.plen);
    const std::size_t into = at_ > data_end ? static_cast<std::size_t>(at_ - data_end) : 0;
    std::ranges::copy(tail, digest_.begin() + static_cast<std::ptrdiff_t>(into));
  }
}

std::size_t framer::take_body(byte_span bytes, const stamp& at) {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(pdu_.plen - at_, bytes.size()));
  if (kept_.size() < keep_ || crc_runs_) body_bytes(bytes.first(n));
  at_ += n;
  if (at_ == pdu_.plen) close(at);
  return n;
}

// With packets out of order the last byte may have come before the first.
void framer::end_at(const stamp& at) {
  pdu_.ended = at.packet < pdu_.begun.packet ? pdu_.begun : at;
}

void framer::close(const stamp& at) {
  if (crc_runs_)
    pdu_.data_digest =
        crc_ == wire::load_le(digest_, 0, 4) ? digest_state::good : digest_state::bad;
  else if (pdu_.data_bytes > 0 && (pdu_.flags & pdu_flag_bit::ddgst) != 0)
    pdu_.data_digest = digest_state::unknown;
  pdu_.data = kept_;
  end_at(at);
  state_ = state::head;
  have_ = 0;
  at_ = 0;
  to_.on_pdu(pdu_);
}

void framer::absent(std::uint64_t bytes, const stamp& at) {
  offset_ += bytes;
  if (state_ == state::searching) {
    skipped_ += bytes;
    return;
  }
  if (state_ == state::head) {
    // With its common header a PDU is known, and where the next begins.
    if (have_ < pdu_common.size) return lose(framing_lost::absent, at);
    open(byte_span{head_}.first(have_));
    at_ = have_;
    state_ = state::body;
  }
  const std::uint64_t rest = pdu_.plen - at_;
  const std::uint64_t here = std::min(rest, bytes);
  pdu_.bytes_missing += here;
  crc_runs_ = false;
  keep_ = kept_.size();  // what follows would stand at the wrong place
  at_ += here;
  if (at_ == pdu_.plen) close(at);
  if (bytes > here) lose(framing_lost::absent, at);
}

void framer::lose(framing_lost why, const stamp& at) {
  if (state_ == state::searching) return;
  state_ = state::searching;
  have_ = 0;
  skipped_ = 0;
  to_.on_lost(way_, why, at);
}

std::size_t framer::search(byte_span bytes, const stamp& at) {
  for (std::size_t i = 0; i + pdu_common.size <= bytes.size(); ++i) {
    const byte_span here = bytes.subspan(i);
    if (!is_plausible_header(way_, here)) continue;
    // Within a segment one header could be chance: another has to follow, or the end.
    const auto plen = static_cast<std::size_t>(get<pdu_common, "plen">(here));
    const bool fits = plen == here.size() || (plen + pdu_common.size <= here.size() &&
                                              is_plausible_header(way_, here.subspan(plen)));
    if (i != 0 && !fits) continue;
    state_ = state::head;
    to_.on_found(way_, skipped_ + i, at);
    return i;
  }
  skipped_ += bytes.size();
  return bytes.size();
}

}  // namespace nvmf::trace
