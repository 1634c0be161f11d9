// SPDX-License-Identifier: BSD-2-Clause
// The inside of our own ends over RDMA: events by hand in, capsules, data and work requests out.
#include <doctest/doctest.h>

#include <chrono>

#include "tracing/inside_flows.hpp"
#include "unit/trace/journal.hpp"

using namespace nvmf;
using namespace nvmf::cli;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

// Keyed SGL Data Block (Base 4.1.2): address 1000h, 6000 bytes, key 00c0ffeeh, type 4, subtype 15.
constexpr std::array<unsigned char, 16> sgl{0, 0x10, 0,    0,    0,    0,    0, 0,
                                            0, 0x70, 0x17, 0xee, 0xff, 0xc0, 0, 0x4f};

octets sqe_of(unsigned char opcode, unsigned char cid) {
  octets b(64);
  b[0] = std::byte{opcode};
  b[1] = std::byte{0x40};
  b[2] = std::byte{cid};
  std::ranges::transform(sgl, b.begin() + 24, [](unsigned char c) { return std::byte{c}; });
  return b;
}
octets cqe_of(unsigned char cid) {
  octets b(16);
  b[12] = std::byte{cid};
  return b;
}
// The descriptor of a part of that memory.
octets part(unsigned at, unsigned bytes) {
  octets b(16);
  for (unsigned i = 0; i < 2; ++i) {
    b[i] = std::byte(((0x1000 + at) >> 8 * i) & 0xff);
    b[8 + i] = std::byte((bytes >> 8 * i) & 0xff);
  }
  for (unsigned i = 11; i < 15; ++i) b[i] = std::byte{sgl[i]};
  b[15] = std::byte{0x40};
  return b;
}

class work_journal final : public trace::listener {
 public:
  std::vector<std::string> lines;
  trace::latency_parts last;
  trace::connection_counts counts;

  void on_connection(const trace::connection& c) override {
    lines.push_back(fmt::format("{} {} > {}", name_of(c.carried_by()), to_text(c.host()),
                                to_text(c.controller())));
  }
  void on_pdu(const trace::connection&, const trace::pdu& p, const trace::command* of) override {
    REQUIRE(p.rdma != nullptr);
    CHECK(p.rdma->inside);
    if (p.type == 4) return;  // on_command tells
    std::string line = fmt::format("pdu {:02x} {} bytes", p.type, p.data_bytes);
    if (p.type != 5)
      line += fmt::format(" at {}", std::to_integer<unsigned>(p.header[12]) +
                                        256 * std::to_integer<unsigned>(p.header[13]));
    if (of != nullptr) line += fmt::format(" of {}", of->cid);
    if (p.rdma->key) line += fmt::format(" key {:x}", *p.rdma->key);
    if (p.rdma->invalidated) line += fmt::format(" takes {:x}", *p.rdma->invalidated);
    lines.push_back(line);
  }
  void on_command(const trace::connection&, const trace::command& k, const trace::pdu&) override {
    lines.push_back(fmt::format("command {} with {} bytes", k.cid, k.in_capsule));
  }
  void on_completion(const trace::connection&, const trace::command& k,
                     const trace::completion& done, const trace::pdu*) override {
    last = latency_of(k, done);
    lines.push_back(fmt::format("end of {}, {} bytes", k.cid, k.bytes()));
  }
  void on_work(const trace::connection&, const trace::work& w, const trace::command*) override {
    lines.push_back(fmt::format("{} {} bytes, {} us{}{}", w.kind, w.bytes,
                                (w.done.ns - w.posted.ns) / 1000, w.trouble.empty() ? "" : ": ",
                                w.trouble));
  }
  void on_end(const trace::connection& c, const trace::stamp&, bool) override {
    counts = c.counts();
  }
};

struct inside {
  explicit inside(std::string_view peer) { tell(event_type::connected, 0, 0, {}, {}, peer); }
  // Microseconds go by from one to the next.
  void tell(event_type type, std::uint64_t a, std::uint64_t b, octets header, octets data = {},
            std::string_view text = {}, std::uint16_t cid = 7) {
    now += 10us;
    octets all = header;
    all.insert(all.end(), data.begin(), data.end());
    for (const char c : text) all.push_back(static_cast<std::byte>(c));
    flows.take({.type = type,
                .qpair = 1,
                .cid = cid,
                .at = now,
                .a = a,
                .b = b,
                .header_bytes = static_cast<std::uint32_t>(header.size()),
                .data_bytes = static_cast<std::uint32_t>(data.size()),
                .text_bytes = static_cast<std::uint32_t>(text.size())},
               all.data());
  }
  time_point now{};
  work_journal told;
  trace::tracer tracer{{}, told};
  inside_flows flows{tracer};
};

