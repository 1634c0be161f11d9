// SPDX-License-Identifier: BSD-2-Clause
// Private data and capsules of any host against a controller over the made-up device: it is taken
// or refused, served or thrown out, and in the end nothing of it is left.
#include <algorithm>

#include "fuzz/input.hpp"
#include "rdma/rdma.hpp"
#include "rdma/session/private_data.hpp"
#include "support/fake_verbs.hpp"
#include "support/virtual_executor.hpp"
#include "wire/bytes.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

using fuzz::require;

struct quiet final : rdma::link_events {
  void on_cm(const rdma::cm_event& e) override {
    up |= e.kind == rdma::cm_event_kind::established;
    if (e.kind != rdma::cm_event_kind::rejected) return;
    require(e.terms.private_data.size() == rdma::reject_bytes);
    const auto why = rdma::explain_reject(e.terms.private_data);
    require(why.has_value() && !why->empty());
  }
  void on_completions() override {}
  bool up = false;
};

// A keyed descriptor with key 0 means the host's own memory, from the address on: nobody can guess
// where it lies.
void aim(std::span<std::byte> capsule, const rdma::region& memory) {
  if (capsule.size() < 64 || (capsule[39] >> 4) != std::byte{4}) return;
  if (wire::load_le(capsule, 35, 4) != 0) return;
  const auto base = reinterpret_cast<std::uintptr_t>(memory.bytes().data());
  wire::store_le(capsule, 24, 8, base + wire::load_le(capsule, 24, 2));
  wire::store_le(capsule, 35, 4, memory.remote_key());
}

// What a program does that believes in its transport: validate, then move the data.
struct server {
  qpair queue;
  std::vector<std::byte> memory = std::vector<std::byte>(65536);
  int fetches = 0;

  void respond(std::uint16_t cid) {
    cqe_bytes cqe{};
    cqe[12] = static_cast<std::byte>(cid & 0xff);
    cqe[13] = static_cast<std::byte>(cid >> 8);
    if (auto r = queue.allocate_response(cqe))
      static_cast<void>(queue.transmit_response(std::move(*r)));
  }
  void serve(const capsule& c) {
    const std::uint16_t cid = c.cid();
    const std::uint32_t n = std::min<std::uint32_t>(queue.data_length(c), 65536);
    if (!queue.validate_command(c).ok() || n == 0) return respond(cid);
    const auto bytes = std::span{memory}.first(n);
    if (std::to_integer<int>(c.sqe()[0]) % 4 == 2) {
      queue.send_controller_data(c, 0, buffer(bytes, nullptr, nullptr), true);
      return respond(cid);
    }
    ++fetches;
    if (queue.receive_controller_data(c, 0, memdesc::of(bytes), n,
                                      [this, cid](std::size_t, std::error_code error) {
                                        --fetches;
                                        if (!error) respond(cid);
                                      }))
      --fetches;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace std::chrono_literals;
  const std::span<const std::byte> in = std::as_bytes(std::span{data, size});
  static_cast<void>(rdma::parse_accept(in));
  const std::size_t head = std::min(in.size(), rdma::request_bytes);

  virtual_executor on;
  const auto fabric = std::make_shared<fake_fabric>();
  const auto provider = make_rdma_transport(std::make_shared<fake_verbs>(fabric),
                                            {.pool_bytes = 1 << 20, .queue_max = 64});
  server s;
  auto passive = provider->listen(
      on, {.host = "here", .port = 0}, {.side = role::controller},
      [&]() -> executor& { return on; },
      [&](qpair q) {
        s.queue = std::move(q);
        s.queue.start(
            {.on_receive = [&](capsule c) { s.serve(c); }, .on_error = [](const qpair_error&) {}});
      });
  {
    fake_verbs device(fabric);
    quiet host;
    auto wire = std::move(*device.open(on));
    wire->tell(&host);
    wire->resolve({.host = "here", .port = 0}, "", 1s);
    require(!wire->make_queue({.sends = 256, .receives = 256, .pieces = 1}));
    auto memory = std::move(*wire->allocate(
        65536, rdma::access::local_write | rdma::access::remote_read | rdma::access::remote_write));
    for (std::uint64_t i = 0; i < 256; ++i)
      require(!wire->post_receive(i, {memory->bytes().data(), 16, memory->local_key()}));
    require(!wire->connect({.private_data = in.first(head), .reads_in = 4}));
    on.run();
    // Then capsules: a byte for the length, in units of four, then their bytes.
    auto rest = in.subspan(head);
    for (int sent = 0; host.up && rest.size() > 1 && sent < 64; ++sent) {
      const std::size_t n =
          std::min<std::size_t>(std::to_integer<std::size_t>(rest[0]) * 4, rest.size() - 1);
      const auto at = memory->bytes().subspan(8192, n);
      std::ranges::copy(rest.subspan(1, n), at.begin());
      aim(at, *memory);
      const rdma::piece whole{at.data(), static_cast<std::uint32_t>(n), memory->local_key()};
      require(!wire->post({.pieces = std::span{&whole, 1}}));
      rest = rest.subspan(1 + n);
      on.advance(1s);
    }
    on.advance(30s);
    wire->tell(nullptr);
    wire.reset();
    on.advance(30s);
  }
  s.queue.close();
  passive->reset();
  on.advance(30s);
  require(s.fetches == 0);
  require(provider->qpairs() == 0);
  require(fabric->regions == 0 && fabric->links[1] == 0 && fabric->overruns == 0);
  return 0;
}
