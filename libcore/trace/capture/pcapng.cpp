// SPDX-License-Identifier: BSD-2-Clause
// pcapng (draft-ietf-opsawg-pcapng): sections, interfaces, and the three blocks that hold packets.
// All other blocks are skipped without being held.
#include <fmt/format.h>

#include <algorithm>

#include "pcapng_blocks.hpp"
#include "reader.hpp"

namespace nvmf::trace {

using namespace pcapng;

namespace {

constexpr std::size_t block_head = 8, block_tail = 4, section_head = 28;

bool is_held(std::uint32_t type) {
  return type == interface_block || type == old_packet_block || type == simple_packet_block ||
         type == enhanced_packet_block;
}

// In the year 2106, where 32 bits of seconds end as well: differences of times fit in 64 bits.
constexpr std::uint64_t ns_max = std::uint64_t{0x1'0000'0000} * 1'000'000'000;

std::int64_t wrapped(std::uint64_t n) { return static_cast<std::int64_t>(n); }

// if_tsresol: a power of ten, or with its highest bit of two.
std::uint64_t nanoseconds(std::uint64_t ticks, std::uint8_t resolution) {
  constexpr std::uint64_t second = 1'000'000'000;
  unsigned power = resolution & 0x7f;
  if ((resolution & 0x80) != 0) {
    if (power >= 64) return 0;
    const std::uint64_t seconds = power == 0 ? ticks : ticks >> power;
    std::uint64_t part = ticks & ((std::uint64_t{1} << power) - 1);
    // Thirty bits of the fraction are finer than a nanosecond.
    if (power > 30) {
      part >>= power - 30;
      power = 30;
    }
    return seconds * second + ((part * second) >> power);
  }
  for (; power < 9; ++power) ticks *= 10;
  for (; power > 9 && ticks > 0; --power) ticks /= 10;
  return ticks;
}

}  // namespace

void for_each_comment(const packet& p, const std::function<void(std::string_view)>& to) {
  const auto load = [&p](std::size_t at) {
    return p.options_big ? wire::load_be(p.options, at, 2) : wire::load_le(p.options, at, 2);
  };
  for (std::size_t at = 0; p.options.size() - at >= 4;) {
    const std::uint64_t code = load(at);
    const auto length = static_cast<std::size_t>(load(at + 2));
    if (code == 0 || length > p.options.size() - at - 4) return;
    const byte_span value = p.options.subspan(at + 4, length);
    if (code == option_comment) to({reinterpret_cast<const char*>(value.data()), value.size()});
    at = std::min(p.options.size(), at + 4 + (length + 3) / 4 * 4);
  }
}

// One block: `found` when it held a packet.
capture_reader::step capture_reader::next_block(byte_span& bytes, packet& out, bool& found) {
  if (bytes.size() < block_head) return need(block_head);
  if (wire::load_le(bytes, 0, 4) == section_block) return section(bytes);
  const auto type = static_cast<std::uint32_t>(load(bytes, 0, 4));
  const auto length = static_cast<std::uint32_t>(load(bytes, 4, 4));
  if (length < block_head + block_tail || length % 4 != 0)
    return fail(fmt::format("damaged: the block at byte {} has a length of {}", offset_, length));
  if (!is_held(type)) {
    to_skip_ = length;
    return step::packet;
  }
  if (length > record_bytes_max)
    return fail(
        fmt::format("damaged: the block at byte {} says that it has {} bytes", offset_, length));
  if (bytes.size() < length) return need(length);
  const step s =
      block(type, bytes.subspan(block_head, length - block_head - block_tail), out, found);
  if (s == step::packet) take(bytes, length);
  return s;
}

capture_reader::step capture_reader::section(byte_span& bytes) {
  if (bytes.size() < section_head) return need(section_head);
  big_ = wire::load_be(bytes, 8, 4) == byte_order_magic;
  if (load(bytes, 8, 4) != byte_order_magic)
    return fail(
        fmt::format("damaged: the section at byte {} does not tell its byte order", offset_));
  const auto length = static_cast<std::uint32_t>(load(bytes, 4, 4));
  if (length < section_head || length % 4 != 0)
    return fail(fmt::format("damaged: the section at byte {} has a length of {}", offset_, length));
  if (const auto major = load(bytes, 12, 2); major != 1)
    return fail(fmt::format("a pcapng of version {}, where 1 is known", major));
  interfaces_.clear();
  to_skip_ = length;
  return step::packet;
}

capture_reader::step capture_reader::block(std::uint32_t type, byte_span body, packet& out,
                                           bool& found) {
  if (type == interface_block) return add_interface(body);
  found = true;
  return packet_of(type, body, out);
}

capture_reader::step capture_reader::add_interface(byte_span body) {
  if (body.size() < 8)
    return fail(fmt::format("damaged: the interface at byte {} is cut short", offset_));
  if (interfaces_.size() == interfaces_max)
    return fail(fmt::format("damaged: more than {} interfaces", interfaces_max));
  interface i{.link = static_cast<std::uint16_t>(load(body, 0, 2)),
              .snap = static_cast<std::uint32_t>(load(body, 4, 4))};
  for (byte_span options = body.subspan(8); options.size() >= 4;) {
    const auto code = load(options, 0, 2);
    const auto length = static_cast<std::size_t>(load(options, 2, 2));
    const std::size_t padded = 4 + (length + 3) / 4 * 4;
    if (code == 0 || padded > options.size()) break;
    if (code == interface_resolution && length == 1)
      i.resolution = std::to_integer<std::uint8_t>(options[4]);
    if (code == interface_offset && length == 8) i.offset_s = wrapped(load(options, 4, 8));
    options = options.subspan(padded);
  }
  interfaces_.push_back(i);
  return step::packet;
}

capture_reader::step capture_reader::packet_of(std::uint32_t type, byte_span body, packet& out) {
  const bool simple = type == simple_packet_block;
  const std::size_t head = simple ? 4 : 20;
  if (body.size() < head)
    return fail(fmt::format("damaged: the packet at byte {} is cut short", offset_));
  const auto number =
      simple ? 0 : static_cast<std::size_t>(load(body, 0, type == old_packet_block ? 2 : 4));
  if (number >= interfaces_.size())
    return fail(fmt::format("damaged: packet {} at byte {} is of interface {}, of {} there are",
                            packets_ + 1, offset_, number, interfaces_.size()));
  const interface& i = interfaces_[number];
  const std::size_t room = body.size() - head;
  const auto whole = static_cast<std::uint32_t>(load(body, simple ? 0 : 16, 4));
  std::size_t captured = std::min<std::size_t>(whole, i.snap == 0 ? room : i.snap);
  if (!simple) captured = static_cast<std::size_t>(load(body, 12, 4));
  if (captured > room && simple) captured = room;
  if (captured > room)
    return fail(fmt::format("damaged: packet {} at byte {} is longer than its block", packets_ + 1,
                            offset_));
  // A simple packet has no time: it came after the one before.
  if (!simple) {
    const std::uint64_t ticks = (load(body, 4, 4) << 32) | load(body, 8, 4);
    const auto offset = static_cast<std::uint64_t>(i.offset_s) * 1'000'000'000u;
    last_ns_ = wrapped(std::min(nanoseconds(ticks, i.resolution) + offset, ns_max));
  }
  out.bytes = body.subspan(head, captured);
  out.wire_bytes = std::max(static_cast<std::uint32_t>(captured), whole);
  out.link = i.link;
  out.at = {last_ns_, ++packets_};
  const std::size_t padded = (captured + 3) / 4 * 4;
  out.options = simple ? byte_span{} : body.subspan(std::min(body.size(), head + padded));
  out.options_big = big_;
  return step::packet;
}

}  // namespace nvmf::trace
