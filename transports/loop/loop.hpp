// SPDX-License-Identifier: BSD-2-Clause
// The loop transport: both ends in one process, nothing in between. For tutorials, for `--loop`,
// and for tests, which may draw the order of deliveries by lot and break things on the way.
//
// Data moves from the memory of one end to the memory of the other in one copy. The two ends may
// live on different executors (threads) or on the same; each executor stays until both ends are
// closed, because a buffer is released where it was sent from. The rules of qpair.hpp hold as over
// TCP; what those rules leave open is chosen by lot when a seed is given.
#pragma once

#include <functional>
#include <memory>
#include <nvmf/transport.hpp>

namespace nvmf {

// What passes between the ends. TCP has a PDU for each.
enum class loop_kind : std::uint8_t {
  command,   // to the controller: SQE and in-capsule data
  response,  // to the host: CQE
  fetch,     // to the host: "send me this range" (R2T)
  fetched,   // to the controller: a piece of that range (H2CData)
  data,      // to the host: a piece of read data (C2HData)
  ending,    // either way: the qpair was closed
  returned,  // to the controller: a buffer whose bytes have been read; hooks do not see it
};

// A message about to leave, on the executor of its sender.
struct loop_message {
  loop_kind kind;
  role from;
  std::uint32_t qpair;   // number of the sending qpair
  std::uint16_t qid;     // of its queue
  std::uint64_t number;  // messages that qpair sent before
  std::uint16_t cid;
  std::uint32_t offset = 0;  // data: within the command's data
  std::uint32_t length = 0;
  bool last = false;  // data: the last of its command
  // command: SQE, response: CQE (SQHD is filled in later), else empty. May be changed.
  std::span<std::byte> entry{};
};

enum class loop_fault : std::uint8_t {
  none,
  drop,       // it never arrives
  duplicate,  // it arrives twice
  corrupt,    // its digest does not match: of its data if it has any, else of its header
  close,      // the connection closes cleanly instead, as if the peer had, for both ends
  reset,      // the connection breaks instead, for both ends
};
struct loop_fate {
  loop_fault fault = loop_fault::none;
  duration delay{};
};
// Called on the executor of the sender; must be thread safe if several are in use.
using loop_hook = std::function<loop_fate(loop_message&)>;

enum class loop_connect_fate : std::uint8_t { accept, refuse, silence };
// Called on the connecting host's executor.
using loop_connect_hook = std::function<loop_connect_fate(const endpoint&, const qpair_params&)>;

struct loop_options {
  // Same seed, same lots (and the same order, as long as all ends share one thread).
  std::uint64_t seed = 0;
  // Each message is held back for 0 to `jitter`, by lot, on its sender's executor.
  duration jitter{};
  // Messages of different commands may overtake each other, if there is jitter or delay. Those of
  // one command never do, except pieces of data when caps.unordered_data.
  bool reorder = false;
  // By lot: a response and the data callback of its command in either order; what is in flight
  // when the connection is lost completes before the error callback, or not until close.
  bool shuffle_callbacks = false;
  std::uint32_t data_chunk = 0;    // bytes per message of data at most, 0: no limit
  std::uint32_t fetch_tags = 0;    // fetches open at a time per qpair, 0: no limit
  std::uint32_t max_transfer = 0;  // see qpair_limits
  capabilities caps{.offset_sgl = true};
  loop_hook on_message{};
  loop_connect_hook on_connect{};
};

// As RDMA presents itself to the layers above: keyed SGLs, data in any order, a response to each
// command, withdraw_data not supported.
loop_options rdma_like(loop_options options = {});

// Listeners are found by endpoint::host, whatever the port; each transport has names of its own.
std::shared_ptr<transport> make_loop_transport(loop_options options = {});

}  // namespace nvmf
