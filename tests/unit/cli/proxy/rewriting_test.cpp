// SPDX-License-Identifier: BSD-2-Clause
// Discovery logs made byte by byte from the specification (Base 2.0, 5.16.1.23; TCP 1.0, 3.6), in
// PDUs of any size, and what a host gets for them.
#include "proxy/rewriting.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "support/packets.hpp"

using namespace nvmf;
using namespace nvmf::test;
using nvmf::cli::proxy::address_book;
using nvmf::cli::proxy::rewriting;

namespace {

// CRC32C bit by bit (RFC 3720, B.4): not the one under test.
std::uint32_t slow_crc(std::span<const std::byte> of) {
  std::uint32_t crc = ~0u;
  for (const std::byte b : of) {
    crc ^= std::to_integer<std::uint32_t>(b);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

void put_field(octets& in, std::size_t at, std::size_t size, std::string_view text, char pad) {
  for (std::size_t i = 0; i < size; ++i)
    in[at + i] = static_cast<std::byte>(i < text.size() ? text[i] : pad);
}

octets entry(std::string_view traddr, std::string_view trsvcid, char pad = ' ', unsigned trtype = 3,
             unsigned adrfam = 1) {
  octets e(1024);
  for (std::size_t i = 0; i < e.size(); ++i) e[i] = static_cast<std::byte>(i * 3);
  put(e, 0, trtype, 1);
  put(e, 1, adrfam, 1);
  put_field(e, 32, 32, trsvcid, pad);
  put_field(e, 512, 256, traddr, pad);
  return e;
}
octets log_of(std::initializer_list<octets> entries) {
  octets log(1024);
  put(log, 0, 5, 8);  // GENCTR
  put(log, 8, entries.size(), 8);
  for (const octets& e : entries) add(log, e);
  return log;
}
octets changed(octets e, std::string_view traddr, std::string_view trsvcid, char pad = ' ',
               unsigned adrfam = 1) {
  put(e, 1, adrfam, 1);
  put_field(e, 32, 32, trsvcid, pad);
  put_field(e, 512, 256, traddr, pad);
  return e;
}

octets get_log(unsigned cid, std::uint64_t offset, std::size_t bytes, unsigned lid = 0x70,
               unsigned lsp = 0, bool by_index = false) {
  octets b = command_pdu(0x02, cid);
  const std::size_t sqe = 8, dwords = bytes / 4 - 1;
  put(b, sqe + 40, lid, 1);
  put(b, sqe + 41, lsp, 1);
  put(b, sqe + 42, dwords & 0xffff, 2);
  put(b, sqe + 44, dwords >> 16, 2);
  put(b, sqe + 48, offset, 8);
  put(b, sqe + 56, by_index ? 1u << 23 : 0, 4);
  return b;
}
// C2HData, with a header digest and a data digest where asked for.
octets c2h(unsigned cid, std::uint32_t offset, std::span<const std::byte> data, bool hdgst = false,
           bool ddgst = false, bool good = true) {
  const unsigned pdo = hdgst ? 28 : 24;
  octets b = common_header(0x07, (hdgst ? 1u : 0u) | (ddgst ? 2u : 0u), 24, pdo,
                           pdo + data.size() + (ddgst ? 4 : 0));
  le(b, cid, 2);
  le(b, 0, 2);
  le(b, offset, 4);
  le(b, data.size(), 4);
  le(b, 0, 4);
  if (hdgst) le(b, slow_crc(b), 4);
  add(b, data);
  if (ddgst) le(b, good ? slow_crc(data) : ~slow_crc(data), 4);
  return b;
}

struct book final : address_book {
  std::map<std::string, std::uint16_t> ports;
  std::map<std::uint16_t, std::string> settled;
  std::vector<std::string> said;
  std::uint16_t next = 5001;
  int entries = 0;
  bool full = false;

  std::uint16_t port_for(std::string_view traddr, std::string_view trsvcid) override {
    if (full || traddr == "nowhere") return 0;
    const auto [at, fresh] = ports.try_emplace(fmt::format("{}:{}", traddr, trsvcid), next);
    if (fresh) ++next;
    return at->second;
  }
  std::uint16_t reserve() override { return full ? std::uint16_t{0} : next++; }
  bool settle(std::uint16_t port, std::string_view traddr, std::string_view trsvcid) override {
    settled[port] = fmt::format("{}:{}", traddr, trsvcid);
    return true;
  }
  std::string target_of(const std::string& port) const {
    for (const auto& [target, at] : ports)
      if (fmt::to_string(at) == port) return target;
    for (const auto& [at, target] : settled)
      if (fmt::to_string(at) == port) return target;
    return "none";
  }
  void rewritten() override { ++entries; }
  void left_alone(std::string_view why) override { said.emplace_back(why); }
};

struct middle {
  explicit middle(std::string address = "192.0.2.9") : by(addresses, std::move(address)) {
    by.from_host(icreq());
    CHECK(back(icresp()) == icresp());
    by.from_host(
        connect_pdu(0, 0, "nqn.2014-08.org.example:host", "nqn.2014-08.org.nvmexpress.discovery"));
    CHECK(back(response_pdu(0)) == response_pdu(0));
  }
  // Of what the controller sends, in pieces.
  octets back(const octets& all, std::size_t piece = ~std::size_t{0}) {
    octets out;
    for (std::size_t at = 0; at < all.size(); at += std::min(piece, all.size() - at)) {
      octets part(all.begin() + static_cast<std::ptrdiff_t>(at),
                  all.begin() + static_cast<std::ptrdiff_t>(at + std::min(piece, all.size() - at)));
      add(out, by.from_controller(part));
    }
    return out;
  }
  book addresses;
  rewriting by;
};

octets part_of(const octets& all, std::size_t from, std::size_t size) {
  return {all.begin() + static_cast<std::ptrdiff_t>(from),
          all.begin() + static_cast<std::ptrdiff_t>(from + size)};
}

const octets first = entry("10.0.0.1", "4420"), second = entry("10.0.0.2", "4420", '\0'),
             third = entry("10.0.0.1", "4420");

}  // namespace

TEST_CASE("TCP entries get the proxy's address and a port for each target; the rest stays") {
  middle m;
  const octets rdma = entry("10.0.0.3", "4420", ' ', 1);
  const octets log = log_of({first, second, rdma, third});
  const octets wanted =
      log_of({changed(first, "192.0.2.9", "5001"), changed(second, "192.0.2.9", "5002", '\0'), rdma,
              changed(third, "192.0.2.9", "5001")});
  for (const std::size_t piece : {~std::size_t{0}, std::size_t{1}, std::size_t{1000}}) {
    CAPTURE(piece);
    m.by.from_host(get_log(7, 0, log.size()));
    CHECK(m.back(c2h(7, 0, log), piece) == c2h(7, 0, wanted));
    CHECK(m.back(response_pdu(7), piece) == response_pdu(7));
  }
  CHECK(m.addresses.entries == 9);
  CHECK(m.addresses.said.empty());
  CHECK_FALSE(m.by.over());
}

TEST_CASE("an IPv6 proxy changes the address family, too") {
  middle m("2001:db8::9");
  const octets log = log_of({first});
  m.by.from_host(get_log(7, 0, log.size()));
  CHECK(m.back(c2h(7, 0, log)) ==
        c2h(7, 0, log_of({changed(first, "2001:db8::9", "5001", ' ', 2)})));
}

TEST_CASE("digests are made anew; one that was wrong stays wrong") {
  middle m;
  const octets log = log_of({first, second});
  const octets wanted =
      log_of({changed(first, "192.0.2.9", "5001"), changed(second, "192.0.2.9", "5002", '\0')});
  for (const bool good : {true, false})
    for (const std::size_t piece : {~std::size_t{0}, std::size_t{1}, std::size_t{1500}}) {
      CAPTURE(good);
      CAPTURE(piece);
      m.by.from_host(get_log(7, 0, log.size()));
      const octets got = m.back(c2h(7, 0, log, true, true, good), piece);
      CHECK(part_of(got, 0, got.size() - 4) ==
            part_of(c2h(7, 0, wanted, true, true), 0, got.size() - 4));
      const octets tail = part_of(got, got.size() - 4, 4);
      octets right;
      le(right, slow_crc(wanted), 4);
      CHECK((tail == right) == good);
    }
}

TEST_CASE("entries that PDUs and commands part anywhere are rewritten whole") {
  const octets log = log_of({first, second, third});
  for (std::size_t cut = 4; cut < log.size(); cut += 60) {
    CAPTURE(cut);
    for (const bool commands : {false, true}) {
      CAPTURE(commands);
      middle m;
      octets got;
      const octets one = part_of(log, 0, cut), two = part_of(log, cut, log.size() - cut);
      if (commands) {
        m.by.from_host(get_log(1, 0, one.size()));
        got = m.back(c2h(1, 0, one, false, true));
        m.by.from_host(get_log(1, cut, two.size()));
        add(got, m.back(c2h(1, 0, two, false, true)));
      } else {
        m.by.from_host(get_log(1, 0, log.size()));
        got = m.back(c2h(1, 0, one, false, true));
        add(got, m.back(c2h(1, static_cast<std::uint32_t>(cut), two, false, true)));
      }
      // Both digests fit what is covered, and together the data are the log with these ports.
      const octets a = part_of(got, 24, cut), b = part_of(got, 24 + cut + 4 + 24, two.size());
      octets digests;
      le(digests, slow_crc(a), 4);
      le(digests, slow_crc(b), 4);
      CHECK(part_of(got, 24 + cut, 4) == part_of(digests, 0, 4));
      CHECK(part_of(got, got.size() - 4, 4) == part_of(digests, 4, 4));
      octets data = a;
      add(data, b);
      const auto text = [&](std::size_t at, std::size_t size) {
        return std::string_view(reinterpret_cast<const char*>(data.data()) + at, size);
      };
      for (const auto& [index, e, target] :
           {std::tuple{0, first, "10.0.0.1:4420"}, std::tuple{1, second, "10.0.0.2:4420"},
            std::tuple{2, third, "10.0.0.1:4420"}}) {
        CAPTURE(index);
        const std::size_t at = 1024 + static_cast<std::size_t>(index) * 1024;
        CHECK(text(at + 512, 9) == "192.0.2.9");
        const std::string port{text(at + 32, 4)};
        CHECK(text(at + 36, 28) == (index == 1 ? std::string(28, '\0') : std::string(28, ' ')));
        CHECK(m.addresses.target_of(port) == target);
        // All else is as it was.
        CHECK(text(at + 64, 448) ==
              std::string_view(reinterpret_cast<const char*>(e.data()) + 64, 448));
        CHECK(text(at + 768, 256) ==
              std::string_view(reinterpret_cast<const char*>(e.data()) + 768, 256));
      }
    }
  }
}

TEST_CASE("a part that has the port only gets one, which is told its target when that comes") {
  middle m;
  const octets log = log_of({first});
  m.by.from_host(get_log(1, 1024, 512));
  const octets front = m.back(c2h(1, 0, part_of(log, 1024, 512)));
  CHECK(m.addresses.ports.empty());
  m.by.from_host(get_log(2, 1536, 512));
  const octets back = m.back(c2h(2, 0, part_of(log, 1536, 512)));
  CHECK(m.addresses.settled == std::map<std::uint16_t, std::string>{{5001, "10.0.0.1:4420"}});
  octets all = part_of(front, 24, 512);
  add(all, part_of(back, 24, 512));
  CHECK(all == changed(first, "192.0.2.9", "5001"));
  // Read again as one, it is the same.
  m.by.from_host(get_log(3, 1024, 1024));
  CHECK(part_of(m.back(c2h(3, 0, first)), 24, 1024) == all);
}

TEST_CASE("a part of an entry whose beginning was not seen stays, and that is said") {
  middle m;
  const octets half = part_of(first, 512, 512);
  m.by.from_host(get_log(1, 1536, 512));
  CHECK(m.back(c2h(1, 0, half)) == c2h(1, 0, half));
  REQUIRE(m.addresses.said.size() == 1);
  CHECK(m.addresses.said[0] == "a host reads a discovery log from within");
}

TEST_CASE("other commands, other log pages and answers to nothing pass as they are") {
  middle m;
  const octets log = log_of({first});
  m.by.from_host(get_log(1, 0, log.size(), 0x02));
  CHECK(m.back(c2h(1, 0, log)) == c2h(1, 0, log));
  CHECK(m.back(c2h(9, 0, log)) == c2h(9, 0, log));
  // Its CID was the log's once.
  m.by.from_host(get_log(3, 0, log.size()));
  m.by.from_host(command_pdu(0x06, 3));
  CHECK(m.back(c2h(3, 0, log)) == c2h(3, 0, log));
  m.by.from_host(get_log(4, 0, log.size()));
  CHECK(m.back(response_pdu(4)) == response_pdu(4));
  CHECK(m.back(c2h(4, 0, log)) == c2h(4, 0, log));
  CHECK(m.addresses.entries == 0);
}

TEST_CASE("what cannot be rewritten is left alone, with a word about it") {
  middle m;
  const octets log = log_of({first});
  SUBCASE("by an index") { m.by.from_host(get_log(1, 0, log.size(), 0x70, 0, true)); }
  SUBCASE("extended entries") { m.by.from_host(get_log(1, 0, log.size(), 0x70, 1)); }
  CHECK(m.back(c2h(1, 0, log)) == c2h(1, 0, log));
  CHECK(m.addresses.said.size() == 1);
}

TEST_CASE("an entry for which there is no port stays as it is") {
  middle m;
  const octets strange = entry("nowhere", "x");
  const octets log = log_of({strange, first});
  m.by.from_host(get_log(1, 0, log.size()));
  CHECK(m.back(c2h(1, 0, log)) ==
        c2h(1, 0, log_of({strange, changed(first, "192.0.2.9", "5001")})));
  m.addresses.full = true;
  m.by.from_host(get_log(1, 0, log.size()));
  CHECK(m.back(c2h(1, 0, log)) == c2h(1, 0, log));
}

TEST_CASE("an I/O queue is not looked at any further; neither is what is no NVMe/TCP") {
  book addresses;
  rewriting io(addresses, "192.0.2.9");
  io.from_host(icreq());
  io.from_host(connect_pdu(0, 1, "nqn.2014-08.org.example:host", "nqn.2014-08.org.example:s"));
  CHECK(io.over());
  // There 02h is Read.
  io.from_host(get_log(1, 0, 2048));
  const octets log = log_of({first});
  octets sent = c2h(1, 0, log);
  const auto got = io.from_controller(sent);
  CHECK(octets(got.begin(), got.end()) == c2h(1, 0, log));

  rewriting other(addresses, "192.0.2.9");
  other.from_host(filled(100, 'G'));
  CHECK(other.over());
}

TEST_CASE("lengths that lie are passed on as they came") {
  const octets log = log_of({first});
  for (const int what : {0, 1, 2, 3}) {
    CAPTURE(what);
    middle m;
    m.by.from_host(get_log(1, 0, log.size()));
    octets wrong = c2h(1, 0, log);
    if (what == 0) put(wrong, 16, 0xffffffff, 4);  // DATAL
    if (what == 1) put(wrong, 3, 8, 1);            // PDO within the header
    if (what == 2) put(wrong, 4, 7, 4);            // PLEN less than a header
    if (what == 3) put(wrong, 2, 200, 1);          // HLEN
    CHECK(m.back(wrong) == wrong);
  }
}

TEST_CASE("a connection that ends within an entry: what was held back comes as it was") {
  middle m;
  const octets log = log_of({first});
  m.by.from_host(get_log(1, 0, log.size()));
  const octets pdu = c2h(1, 0, log);
  octets got = m.back(part_of(pdu, 0, 1500));
  CHECK(got.size() < 1500);
  add(got, m.by.rest());
  CHECK(got == part_of(pdu, 0, 1500));
}
