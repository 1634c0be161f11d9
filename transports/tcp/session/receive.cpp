// SPDX-License-Identifier: BSD-2-Clause
#include "receive.hpp"

#include <algorithm>
#include <cstring>

#include "encode.hpp"
#include "wire/crc32c.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::tcp {
namespace {

constexpr std::size_t common_size = wire::pdu_common.size;

bool is_termreq(wire::pdu_type type) {
  return type == wire::pdu_type::h2c_termreq || type == wire::pdu_type::c2h_termreq;
}

// What of a header that failed its first check is worth sending back: as much as its own HLEN says
// and has arrived.
std::span<const std::byte> offending(std::span<const std::byte> seen) {
  const auto hlen = static_cast<std::size_t>(wire::get<wire::pdu_common, "hlen">(seen));
  return seen.first(std::min({seen.size(), max_error_data, std::max(hlen, common_size)}));
}

}  // namespace

void receiver::consume(std::span<const std::byte> in) {
  while (!in.empty() && !ended_) {
    bool again = false;
    switch (state_) {
      case state::header:
        again = take_header(in);
        break;
      case state::padding:
        again = take_padding(in);
        break;
      case state::data:
        again = take_data(in);
        break;
      case state::digest:
        again = take_digest(in);
        break;
    }
    if (!again) return;
  }
}

bool receiver::take_header(std::span<const std::byte>& in) {
  if (stash_size_ == 0 && in.size() >= common_size) {
    if (!begin(in)) return false;
    if (in.size() >= header_total_) {
      const auto header = in.first(header_total_);
      in = in.subspan(header_total_);
      return dispatch(header);
    }
  }
  while (true) {
    const std::size_t wanted = have_shape_ ? header_total_ : common_size;
    const std::size_t n = std::min(wanted - stash_size_, in.size());
    std::memcpy(stash_.data() + stash_size_, in.data(), n);
    stash_size_ = static_cast<std::uint8_t>(stash_size_ + n);
    in = in.subspan(n);
    if (stash_size_ < wanted) return false;
    if (have_shape_) return dispatch(std::span{stash_}.first(stash_size_));
    if (!begin(std::span{stash_}.first(stash_size_))) return false;
    if (in.empty() && stash_size_ < header_total_) return false;
  }
}

// `seen` starts with a common header.
bool receiver::begin(std::span<const std::byte> seen) {
  const auto checked = check_common(seen.first<common_size>(), rules);
  if (!checked) {
    end();
    handler_.on_violation(checked.error(), offending(seen));
    return false;
  }
  shape_ = *checked;
  header_total_ = static_cast<std::uint8_t>(shape_.header + shape_.header_digest +
                                            (is_termreq(shape_.type) ? shape_.data : 0));
  have_shape_ = true;
  return true;
}

bool receiver::dispatch(std::span<const std::byte> full) {
  const auto header = full.first(shape_.header);
  have_shape_ = false;
  stash_size_ = 0;
  if (is_termreq(shape_.type)) {
    end();
    handler_.on_termreq(header, full.subspan(shape_.header));
    return false;
  }
  if (shape_.header_digest != 0) {
    const auto received = static_cast<std::uint32_t>(wire::load_le(full, shape_.header, 4));
    const std::uint32_t computed = wire::crc32c(0, header);
    if (received != computed) {
      auto error = broken_rule(wire::fes::header_digest_error,
                               wire::pdu_layout(static_cast<std::uint8_t>(shape_.type))->name,
                               shape_.header, "header digest does not match", received, computed);
      error.fei = received;
      end();
      handler_.on_violation(error, header);
      return false;
    }
  }
  target_ = {};
  if (!handler_.on_header(shape_, header, target_)) {
    end();
    return false;
  }
  if (shape_.data == 0) {
    finish(true);
    return true;
  }
  if (header.data() != stash_.data()) std::memcpy(stash_.data(), header.data(), header.size());
  header_size_ = shape_.header;
  padding_left_ = shape_.padding;
  data_left_ = shape_.data;
  crc_ = 0;
  state_ = padding_left_ > 0 ? state::padding : state::data;
  return true;
}

bool receiver::take_padding(std::span<const std::byte>& in) {
  const std::size_t n = std::min<std::size_t>(padding_left_, in.size());
  padding_left_ -= static_cast<std::uint32_t>(n);
  in = in.subspan(n);
  if (padding_left_ == 0) state_ = state::data;
  return true;
}

bool receiver::take_data(std::span<const std::byte>& in) {
  const auto piece = in.first(std::min<std::size_t>(data_left_, in.size()));
  in = in.subspan(piece.size());
  const std::size_t at = shape_.data - data_left_;
  if (!target_.memory.empty()) {
    if (target_.memory.contiguous())
      std::memcpy(target_.memory.piece().data() + at, piece.data(), piece.size());
    else
      target_.memory.copy_in(at, piece);
  }
  if (shape_.data_digest != 0) crc_ = wire::crc32c(crc_, piece);
  data_left_ -= static_cast<std::uint32_t>(piece.size());
  next_part();
  return true;
}

void receiver::next_part() {
  if (data_left_ > 0) return;
  if (shape_.data_digest == 0) return finish(true);
  state_ = state::digest;
  digest_size_ = 0;
}

bool receiver::take_digest(std::span<const std::byte>& in) {
  const std::size_t n = std::min(digest_.size() - digest_size_, in.size());
  std::memcpy(digest_.data() + digest_size_, in.data(), n);
  digest_size_ = static_cast<std::uint8_t>(digest_size_ + n);
  in = in.subspan(n);
  if (digest_size_ < digest_.size()) return false;
  finish(wire::load_le(digest_, 0, 4) == crc_);
  return true;
}

void receiver::finish(bool digest_good) {
  state_ = state::header;
  stash_size_ = 0;
  target_ = {};
  handler_.on_pdu(shape_, digest_good);
}

std::size_t receiver::wanted() const {
  switch (state_) {
    case state::header:
      return (have_shape_ ? header_total_ : common_size) - stash_size_;
    case state::padding:
    case state::data:
      return std::size_t{padding_left_} + data_left_ + shape_.data_digest;
    case state::digest:
      return digest_.size() - digest_size_;
  }
  return 1;
}

std::size_t receiver::taken() const {
  if (state_ == state::header) return stash_size_;
  const std::size_t before = std::size_t{shape_.header} + shape_.header_digest + shape_.padding;
  return before - padding_left_ + (shape_.data - data_left_) +
         (state_ == state::digest ? digest_size_ : 0);
}

std::size_t receiver::direct(std::span<segment> out) const {
  if (ended_ || state_ != state::data || data_left_ < direct_read_min || target_.memory.empty())
    return 0;
  return target_.memory.pieces(shape_.data - data_left_, data_left_, out);
}

void receiver::took_direct(std::size_t n) {
  if (n == 0) return;
  if (shape_.data_digest != 0) crc_ = crc32c(crc_, target_.memory, shape_.data - data_left_, n);
  data_left_ -= static_cast<std::uint32_t>(n);
  next_part();
}

}  // namespace nvmf::tcp
