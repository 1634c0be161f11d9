// SPDX-License-Identifier: BSD-2-Clause
// The IC exchange of both roles, whole and byte by byte, which must come to the same end.
#include <cstdlib>
#include <vector>

#include "tcp/session/ic_exchange.hpp"

using namespace nvmf;
using tcp::ic_exchange;

namespace {

void require(bool good) {
  if (!good) std::abort();
}

ic_exchange run(role side, const transport_options& o, std::span<const std::byte> in,
                std::size_t step) {
  ic_exchange x(side, o, {});
  x.sent(x.output().size());
  while (!in.empty() && x.wanted() > 0) {
    const std::size_t n = std::min({in.size(), x.wanted(), step});
    x.consume(in.first(n));
    in = in.subspan(n);
    require(x.wanted() <= 152);
  }
  if (in.empty()) x.end_of_input();
  return x;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  transport_options o;
  o.header_digest = (data[0] & 1) != 0;
  o.data_digest = (data[0] & 2) != 0;
  const auto side = (data[0] & 4) != 0 ? role::host : role::controller;
  const std::span in{reinterpret_cast<const std::byte*>(data) + 1, size - 1};
  const ic_exchange whole = run(side, o, in, 200);
  const ic_exchange bytewise = run(side, o, in, 1);
  require(whole.stands() == bytewise.stands());
  require(std::ranges::equal(whole.output(), bytewise.output()));
  if (whole.stands() == ic_exchange::standing::done) {
    const tcp::negotiated& n = whole.agreed();
    require((!n.header_digest || o.header_digest) && (!n.data_digest || o.data_digest));
    require(n.host_alignment >= 4 && n.host_alignment <= 128);
    require(n.controller_alignment >= 4 && n.controller_alignment <= 128);
    require(n.max_r2t >= 1 && n.max_r2t <= 65536);
    require(n.max_h2c_data >= 4096 && n.max_h2c_data % 4 == 0);
  } else {
    require(whole.stands() == ic_exchange::standing::failed || whole.wanted() > 0);
    require(whole.output().size() <= 152);
  }
  return 0;
}
