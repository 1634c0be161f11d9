// SPDX-License-Identifier: BSD-2-Clause
// Each work request of either end fails in turn, with each status: one error report, every callback
// exactly once, memory back only when the device is done with it, and nothing left over.
#include "pair.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

// What is done over the connection; returns false when the fault has hit nothing.
bool scenario(const fake_fabric& with) {
  rdma_pair p(with, {.piece_bytes = 4096}, 8);
  const bool of_host = with.fails->side == role::host;
  if (p.connect()) {
    p.start();
    for (const auto& [code, bytes] :
         {std::pair{2, 9000}, {1, 9000}, {0, 0}, {1, 100}, {2, 100}, {1, 4097}}) {
      auto& c = p.send(code, static_cast<std::size_t>(bytes));
      c.then = [&p, &c, of_host] {
        // The host's own link is gone before its memory is given back.
        if (c.error && of_host) CHECK(p.fabric->links[0] == 0);
        std::ranges::fill(c.memory, std::byte{0x11});
      };
    }
    p.run();
  }
  const bool hit = p.fabric->work_done[with.fails->side == role::controller] >= with.fails->number;
  CHECK(p.host_errors.size() == (hit ? 1 : 0));
  CHECK(p.controller_errors.size() == (hit ? 1 : 0));
  // What is flushed has a cause elsewhere: the peer, which has disconnected by then, stands for it.
  const bool told = with.fails->status != rdma::work_status::flushed;
  if (hit && told && !p.host_errors.empty() && !p.controller_errors.empty())
    CHECK((of_host ? p.host_errors : p.controller_errors)[0].code);
  p.end();
  for (const auto& c : p.commands) {
    CHECK(c.calls == (c.memory.empty() ? 0 : 1));
    if (c.calls == 1)
      CHECK(std::ranges::all_of(c.memory, [](std::byte b) { return b == std::byte{0x11}; }));
  }
  CHECK(p.fetches == p.fetches_ended);
  CHECK(p.provider->qpairs() == 0);
  CHECK(p.fabric->links[0] == 0);
  CHECK(p.fabric->links[1] == 0);
  CHECK(p.fabric->regions == 0);
  CHECK(p.fabric->overruns == 0);
  if (!hit) CHECK(p.responses == 6);
  return hit;
}

}  // namespace

TEST_CASE("rdma: every work request fails in turn, with every status") {
  std::size_t runs = 0;
  for (const bool windows : {false, true})
    for (const role side : {role::host, role::controller})
      for (int status = 1; status < rdma::work_statuses; ++status)
        for (std::size_t n = 1;; ++n) {
          CAPTURE(windows);
          CAPTURE(static_cast<int>(side));
          CAPTURE(status);
          CAPTURE(n);
          fake_fabric with;
          with.limits.windows = windows;
          with.fails = {side, n, static_cast<rdma::work_status>(status)};
          ++runs;
          if (!scenario(with)) {
            CHECK(n > 10);
            break;
          }
        }
  MESSAGE(runs << " connections");
}
