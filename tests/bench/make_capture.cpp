// SPDX-License-Identifier: BSD-2-Clause
// make_capture KIND MIB FILE: a capture of made-up NVMe/TCP traffic in packets of the loopback's
// size, for benchmarks. KIND: read4k, write4k, read128k, write128k, with +digests.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "support/packets.hpp"

using namespace nvmf::test;

namespace {

// The first is that of the admin queue, which has no part in the traffic.
constexpr unsigned connections = 5, depth = 16;
constexpr std::size_t segment_max = 65483;

std::uint32_t crc32c(std::span<const std::byte> b) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t c = i;
      for (int k = 0; k < 8; ++k) c = (c >> 1) ^ ((c & 1) != 0 ? 0x82f63b78u : 0);
      t[i] = c;
    }
    return t;
  }();
  std::uint32_t c = ~0u;
  for (const std::byte x : b) c = table[(c ^ std::to_integer<std::uint32_t>(x)) & 0xff] ^ (c >> 8);
  return ~c;
}

class maker {
 public:
  maker(std::FILE* out, bool digests) : out_(out), digests_(digests) {
    const pcap_file head(1, false, true);
    write(head.bytes);
  }
  std::uint64_t written() const { return written_; }
  bool failed() const { return std::ferror(out_) != 0; }