using lines = std::vector<std::string>;
using enum event_type;

}  // namespace

TEST_CASE("inside, rdma: a controller's WRITEs, and the response that takes the key back") {
  inside i("192.0.2.1:5000");
  i.tell(command_in, 0, 0, sqe_of(2, 7));
  i.tell(work_posted, 4096, 0xc0ffee, part(0, 4096), octets(4096), "RDMA WRITE");
  i.tell(work_posted, 1904, 0xc0ffee, part(4096, 1904), octets(1904), "RDMA WRITE");
  i.tell(response_out, 0, 0, cqe_of(7));
  i.tell(work_posted, 16, 0xc0ffee, cqe_of(7), {}, "SEND with invalidate");
  i.tell(work_done, 4096, 0xc0ffee, {}, {}, "RDMA WRITE");
  i.tell(work_done, 1904, 0xc0ffee, {}, {}, "RDMA WRITE");
  i.tell(work_done, 16, 0xc0ffee, {}, {}, "SEND with invalidate");
  i.tell(disconnected, 0, 0, {});
  CHECK(i.told.lines == lines{"rdma 192.0.2.1:5000 > 0.0.0.0:4420", "command 7 with 0 bytes",
                              "pdu 07 4096 bytes at 0 of 7 key c0ffee",
                              "pdu 07 1904 bytes at 4096 of 7 key c0ffee",
                              "pdu 05 0 bytes of 7 takes c0ffee", "end of 7, 6000 bytes",
                              "RDMA WRITE 4096 bytes, 40 us", "RDMA WRITE 1904 bytes, 40 us",
                              "SEND with invalidate 16 bytes, 30 us"});
  CHECK(i.told.last.total == 40'000);
  CHECK(i.told.last.to_data == 10'000);
  CHECK(i.told.last.data == 10'000);
  CHECK(i.told.last.to_end == 20'000);
  CHECK(i.told.counts.bytes[1] == 6000);
}

TEST_CASE("inside, rdma: a controller's READ asks for data, and brings it when it is done") {
  inside i("192.0.2.1:5000");
  i.tell(command_in, 0, 0, sqe_of(1, 7));
  i.tell(work_posted, 6000, 0xc0ffee, part(0, 6000), {}, "RDMA READ");
  i.tell(work_done, 6000, 0xc0ffee, {}, octets(128), "RDMA READ");
  i.tell(work_posted, 16, 0, cqe_of(7), {}, "SEND");
  CHECK(i.told.lines ==
        lines{"rdma 192.0.2.1:5000 > 0.0.0.0:4420", "command 7 with 0 bytes",
              "pdu 09 0 bytes at 0 of 7 key c0ffee", "pdu 06 6000 bytes at 0 of 7 key c0ffee",
              "RDMA READ 6000 bytes, 10 us", "pdu 05 0 bytes of 7", "end of 7, 6000 bytes"});
  CHECK(i.told.last.to_r2t == 10'000);
  CHECK(i.told.last.to_data == 10'000);
}

TEST_CASE("inside, rdma: why a work request failed; nothing of it is data") {
  inside i("192.0.2.1:5000");
  i.tell(command_in, 0, 0, sqe_of(1, 7));
  i.tell(work_posted, 6000, 0xc0ffee, part(0, 6000), {}, "RDMA READ");
  i.tell(work_done, 6000, 0xc0ffee, {}, {}, "remote access error");
  CHECK(i.told.lines.back() == "RDMA READ 6000 bytes, 10 us: remote access error");
  i.tell(disconnected, 0, 0, {});
  CHECK(i.told.counts.bytes[0] == 0);
}

TEST_CASE("inside, rdma: a host's SEND is its command, with the SGL that it left with") {
  inside i("192.0.2.9:4420");
  octets before = sqe_of(1, 7);
  std::fill(before.begin() + 24, before.begin() + 40, std::byte{0});
  i.tell(command_out, 6000, 0, before);
  i.tell(work_posted, 6000, 0xc0ffee, part(0, 6000), {}, "BIND");
  i.tell(work_posted, 64, 0, sqe_of(1, 7), {}, "SEND");
  i.tell(work_done, 6000, 0xc0ffee, {}, {}, "BIND");
  i.tell(work_done, 64, 0, {}, {}, "SEND");
  CHECK(i.told.lines == lines{"rdma 0.0.0.0:49153 > 192.0.2.9:4420", "command 7 with 0 bytes",
                              "BIND 6000 bytes, 20 us", "SEND 64 bytes, 20 us"});
  // In the capsule.
  i.tell(work_posted, 64 + 512, 0, sqe_of(1, 8), octets(512), "SEND", 8);
  CHECK(i.told.lines.back() == "command 8 with 512 bytes");
}
