// SPDX-License-Identifier: BSD-2-Clause
// Puts the proxy's addresses into the discovery log entries that a controller sends, so that hosts
// find their way through the proxy. Lengths stay, everything else passes as it is.
//
// An entry is held back until all of it is there; where its PDU or its command ends within it, it
// is rewritten in parts. Its port depends on its address, which comes behind the port: an entry of
// which the address is in a later part gets a port that is told its target then.
#pragma once

#include <bitset>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wire/bytes.hpp"

namespace nvmf::cli::proxy {

// Knows which port of the proxy stands for an address. 0: none, the entry stays as it is.
class address_book {
 public:
  virtual ~address_book() = default;
  virtual std::uint16_t port_for(std::string_view traddr, std::string_view trsvcid) = 0;
  // For an entry whose address is told later.
  virtual std::uint16_t reserve() = 0;
  // False: that is no address.
  virtual bool settle(std::uint16_t port, std::string_view traddr, std::string_view trsvcid) = 0;
  virtual void rewritten() {}  // an entry, each time
  virtual void left_alone(std::string_view /*why*/) {}
};

class rewriting {
 public:
  static constexpr std::size_t entries_max = 4096;  // that are remembered

  // `address`: the proxy's, as text; ADRFAM follows from it.
  rewriting(address_book& book, std::string address);

  // What the host sends, as it passes.
  void from_host(wire::byte_span bytes);
  // What to pass on for what the controller sends; stays until the next call.
  wire::byte_span from_controller(std::span<std::byte> bytes);
  // It sends no more: what was held back, as it came.
  wire::byte_span rest();
  // Nothing more will be rewritten: an I/O queue, or no NVMe/TCP.
  bool over() const { return over_ && !now_.on; }

 private:
  static constexpr std::size_t head_max = 128;  // of ICReq and ICResp
  // Where PDUs begin, in one direction.
  struct walk {
    std::array<std::byte, head_max> head{};
    std::size_t have = 0;    // of the header
    std::uint64_t left = 0;  // of the PDU, behind it
    std::size_t hlen() const { return std::to_integer<std::size_t>(head[2]); }
  };
  // The C2HData that is being rewritten.
  struct transfer {
    bool on = false;
    std::uint64_t before = 0, data = 0, behind = 0;  // bytes to come: up to the data, of it, digest
    std::uint32_t crc_was = 0, crc = 0;
  };
  // What is known of an entry, as the controller sent it.
  struct entry {
    std::array<std::byte, 64> front{};     // up to the end of TRSVCID
    std::array<std::byte, 256> address{};  // TRADDR
    std::bitset<64> has_front;
    std::bitset<256> has_address;
    std::uint16_t reserved = 0;
    bool left = false;  // as it is
  };

  enum class header : std::uint8_t { more, whole, wrong };
  static header take_header(walk& w, wire::byte_span& bytes);
  void look_at_command(wire::byte_span head);
  void look_at_answer(wire::byte_span head);
  void body(std::span<std::byte>& bytes);
  void take_data(wire::byte_span bytes);
  void take_digest(wire::byte_span bytes);
  void rewrite(std::span<std::byte> piece, std::uint64_t at);
  void rewrite_entry(entry& e, std::span<std::byte> piece, std::size_t at);
  static void learn(entry& e, wire::byte_span piece, std::size_t at);
  std::uint16_t port_of(entry& e);
  void pass(wire::byte_span bytes);

  address_book& book_;
  std::string address_;
  bool over_ = false;
  walk host_, controller_;
  transfer now_;
  std::unordered_map<std::uint16_t, std::uint64_t> reads_;  // by CID: where in the log they begin
  std::map<std::uint64_t, entry> entries_;
  std::vector<std::byte> held_;  // of an entry
  std::uint64_t held_at_ = 0;    // where in the log
  std::vector<std::byte> digest_;
  std::vector<std::byte> out_;
};

}  // namespace nvmf::cli::proxy
