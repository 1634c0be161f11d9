// SPDX-License-Identifier: BSD-2-Clause
// From the bytes of one direction to PDUs, by their headers alone: payload is skipped unless a
// digest covers it or somebody asked for its first bytes. When framing is lost (bytes are missing
// where a header should be, or a header is none), it looks for the next plausible header.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "pdu.hpp"

namespace nvmf::trace {

// A PDU that claims more is taken for lost framing; the largest data of hosts and controllers in
// the field is a few MiB.
inline constexpr std::uint32_t pdu_bytes_max = 64u << 20;

enum class framing_lost : std::uint8_t {
  middle,    // the capture begins within the stream
  absent,    // a header is missing
  bad_plen,  // a header says a length that cannot be
};

class pdu_sink {
 public:
  virtual ~pdu_sink() = default;
  // The header of `p` is there, its data is not yet: how many bytes of them to keep for on_pdu.
  virtual std::size_t data_wanted(const pdu& p) = 0;
  virtual void on_pdu(const pdu& p) = 0;
  virtual void on_lost(way w, framing_lost why, const stamp& at) = 0;
  // Framing was found again; so many bytes in between were not looked at.
  virtual void on_found(way w, std::uint64_t skipped, const stamp& at) = 0;
};

// Could a PDU of that direction begin here? Eight bytes decide.
bool is_plausible_header(way w, byte_span eight_bytes);

class framer {
 public:
  framer(way w, pdu_sink& to) : way_(w), to_(to) {}

  void take(byte_span bytes, const stamp& at);
  void absent(std::uint64_t bytes, const stamp& at);
  // Nobody knows where the next PDU begins.
  void lose(framing_lost why, const stamp& at);

  bool searching() const { return state_ == state::searching; }
  bool within_pdu() const { return state_ == state::body || have_ > 0; }
  std::uint64_t offset() const { return offset_; }

 private:
  enum class state : std::uint8_t { head, body, searching };
  static constexpr std::size_t head_max = 255 + 4;

  std::size_t take_head(byte_span bytes, const stamp& at);
  std::size_t take_body(byte_span bytes, const stamp& at);
  std::size_t search(byte_span bytes, const stamp& at);
  bool read_common(byte_span bytes, const stamp& at);
  std::size_t head_bytes() const;
  void open(byte_span head);
  void body_bytes(byte_span bytes);
  void whole(byte_span bytes, const stamp& at);
  void end_at(const stamp& at);
  void close(const stamp& at);

  way way_;
  pdu_sink& to_;
  state state_ = state::head;
  std::array<std::byte, head_max> head_;
  std::size_t have_ = 0;      // bytes in head_
  std::uint64_t at_ = 0;      // how far into the PDU, in state::body
  std::uint64_t offset_ = 0;  // of the next byte in the direction
  std::uint64_t skipped_ = 0;
  pdu pdu_;
  std::size_t keep_ = 0;
  bool crc_runs_ = false;
  std::uint32_t crc_ = 0;
  std::array<std::byte, 4> digest_;
  std::vector<std::byte> kept_;
};

}  // namespace nvmf::trace
