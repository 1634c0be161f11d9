// SPDX-License-Identifier: BSD-2-Clause
// The packets that the bytes of a connection could have travelled in, for traffic that was seen
// where there are none: at a proxy, inside our own ends. IPv4 or IPv6 without a link
// (LINKTYPE_RAW), TCP with sequence numbers, handshake, end and checksums, as a capture program
// would have them.
//
// Data is never copied here: who takes a packet gets its headers and spans of the caller's bytes.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "segment.hpp"

namespace nvmf::trace {

inline constexpr std::uint16_t link_raw_ip = 101;

struct packet_place;

// Everything in it is borrowed for the call.
struct made_packet {
  byte_span headers;                // IP and TCP
  std::span<const byte_span> data;  // behind them, as much of it as is to be kept
  std::size_t bytes = 0;            // of headers and data
  std::uint32_t wire_bytes = 0;     // with what is not kept
  std::int64_t ns = 0;
  unsigned from = 0;
  // Where it stands; of bytes that take several packets the last of them may end its PDU. Null: not
  // known.
  const packet_place* place = nullptr;
  bool last = true;
};

class made_packet_sink {
 public:
  virtual ~made_packet_sink() = default;
  virtual void on_made(const made_packet& p) = 0;
};

struct packet_maker_options {
  // Of the data of each packet so many bytes are kept; its record tells the true length. Whoever
  // cuts should begin each PDU with a send() of its own, or headers are lost.
  std::size_t data_bytes = ~std::size_t{0};
};

// One connection.
class packet_maker {
 public:
  // Of each packet; with the headers of IPv6 it stays below 65536.
  static constexpr std::size_t segment_bytes_max = 60'000;

  // `first` opens the connection. Both are of one family.
  packet_maker(const endpoint& first, const endpoint& second, packet_maker_options options,
               made_packet_sink& to);

  // The handshake; send() and close() do it where it was not done.
  void open(std::int64_t ns);
  // Bytes that one end (0: the first) sends: in one packet, or as few as hold them.
  void send(unsigned from, std::span<const byte_span> pieces, std::int64_t ns);
  void send(unsigned from, byte_span bytes, std::int64_t ns) {
    send(from, std::span<const byte_span>{&bytes, 1}, ns);
  }
  // So many bytes that it sent and that nobody has kept.
  void skip(unsigned from, std::uint64_t bytes, std::int64_t ns);
  // It sends no more: a FIN. The other end may go on.
  void close(unsigned from, std::int64_t ns);
  // It lets go of the connection: a RST.
  void reset(unsigned from, std::int64_t ns);

  // Of the packets that are made from now on; outlives them.
  void stand_at(const packet_place* place) { place_ = place; }

  bool is_open() const { return opened_; }
  const endpoint& end(unsigned which) const { return ends_[which]; }

 private:
  void make(unsigned from, std::uint8_t flags, std::size_t data_bytes, std::int64_t ns,
            bool last = true);
  std::size_t put_ip(unsigned from, std::size_t behind);

  std::array<endpoint, 2> ends_;
  packet_maker_options options_;
  made_packet_sink& to_;
  std::array<std::uint32_t, 2> next_{};  // sequence numbers; the handshake takes number 0
  bool opened_ = false, reset_ = false;
  std::array<bool, 2> closed_{};
  std::array<std::byte, 40 + 32> head_{};
  const packet_place* place_ = nullptr;
  std::vector<byte_span> data_;  // of the packet that is made
};

}  // namespace nvmf::trace
