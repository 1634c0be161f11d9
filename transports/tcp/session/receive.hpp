// SPDX-License-Identifier: BSD-2-Clause
// The stream of received bytes, cut into PDUs as it arrives. Nothing of it is kept but an
// unfinished header: payload goes to its place at once, with its digest running along.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "limits.hpp"
#include "pdu_check.hpp"

namespace nvmf::tcp {

class receiver {
 public:
  // Where a PDU's data goes. Without memory it is read over.
  struct target {
    memdesc memory{};  // empty: discard
  };
  // Who is told. A function that returns false ends the parsing for good.
  class handler {
   public:
    // The header has arrived and its digest is right. `header` lives during the call.
    virtual bool on_header(const pdu_shape& shape, std::span<const std::byte> header,
                           target& to) = 0;
    // All of the PDU has arrived.
    virtual void on_pdu(const pdu_shape& shape, bool digest_good) = 0;
    virtual bool on_termreq(std::span<const std::byte> header, std::span<const std::byte> data) = 0;
    // `header`: what is there of the offending header.
    virtual void on_violation(const protocol_error& error, std::span<const std::byte> header) = 0;

   protected:
    ~handler() = default;
  };

  explicit receiver(handler& to) : handler_(to) {}

  receive_rules rules;

  // Takes all of `in`, unless the handler or a violation ends it.
  void consume(std::span<const std::byte> in);
  // What the payload that is due may be read into without a copy: pieces, in order. 0 when there is
  // not enough of it to be worth it.
  std::size_t direct(std::span<segment> out) const;
  // `n` bytes, at most what direct showed, were read there.
  void took_direct(std::size_t n);

  // Bytes that are certainly part of the PDU that is being received, or of the next; at least 1.
  std::size_t wanted() const;
  // Of that PDU, bytes that have been taken; and what there is of its header.
  std::size_t taken() const;
  std::span<const std::byte> partial() const {
    return std::span{stash_}.first(state_ == state::header ? stash_size_ : header_size_);
  }
  bool at_boundary() const { return state_ == state::header && stash_size_ == 0; }
  bool ended() const { return ended_; }
  void end() { ended_ = true; }
  // The memory of the PDU that is being received is no longer there: the rest of it is read over.
  void forget_memory() { target_.memory = {}; }
  // Header of the PDU that is being received; only while its data arrives, for events.
  std::span<const std::byte> header() const { return std::span{stash_}.first(header_size_); }

 private:
  enum class state : std::uint8_t { header, padding, data, digest };

  // Each takes its part from the front of `in`; false: more bytes are needed, or it ended.
  bool take_header(std::span<const std::byte>& in);
  bool take_padding(std::span<const std::byte>& in);
  bool take_data(std::span<const std::byte>& in);
  bool take_digest(std::span<const std::byte>& in);

  bool begin(std::span<const std::byte> seen);
  bool dispatch(std::span<const std::byte> header);
  void finish(bool digest_good);
  void next_part();
  void advance(std::size_t n);

  handler& handler_;
  state state_ = state::header;
  bool ended_ = false;
  bool have_shape_ = false;
  std::uint8_t stash_size_ = 0;
  std::uint8_t header_total_ = 0;  // bytes of header and its digest; of a TermReq: all
  std::uint8_t header_size_ = 0;
  std::uint8_t digest_size_ = 0;
  std::uint32_t padding_left_ = 0;
  std::uint32_t data_left_ = 0;
  std::uint32_t crc_ = 0;
  pdu_shape shape_{};
  target target_{};
  std::array<std::byte, 4> digest_{};
  alignas(8) std::array<std::byte, max_header> stash_{};
};

}  // namespace nvmf::tcp
