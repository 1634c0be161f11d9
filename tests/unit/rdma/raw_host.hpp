// SPDX-License-Identifier: BSD-2-Clause
// A host of which every byte is made by hand, towards the controller of a pair.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "pair.hpp"

namespace nvmf::test {

class raw_host final : rdma::link_events {
 public:
  raw_host(rdma_pair& p, std::size_t receives) : pair_(p), receives_(receives) {
    p.listen();
    fake_verbs device(p.fabric);
    wire = std::move(*device.open(p.left));
    wire->tell(this);
    wire->resolve({.host = "fake:here", .port = 0}, "", 1s);
    p.time.run();
  }
  // Asks for a queue, no more.
  void begin(const std::vector<std::byte>& data, std::uint8_t reads_in = 16) {
    REQUIRE_FALSE(wire->make_queue({.sends = 16, .receives = 32, .pieces = 1}));
    memory =
        std::move(*wire->allocate(65536, rdma::access::local_write | rdma::access::remote_read));
    for (std::size_t i = 0; i < receives_; ++i) receive(i);
    wire->arm();
    REQUIRE_FALSE(wire->connect({.private_data = data, .reads_in = reads_in}));
  }
  // True: accepted, and the controller of the pair is started.
  bool connect(const std::vector<std::byte>& data, std::uint8_t reads_in = 16,
               const std::function<void()>& start = {}) {
    begin(data, reads_in);
    pair_.run();
    if (established) start ? start() : pair_.start();
    return established;
  }
  // SQE with opcode 1 and CID 0, then whatever is asked of it.
  void post(std::size_t size, const std::function<void(std::span<std::byte>)>& change = {}) {
    // Each has a place of its own.
    const auto at = memory->bytes().subspan(16384 + 4608 * (posted_++ % 10), size);
    std::ranges::fill(at, std::byte{0});
    if (size >= 64) {
      at[0] = std::byte{1};
      at[1] = std::byte{0x40};   // PSDT 01b
      at[39] = std::byte{0x40};  // keyed data block
    }
    if (change) change(at);
    const rdma::piece whole{at.data(), static_cast<std::uint32_t>(size), memory->local_key()};
    REQUIRE_FALSE(wire->post({.pieces = std::span{&whole, 1}}));
  }
  void send(std::size_t size, const std::function<void(std::span<std::byte>)>& change = {}) {
    post(size, change);
    pair_.run();
  }
  // Their receives are posted again.
  void take_responses() {
    std::array<rdma::completion, 8> some;
    for (std::size_t n = 0; (n = wire->poll(some)) != 0;)
      for (const rdma::completion& c : std::span{some}.first(n))
        if (c.kind == rdma::work_kind::receive && c.status == rdma::work_status::success)
          receive(c.id);
  }

  std::unique_ptr<rdma::link> wire;
  std::unique_ptr<rdma::region> memory;
  bool established = false, disconnected = false;
  std::vector<std::byte> answer;

 private:
  void on_cm(const rdma::cm_event& e) override {
    established |= e.kind == rdma::cm_event_kind::established;
    disconnected |= e.kind == rdma::cm_event_kind::disconnected;
    if (!e.terms.private_data.empty())
      answer.assign(e.terms.private_data.begin(), e.terms.private_data.end());
  }
  void on_completions() override {}
  void receive(std::uint64_t i) {
    REQUIRE_FALSE(
        wire->post_receive(i, {memory->bytes().data() + i * 16, 16, memory->local_key()}));
  }

  rdma_pair& pair_;
  std::size_t receives_;
  std::size_t posted_ = 0;
};

inline std::vector<std::byte> cm_request_bytes(int recfmt, int qid, int hrqsize, int hsqsize,
                                               std::size_t size = 32) {
  std::vector<std::byte> b(std::max<std::size_t>(size, 8));
  const int words[] = {recfmt, qid, hrqsize, hsqsize};
  for (std::size_t i = 0; i < 4; ++i) {
    b[2 * i] = static_cast<std::byte>(words[i] & 0xff);
    b[2 * i + 1] = static_cast<std::byte>(words[i] >> 8);
  }
  b.resize(size);
  return b;
}

}  // namespace nvmf::test
