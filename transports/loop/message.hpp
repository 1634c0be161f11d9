// SPDX-License-Identifier: BSD-2-Clause
// One message between the ends of a loop, as it lies in the queues.
#pragma once

#include <array>
#include <nvmf/buffer.hpp>
#include <nvmf/error.hpp>
#include <nvmf/tamper.hpp>
#include <vector>

#include "loop.hpp"

namespace nvmf::loop {

// What it is to others, and bytes of data that travel with it.
struct message;
outgoing_kind kind_of(loop_kind kind);
std::uint32_t payload(const message& m);

struct message {
  loop_kind kind = loop_kind::command;
  bool corrupt = false;
  bool last = false;     // data: nothing follows for this command
  bool success = false;  // data: and the command has succeeded, no response follows
  std::uint16_t cid = 0;
  std::uint32_t offset = 0;        // fetch, fetched, data: within the command's data
  std::uint32_t length = 0;        // likewise, bytes
  std::uint32_t fetched_from = 0;  // fetched: the offset of the fetch
  std::uint32_t tag = 0;           // fetch, fetched: which fetch
  std::uint32_t generation = 0;    // of that tag
  std::array<std::byte, 64> entry{};
  std::vector<std::byte> block;      // command: in-capsule data
  std::span<const std::byte> bytes;  // data: they lie in `own` or `shared`
  buffer own;                        // the only message with this buffer
  std::shared_ptr<buffer> shared;    // one of several
  qpair_error ending;                // kind ending: what the receiver is told

  // A second one of the same; both share the buffer from then on.
  message duplicate() {
    if (own.size() != 0) shared = std::make_shared<buffer>(std::move(own));
    message copy;
    copy.kind = kind;
    copy.corrupt = corrupt;
    copy.last = last;
    copy.success = success;
    copy.cid = cid;
    copy.offset = offset;
    copy.length = length;
    copy.fetched_from = fetched_from;
    copy.tag = tag;
    copy.generation = generation;
    copy.entry = entry;
    copy.block = block;
    copy.bytes = bytes;
    copy.shared = shared;
    copy.ending = ending;
    return copy;
  }
};

}  // namespace nvmf::loop
