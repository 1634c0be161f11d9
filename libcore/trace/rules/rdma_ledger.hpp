// SPDX-License-Identifier: BSD-2-Clause
// What the rules remember of a queue over RDMA besides its commands.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "violation.hpp"

namespace nvmf::trace {

struct rdma_ledger {
  // Of the private data, when it was seen.
  bool request = false, response = false;
  std::uint16_t qid = 0, hrqsize = 0, hsqsize = 0, cntlid = 0;

  // READs that have not been answered, in the order of their numbers.
  struct read {
    std::uint32_t psn = 0, slot = 0;
    std::uint64_t number = 0;  // of the command
    bool done = false;         // the command has succeeded before the answer
  };
  static constexpr std::size_t reads_max = 4096;
  std::vector<read> reads;

  // Keys of commands that were completed a moment ago.
  struct used_key {
    std::uint32_t key = 0;
    std::uint16_t cid = 0;
  };
  static constexpr std::size_t keys_kept = 64;
  std::array<std::optional<used_key>, keys_kept> used = {};
  std::size_t next_used = 0;
  std::optional<used_key> find_used(std::uint32_t key) const {
    for (std::size_t i = 0; i < keys_kept; ++i) {
      const auto& u = used[(next_used + keys_kept - 1 - i) % keys_kept];
      if (!u) return std::nullopt;
      if (u->key == key) return u;
    }
    return std::nullopt;
  }
  void add_used(const used_key& u) {
    used[next_used] = u;
    next_used = (next_used + 1) % keys_kept;
  }

  // A packet of RDMA says nothing about those that came the other way. So what looks wrong only if
  // nothing of the other direction is missing waits for the next message of that, in whose number a
  // gap would show. By who broke it.
  static constexpr std::size_t waiting_max = 256;
  std::array<std::vector<violation>, 2> waiting;
  void wait(const violation& v) {
    auto& w = waiting[static_cast<std::size_t>(v.by)];
    if (w.size() < waiting_max) w.push_back(v);
  }
};

}  // namespace nvmf::trace
