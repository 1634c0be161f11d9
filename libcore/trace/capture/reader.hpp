// SPDX-License-Identifier: BSD-2-Clause
// Capture files, fed with bytes as they come: pcap (micro- and nanoseconds) and pcapng, in both
// byte orders. Packets are spans of what was fed; nothing is copied and nothing is kept but the
// list of interfaces.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "packet.hpp"

namespace nvmf::trace {

// A record that claims more is damage: no capture program writes packets of that size.
inline constexpr std::uint32_t record_bytes_max = 16u << 20;
inline constexpr std::size_t interfaces_max = 4096;

class capture_reader {
 public:
  enum class step : std::uint8_t {
    packet,  // one packet, taken off the bytes
    more,    // the bytes that are left do not hold a whole one
    failed,  // error() says why; there is no going on
  };

  // Takes the next packet off the front of `bytes`. After `more` the caller puts what follows
  // behind the bytes that were left, until wanted() of them are there, and asks again.
  step next(byte_span& bytes, packet& out);
  std::size_t wanted() const { return wanted_; }

  // The input has ended, and `left` bytes were left over. What is wrong with that, or nothing.
  std::optional<std::string> finish(std::size_t left) const;

  const std::string& error() const { return error_; }
  std::uint64_t packets() const { return packets_; }
  std::uint64_t offset() const { return offset_; }  // bytes taken so far
  bool begun() const { return what_ != format::unknown; }

 private:
  enum class format : std::uint8_t { unknown, pcap, pcapng };
  struct interface {
    std::uint16_t link = 0;
    std::uint32_t snap = 0;  // 0: none
    std::uint8_t resolution = 6;
    std::int64_t offset_s = 0;
  };

  std::uint64_t load(byte_span b, std::size_t at, std::size_t size) const {
    return big_ ? wire::load_be(b, at, size) : wire::load_le(b, at, size);
  }
  void take(byte_span& bytes, std::size_t n) {
    bytes = bytes.subspan(n);
    offset_ += n;
  }
  step need(std::size_t n) {
    wanted_ = n;
    return step::more;
  }
  step fail(std::string why) {
    error_ = std::move(why);
    return step::failed;
  }
  void skip(byte_span& bytes);
  step begin(byte_span& bytes);
  step next_pcap(byte_span& bytes, packet& out);
  // pcapng.cpp
  step next_block(byte_span& bytes, packet& out, bool& found);
  step section(byte_span& bytes);
  step block(std::uint32_t type, byte_span body, packet& out, bool& found);
  step add_interface(byte_span body);
  step packet_of(std::uint32_t type, byte_span body, packet& out);

  format what_ = format::unknown;
  bool big_ = false;
  bool nanoseconds_ = false;   // pcap
  std::uint16_t link_ = 0;     // pcap
  std::uint64_t to_skip_ = 0;  // of a block that nobody wants
  std::size_t wanted_ = 4;
  std::uint64_t offset_ = 0;
  std::uint64_t packets_ = 0;
  std::int64_t last_ns_ = 0;
  std::vector<interface> interfaces_;  // of the section
  std::string error_;
};

// The comments that a packet of pcapng has, one by one; as they are, which may be no UTF-8.
void for_each_comment(const packet& p, const std::function<void(std::string_view)>& to);

}  // namespace nvmf::trace
