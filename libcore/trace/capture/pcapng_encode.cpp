// SPDX-License-Identifier: BSD-2-Clause
#include "pcapng_encode.hpp"

#include <algorithm>
#include <cassert>

#include "pcapng_blocks.hpp"

namespace nvmf::trace {

using namespace pcapng;

namespace {

using bytes = std::vector<std::byte>;

constexpr std::byte resolution_ns{9};  // if_tsresol: ten to the power of -9

void add_le(bytes& to, std::uint64_t value, std::size_t size) {
  to.resize(to.size() + size);
  wire::store_le(to, to.size() - size, size, value);
}

// To the next 32-bit word; blocks begin at one.
void pad(bytes& to, std::size_t length) { to.resize(to.size() + (4 - length % 4) % 4); }

std::size_t begin_block(bytes& to, std::uint32_t type) {
  const std::size_t begun = to.size();
  add_le(to, type, 4);
  add_le(to, 0, 4);
  return begun;
}

void end_block(bytes& to, std::size_t begun) {
  const std::size_t length = to.size() + 4 - begun;
  add_le(to, length, 4);
  wire::store_le(to, begun + 4, 4, length);
}

void add_option(bytes& to, std::uint16_t code, byte_span value) {
  add_le(to, code, 2);
  add_le(to, value.size(), 2);
  to.insert(to.end(), value.begin(), value.end());
  pad(to, value.size());
}

std::string_view fitting(std::string_view text) {
  if (text.size() <= pcapng_text_max) return text;
  std::size_t n = pcapng_text_max;
  // Not between the bytes of a character (RFC 3629).
  while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xc0) == 0x80) --n;
  return text.substr(0, n);
}

void add_text(bytes& to, std::uint16_t code, std::string_view text) {
  if (!text.empty()) add_option(to, code, std::as_bytes(std::span{fitting(text)}));
}

void end_options(bytes& to) { add_le(to, option_end, 4); }

}  // namespace

void append_section(bytes& to, const pcapng_section& s) {
  const std::size_t begun = begin_block(to, section_block);
  add_le(to, byte_order_magic, 4);
  add_le(to, 1, 2);  // version 1.0
  add_le(to, 0, 2);
  add_le(to, ~std::uint64_t{0}, 8);  // its length is not known yet
  add_text(to, section_hardware, s.hardware);
  add_text(to, section_os, s.os);
  add_text(to, section_application, s.application);
  end_options(to);
  end_block(to, begun);
}

void append_interface(bytes& to, const pcapng_interface& i) {
  const std::size_t begun = begin_block(to, interface_block);
  add_le(to, i.link, 4);  // with two reserved bytes
  add_le(to, i.snap, 4);
  add_text(to, interface_description, i.description);
  add_option(to, interface_resolution, {&resolution_ns, 1});
  end_options(to);
  end_block(to, begun);
}

std::size_t begin_packet(bytes& to, const pcapng_packet& p) {
  std::size_t captured = p.first.size();
  for (const byte_span piece : p.rest) captured += piece.size();
  assert(p.wire_bytes >= captured);
  const std::size_t begun = begin_block(to, enhanced_packet_block);
  const auto ticks = static_cast<std::uint64_t>(std::max<std::int64_t>(p.ns, 0));
  add_le(to, p.interface, 4);
  add_le(to, ticks >> 32, 4);
  add_le(to, ticks & 0xffff'ffff, 4);
  add_le(to, captured, 4);
  add_le(to, p.wire_bytes, 4);
  to.insert(to.end(), p.first.begin(), p.first.end());
  for (const byte_span piece : p.rest) to.insert(to.end(), piece.begin(), piece.end());
  pad(to, captured);
  return begun;
}

void append_comment(bytes& to, std::string_view text) { add_text(to, option_comment, text); }

void end_packet(bytes& to, std::size_t begun, bool commented) {
  if (commented) end_options(to);
  end_block(to, begun);
}

}  // namespace nvmf::trace
