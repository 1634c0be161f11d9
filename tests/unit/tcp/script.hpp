// SPDX-License-Identifier: BSD-2-Clause
// Sessions on a bench: bytes are written here by hand from NVMe/TCP 3.6 and nothing of our codec
// makes or reads them, so that it cannot agree with itself about a mistake.
#pragma once

#include <doctest/doctest.h>

#include <cassert>
#include <cstring>
#include <nvmf/transport.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/virtual_executor.hpp"
#include "tcp/session/controller_session.hpp"
#include "tcp/session/host_session.hpp"

namespace nvmf::test {

using octets = std::vector<std::byte>;

// "01 02 0a" -> three bytes; blanks are free, "3*00" repeats.
inline octets hex(std::string_view text) {
  octets out;
  std::size_t i = 0;
  const auto digit = [](char c) {
    return static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  };
  while (i < text.size()) {
    if (text[i] == ' ' || text[i] == '\n') {
      ++i;
      continue;
    }
    std::size_t times = 1;
    const std::size_t star = text.find('*', i);
    const std::size_t blank = std::min(text.find_first_of(" \n", i), text.size());
    if (star < blank) {
      times = std::stoul(std::string(text.substr(i, star - i)));
      i = star + 1;
    }
    assert(i + 1 < text.size());
    const auto value = static_cast<std::byte>(digit(text[i]) * 16 + digit(text[i + 1]));
    out.insert(out.end(), times, value);
    i += 2;
  }
  return out;
}

inline octets operator+(octets a, const octets& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// A little-endian number.
inline octets le(std::uint64_t value, std::size_t size) {
  octets out(size);
  for (auto& b : out) {
    b = static_cast<std::byte>(value & 0xff);
    value >>= 8;
  }
  return out;
}
inline std::uint64_t number(std::span<const std::byte> b, std::size_t offset, std::size_t size) {
  std::uint64_t v = 0;
  for (std::size_t i = size; i > 0; --i)
    v = v << 8 | std::to_integer<std::uint64_t>(b[offset + i - 1]);
  return v;
}
inline void put(octets& b, std::size_t offset, std::uint64_t value, std::size_t size) {
  const octets v = le(value, size);
  std::copy(v.begin(), v.end(), b.begin() + static_cast<std::ptrdiff_t>(offset));
}

// CRC32C bit by bit (RFC 3720, B.4): not the code under test.
inline std::uint32_t slow_crc32c(std::span<const std::byte> data) {
  std::uint32_t crc = 0xffffffff;
  for (const std::byte b : data) {
    crc ^= std::to_integer<std::uint32_t>(b);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

inline octets fill(std::size_t size, unsigned seed) {
  octets out(size);
  std::uint32_t x = seed * 2654435761u + 1;
  for (auto& b : out) {
    x = x * 1664525u + 1013904223u;
    b = static_cast<std::byte>(x >> 24);
  }
  return out;
}

// --- PDUs by hand
// ---------------------------------------------------------------------------------

struct dress {
  bool header_digest = false;
  bool data_digest = false;
  std::uint32_t alignment = 4;
};

// Common header, the rest of the header, digest, padding, data, digest. `flags` without digest
// bits.
inline octets pdu(unsigned type, unsigned flags, const octets& rest, const octets& data = {},
                  const dress& as = {}) {
  const std::size_t hlen = 8 + rest.size();
  const std::size_t header_end = hlen + (as.header_digest ? 4 : 0);
  std::size_t pdo = 0;
  if (!data.empty()) pdo = (header_end + as.alignment - 1) / as.alignment * as.alignment;
  const bool ddgst = as.data_digest && !data.empty();
  const std::size_t plen = (data.empty() ? header_end : pdo) + data.size() + (ddgst ? 4 : 0);
  octets out = le(type, 1) + le(flags | (as.header_digest ? 1u : 0u) | (ddgst ? 2u : 0u), 1) +
               le(hlen, 1) + le(pdo, 1) + le(plen, 4) + rest;
  if (as.header_digest) out = out + le(slow_crc32c(out), 4);
  if (!data.empty()) {
    out.resize(pdo);
    out = out + data;
    if (ddgst) out = out + le(slow_crc32c(data), 4);
  }
  return out;
}

inline constexpr unsigned flag_last = 4, flag_success = 8;

// CapsuleCmd: opcode, CID and an SGL; the rest of the SQE is zero.
enum class sgl : unsigned char { none, in_capsule, transport };
inline octets sqe_bytes_of(unsigned opcode, unsigned cid, sgl kind, std::uint64_t length) {
  octets sqe(64);
  sqe[0] = static_cast<std::byte>(opcode);
  sqe[1] = std::byte{0x40};  // PSDT 01b
  put(sqe, 2, cid, 2);
  put(sqe, 32, length, 4);
  sqe[39] = kind == sgl::in_capsule ? std::byte{0x01} : std::byte{0x5a};
  return sqe;
}
inline octets command(unsigned opcode, unsigned cid, sgl kind = sgl::none, std::uint64_t length = 0,
                      const octets& data = {}, const dress& as = {}) {
  return pdu(4, 0, sqe_bytes_of(opcode, cid, kind, length), data, as);
}
// CapsuleResp: `status` is the 15-bit status field.
inline octets response(unsigned cid, unsigned status = 0, unsigned sqhd = 0, const dress& as = {}) {
  return pdu(5, 0, hex("8*00") + le(sqhd, 2) + hex("00 00") + le(cid, 2) + le(status << 1, 2), {},
             as);
}
inline octets c2h(unsigned cid, std::uint64_t offset, const octets& data, unsigned flags = 0,
                  const dress& as = {}) {
  return pdu(7, flags, le(cid, 2) + hex("00 00") + le(offset, 4) + le(data.size(), 4) + hex("4*00"),
             data, as);
}
inline octets h2c(unsigned cid, unsigned ttag, std::uint64_t offset, const octets& data,
                  unsigned flags = 0, const dress& as = {}) {
  return pdu(6, flags, le(cid, 2) + le(ttag, 2) + le(offset, 4) + le(data.size(), 4) + hex("4*00"),
             data, as);
}
inline octets r2t(unsigned cid, unsigned ttag, std::uint64_t offset, std::uint64_t length,
                  const dress& as = {}) {
  return pdu(9, 0, le(cid, 2) + le(ttag, 2) + le(offset, 4) + le(length, 4) + hex("4*00"), {}, as);
}
// TermReq of type 2 (to the controller) or 3 (to the host).
inline octets termreq(unsigned type, unsigned fes, std::uint64_t fei, const octets& offending) {
  return le(type, 1) + hex("00 18 00") + le(24 + offending.size(), 4) + le(fes, 2) + le(fei, 4) +
         hex("10*00") + offending;
}

// --- A session and its surroundings
// ---------------------------------------------------------------

struct outcome {
  int calls = 0;
  std::size_t bytes = 0;
  std::error_code error{};
  data_callback hook() {
    return [this](std::size_t n, std::error_code e) {
      ++calls;
      bytes = n;
      error = e;
    };
  }
};

class bench {
 public:
  explicit bench(role side, tcp::negotiated agreed = {.max_h2c_data = 131072},
                 qpair_params params = {}, tcp::strictness strict = {}) {
    params.side = side;
    if (agreed.max_h2c_data == 0) agreed.max_h2c_data = 131072;
    tcp::session_setup setup{.on = &on,
                             .memory = memory,
                             .params = params,
                             .agreed = agreed,
                             .strict = strict,
                             .id = next_qpair_id(),
                             .peer = "peer",
                             .local = "local"};
    if (side == role::host)
      machine = std::make_shared<tcp::host_session>(std::move(setup));
    else
      machine = std::make_shared<tcp::controller_session>(std::move(setup));
    link = std::make_shared<fake_link>();
    machine->attach(link);
    q = qpair{machine};
  }
  ~bench() { received.clear(); }

  void start() {
    q.start({.on_receive =
                 [this](capsule c) {
                   order += c.is_command() ? 'C' : 'R';
                   received.push_back(std::move(c));
                   if (on_receive) on_receive();
                 },
             .on_error =
                 [this](const qpair_error& e) {
                   order += 'E';
                   ++errors;
                   error = e;
                   if (on_error) on_error();
                 }});
  }
  // As the driver does it: one turn, then everything due leaves.
  void feed(std::span<const std::byte> in) {
    machine->enter_turn();
    if (machine->wants_input()) machine->consume(in);
    machine->leave_turn();
    on.run();
    if (!hold) drain();
  }
  void feed_bytewise(std::span<const std::byte> in) {
    for (std::size_t i = 0; i < in.size(); ++i) feed(in.subspan(i, 1));
  }
  void eof() {
    machine->enter_turn();
    machine->end_of_input();
    machine->leave_turn();
  }
  // Takes up to `most` bytes off what is due to leave.
  void drain(std::size_t most = SIZE_MAX) {
    while (machine->has_output() && most > 0) {
      std::array<segment, 8> pieces;  // few, so that lists are cut
      const std::size_t count = machine->gather(pieces, std::min<std::size_t>(most, 100'000));
      std::size_t total = 0;
      for (const segment& s : std::span{pieces}.first(count)) {
        out.insert(out.end(), s.data, s.data + s.size);
        total += s.size;
      }
      REQUIRE(total > 0);
      machine->enter_turn();
      machine->sent(total);
      machine->leave_turn();
      most -= total;
    }
    on.run();
  }
  octets take_out() { return std::exchange(out, {}); }

  // Host: transmits a command with data.
  capsule send(unsigned opcode, const memdesc& mem = {}, direction way = direction::none,
               data_callback done = {}) {
    std::array<std::byte, 64> sqe{};
    sqe[0] = static_cast<std::byte>(opcode);
    auto c = q.allocate_command(sqe);
    REQUIRE(c.has_value());
    REQUIRE_FALSE(q.append_data(*c, mem, mem.size(), way, std::move(done)));
    REQUIRE_FALSE(q.transmit(*c));
    if (!hold) drain();
    return std::move(*c);
  }
  // Controller: answers with a status.
  std::error_code answer(unsigned cid, unsigned status = 0) {
    cqe_bytes cqe{};
    cqe[12] = static_cast<std::byte>(cid & 0xff);
    cqe[13] = static_cast<std::byte>(cid >> 8);
    cqe[14] = static_cast<std::byte>((status << 1) & 0xff);
    cqe[15] = static_cast<std::byte>(status >> 7);
    auto r = q.allocate_response(cqe);
    REQUIRE(r.has_value());
    const auto result = q.transmit_response(std::move(*r));
    if (!hold) drain();
    return result;
  }
  // The connection ended with exactly this TermReq and this violation.
  void check_terminated(unsigned fes, std::uint64_t fei, const octets& offending) {
    const bool host = q.side() == role::host;
    CHECK(take_out() == termreq(host ? 2 : 3, fes, fei, offending));
    CHECK(errors == 1);
    CHECK(error.code == errc::protocol_violation);
    CHECK(error.violation.fes == fes);
    CHECK(error.violation.fei == fei);
    CHECK_FALSE(error.violation.reason.empty());
    CHECK(machine->after() == tcp::session::aftermath::await_peer);
    CHECK_FALSE(machine->wants_input());
  }

  struct fake_link final : tcp::wire_link {
    int begun = 0, finished = 0, wakes = 0, resets = 0, half_closes = 0;
    bool clean = false;
    void begin() override { ++begun; }
    void wake() noexcept override { ++wakes; }
    void finish(bool how) override {
      ++finished;
      clean = how;
    }
    void reset() override { ++resets; }
    void half_close() override { ++half_closes; }
    arrival peek(std::span<std::byte> into) override {
      const std::size_t n = kernel == nullptr ? 0 : std::min(kernel->size(), into.size());
      if (n > 0) std::copy_n(kernel->begin(), n, into.begin());
      return {.bytes = n, .ended = n == 0 && ended};
    }
    const octets* kernel = nullptr;  // what has arrived
    bool ended = false;
  };

  virtual_executor on;
  std::shared_ptr<tcp::memory_pool> memory = std::make_shared<tcp::memory_pool>();
  std::shared_ptr<tcp::session> machine;
  std::shared_ptr<fake_link> link;
  qpair q;
  octets out{};
  bool hold = false;  // nothing leaves unless drained
  std::vector<capsule> received{};
  std::function<void()> on_receive{}, on_error{};
  int errors = 0;
  qpair_error error{};
  std::string order{};  // C command, R response, E error; tests add their own
};

}  // namespace nvmf::test