  // One PDU with digests where they are agreed; its data digest is worked out once.
  octets dressed(octets pdu) {
    if (!digests_ || pdu[0] <= std::byte{1}) return pdu;
    const auto hlen = std::to_integer<std::size_t>(pdu[2]);
    const octets data(pdu.begin() + static_cast<std::ptrdiff_t>(hlen), pdu.end());
    octets out(pdu.begin(), pdu.begin() + static_cast<std::ptrdiff_t>(hlen));
    out[1] |= static_cast<std::byte>(data.empty() ? 1 : 3);
    if (!data.empty()) out[3] = static_cast<std::byte>(hlen + 4);
    put(out, 4, hlen + 4 + data.size() + (data.empty() ? 0 : 4), 4);
    le(out, crc32c(out), 4);
    add(out, data);
    if (!data.empty()) {
      if (data.size() != last_size_) last_crc_ = crc32c(data);
      last_size_ = data.size();
      le(out, last_crc_, 4);
    }
    return out;
  }
  void send(unsigned c, bool to_controller, const octets& bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += segment_max) {
      const std::size_t n = std::min(segment_max, bytes.size() - at);
      segment(c, to_controller, 0x18, std::span{bytes}.subspan(at, n));
    }
  }
  void open(unsigned c) {
    segment(c, true, 0x02, {});
    ++next_[c][1];
    segment(c, false, 0x12, {});
    ++next_[c][0];
    send(c, true, icreq(digests_ ? 3 : 0));
    send(c, false, icresp(digests_ ? 3 : 0));
    octets connect = with_sgl(
        connect_pdu(0, c, "nqn.2014-08.org.example:host", "nqn.2014-08.org.example:subsystem"),
        1024, true);
    put(connect, 72, 1, 1);  // HOSTID
    last_size_ = 0;          // its data is not that of the connect before
    if (c != 0) {
      put(connect, 72 + 16, 1, 2);  // the controller of the admin queue
      put(connect, 8 + 48, 0, 4);
    }
    send(c, true, dressed(connect));
    send(c, false, dressed(response(c, 0, 1)));
    if (c == 0) enable();
  }
  // Property Set of CC (Fabrics 3.5): EN, and entries of 64 and 16 bytes.
  void enable() {
    octets set = with_sgl(command_pdu(0x7f, 1, {}, 0), 0, true);
    put(set, 8 + 40, 0, 1);
    put(set, 8 + 44, 0x14, 4);
    put(set, 8 + 48, 0x460001, 8);
    put(set, 8 + 56, 0, 2);
    send(0, true, dressed(set));
    send(0, false, dressed(response(0, 1)));
  }
  // With the head of the submission queue, which moves by one for each command.
  octets response(unsigned c, unsigned cid, std::uint64_t dw0 = 0) {
    octets b = response_pdu(cid, 0, dw0);
    head_[c] = (head_[c] + 1) % 32;
    put(b, 8 + 8, head_[c], 2);
    return b;
  }
  static octets with_sgl(octets command, std::size_t size, bool in_capsule) {
    put(command, 8 + 32, size, 4);
    put(command, 8 + 39, in_capsule ? 0x01 : 0x5a, 1);
    return command;
  }

 private:
  void segment(unsigned c, bool to_controller, std::uint8_t flags,
               std::span<const std::byte> payload) {
    tcp_packet p{.flags = flags};
    p.from = static_cast<std::uint16_t>(to_controller ? 40000 + c : 4420);
    p.to = static_cast<std::uint16_t>(to_controller ? 4420 : 40000 + c);
    if (!to_controller) std::swap(p.source, p.destination);
    p.sequence = next_[c][to_controller ? 1 : 0];
    p.acknowledged = next_[c][to_controller ? 0 : 1];
    p.payload.assign(payload.begin(), payload.end());
    const octets frame = frame_of(p);
    octets record;
    time_ns_ += 1500;
    le(record, time_ns_ / 1'000'000'000, 4);
    le(record, time_ns_ % 1'000'000'000, 4);
    le(record, frame.size(), 4);
    le(record, frame.size(), 4);
    write(record);
    write(frame);
    next_[c][to_controller ? 1 : 0] += static_cast<std::uint32_t>(payload.size());
  }
  void write(const octets& b) { written_ += std::fwrite(b.data(), 1, b.size(), out_); }

  std::FILE* out_;
  bool digests_;
  std::uint64_t written_ = 0;
  std::uint64_t time_ns_ = 1'700'000'000'000'000'000;
  std::uint32_t next_[connections][2] = {};
  unsigned head_[connections] = {};
  std::size_t last_size_ = 0;
  std::uint32_t last_crc_ = 0;
};

void read_round(maker& m, unsigned c, unsigned cid, std::size_t size) {
  const auto nlb = static_cast<unsigned>(size / 512 - 1);
  m.send(c, true,
         m.dressed(maker::with_sgl(command_pdu(0x02, cid, {}, 1, cid * 8, nlb), size, false)));
  octets answer = m.dressed(data_pdu(0x07, 0x04, cid, 0, 0, filled(size, 0x5a)));
  add(answer, m.dressed(m.response(c, cid)));
  m.send(c, false, answer);
}

void write_round(maker& m, unsigned c, unsigned cid, std::size_t size) {
  const auto nlb = static_cast<unsigned>(size / 512 - 1);
  const bool in_capsule = size <= 8192;
  const octets data = in_capsule ? filled(size, 0x5a) : octets{};
  m.send(
      c, true,
      m.dressed(maker::with_sgl(command_pdu(0x01, cid, data, 1, cid * 8, nlb), size, in_capsule)));
  if (!in_capsule) {
    m.send(c, false, m.dressed(r2t_pdu(cid, 1, 0, static_cast<std::uint32_t>(size))));
    m.send(c, true, m.dressed(data_pdu(0x06, 0x04, cid, 1, 0, filled(size, 0x5a))));
  }
  m.send(c, false, m.dressed(m.response(c, cid)));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: make_capture KIND MIB FILE\n", stderr);
    return 2;
  }
  const std::string kind = argv[1];
  const std::uint64_t wanted = std::strtoull(argv[2], nullptr, 10) << 20;
  std::FILE* out = std::strcmp(argv[3], "-") == 0 ? stdout : std::fopen(argv[3], "wb");
  if (out == nullptr) {
    std::perror(argv[3]);
    return 1;
  }
  maker m(out, kind.ends_with("+digests"));
  const bool writes = kind.starts_with("write");
  const std::size_t size = kind.find("128k") != std::string::npos ? 131072 : 4096;
  for (unsigned c = 0; c < connections; ++c) m.open(c);
  for (unsigned n = 0; m.written() < wanted && !m.failed(); ++n) {
    const unsigned queues = connections - 1, c = 1 + n % queues;
    const unsigned cid = n / queues % depth + (n / 1000 % 16) * 0x1000;
    writes ? write_round(m, c, cid, size) : read_round(m, c, cid, size);
  }
  const bool failed = m.failed();
  return std::fclose(out) != 0 || failed ? 1 : 0;
}
