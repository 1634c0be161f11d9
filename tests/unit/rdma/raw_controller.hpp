// SPDX-License-Identifier: BSD-2-Clause
// A controller of which every byte is made by hand, towards the host of a pair.
#pragma once

#include <array>

#include "pair.hpp"

namespace nvmf::test {

using octets = std::vector<std::byte>;

inline octets octets_of(std::initializer_list<unsigned> first, std::size_t size) {
  octets all(size);
  std::size_t at = 0;
  for (const unsigned b : first) all.at(at++) = static_cast<std::byte>(b);
  return all;
}
inline std::uint64_t number(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  std::uint64_t n = 0;
  for (std::size_t i = size; i > 0; --i)
    n = n << 8 | std::to_integer<std::uint64_t>(bytes[at + i - 1]);
  return n;
}

class raw_controller final : rdma::link_events {
 public:
  static constexpr std::size_t capsule_room = 8192;
  using decision = std::function<void(raw_controller&)>;

  // `decides` what becomes of a request, once `wire` and `asked` are there.
  raw_controller(rdma_pair& p, std::size_t receives, decision decides)
      : pair_(p), receives_(receives), decides_(std::move(decides)) {
    fake_verbs device(p.fabric);
    port_ = std::move(*device.listen(p.right, {.host = "fake:here", .port = 0},
                                     [this](rdma::cm_request_event e) { request(std::move(e)); }));
  }
  static decision accept(octets data) {
    return [data](raw_controller& c) {
      REQUIRE_FALSE(c.wire->accept({.private_data = data, .reads_out = 4}));
    };
  }
  static decision reject(octets data) {
    return [data](raw_controller& c) { c.wire->reject(data); };
  }

  // The host of the pair connects; true: it has a queue.
  bool connect(duration within = 1min) {
    pair_.provider->connect(pair_.left, {.host = "fake:here", .port = 0}, pair_.params,
                            [this](auto result) { pair_.outcome = std::move(result); });
    pair_.time.run_until([this] { return pair_.outcome.has_value(); }, within);
    REQUIRE(pair_.outcome.has_value());
    if (!*pair_.outcome) return false;
    pair_.host = std::move((*pair_.outcome)->queue);
    pair_.host.set_max_in_capsule(4096);
    return true;
  }
  void post(const rdma::work_request& shape, const octets& bytes) {
    rdma::work_request work = shape;
    auto& at = kept_.emplace_back(std::move(*wire->allocate(4096, rdma::access::local)));
    std::ranges::copy(bytes, at->bytes().begin());
    const rdma::piece whole{at->bytes().data(), static_cast<std::uint32_t>(bytes.size()),
                            at->local_key()};
    work.pieces = std::span{&whole, 1};
    REQUIRE_FALSE(wire->post(work));
  }
  void send(const octets& bytes) { post({}, bytes); }
  void send_taking(const octets& bytes, std::uint64_t key) {
    post({.kind = rdma::work_kind::send_invalidate, .remote_key = static_cast<std::uint32_t>(key)},
         bytes);
  }
  // A response of success, or with another status field.
  static octets response(std::uint64_t cid, unsigned status = 0) {
    octets cqe(16);
    cqe[12] = static_cast<std::byte>(cid & 0xff);
    cqe[13] = static_cast<std::byte>(cid >> 8);
    cqe[14] = static_cast<std::byte>(status << 1 & 0xff);
    cqe[15] = static_cast<std::byte>(status >> 7);
    return cqe;
  }
  void leave() {
    kept_.clear();
    capsules_memory.reset();
    if (wire != nullptr) wire->tell(nullptr);
    wire.reset();
    port_.reset();
  }

  octets asked;
  std::unique_ptr<rdma::link> wire;
  std::unique_ptr<rdma::region> capsules_memory;
  std::vector<octets> capsules;
  std::vector<rdma::work_status> done;  // of what was posted, if it failed

 private:
  void request(rdma::cm_request_event e) {
    asked.assign(e.terms.private_data.begin(), e.terms.private_data.end());
    wire = std::move(e.from);
    wire->tell(this);
    REQUIRE_FALSE(wire->make_queue({.sends = 64, .receives = 64, .pieces = 1}));
    capsules_memory = std::move(*wire->allocate(std::max<std::size_t>(receives_, 1) * capsule_room,
                                                rdma::access::local_write));
    for (std::size_t i = 0; i < receives_; ++i) receive(i);
    wire->arm();
    decides_(*this);
  }
  void receive(std::size_t i) {
    REQUIRE_FALSE(wire->post_receive(i, {capsules_memory->bytes().data() + i * capsule_room,
                                         capsule_room, capsules_memory->local_key()}));
  }
  void on_cm(const rdma::cm_event&) override {}
  void on_completions() override {
    wire->arm();
    std::array<rdma::completion, 8> some;
    for (std::size_t n = 0; (n = wire->poll(some)) != 0;)
      for (const rdma::completion& c : std::span{some}.first(n)) {
        if (c.status != rdma::work_status::success) done.push_back(c.status);
        if (c.kind != rdma::work_kind::receive || c.status != rdma::work_status::success) continue;
        const auto from = capsules_memory->bytes().subspan(c.id * capsule_room, c.length);
        capsules.emplace_back(from.begin(), from.end());
        receive(c.id);
      }
  }

  rdma_pair& pair_;
  std::size_t receives_;
  decision decides_;
  std::unique_ptr<rdma::port> port_;
  std::vector<std::unique_ptr<rdma::region>> kept_;
};

// What a controller says that takes the queue: RECFMT 0, CRQSIZE 16.
inline octets taken() { return octets_of({0, 0, 16, 0}, 32); }

inline void check_nothing_left(rdma_pair& p, raw_controller& c) {
  c.leave();
  p.end();
  for (const auto& each : p.commands) CHECK(each.calls == (each.memory.empty() ? 0 : 1));
  CHECK(p.provider->qpairs() == 0);
  CHECK(p.fabric->regions == 0);
  CHECK(p.fabric->links[0] + p.fabric->links[1] == 0);
  CHECK(p.fabric->overruns == 0);
}

}  // namespace nvmf::test
