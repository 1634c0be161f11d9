// SPDX-License-Identifier: BSD-2-Clause
// What the rules remember of commands, of R2Ts whose data has not all come, and of CIDs that were
// completed a moment ago. All of it is bounded by what is outstanding.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "trace/conversation/command.hpp"

namespace nvmf::trace {

struct transfer {
  std::uint64_t number = 0;  // of its command; 0: none
  std::uint32_t epoch = 0;   // gaps before it
  std::uint64_t completed_before = 0;
  std::optional<std::uint32_t> length = {};  // of its SGL
  bool sends = false, receives = false;
  bool in_capsule = false;
  bool asked_in_order = true;
  bool last_seen = false;
  std::uint32_t open_r2ts = 0;
  std::uint64_t asked_to = 0;                        // the first byte that no R2T asked for
  std::uint64_t received = 0;                        // by the host, in order
  std::optional<std::uint32_t> may_invalidate = {};  // a key, over RDMA
};

struct open_r2t {
  std::uint16_t ttag = 0, cid = 0;
  bool orphan = false;  // its command was completed before its data had come
  std::uint32_t slot = 0;
  std::uint64_t number = 0;
  std::uint64_t begin = 0, next = 0, end = 0;
};

class r2t_ledger {
 public:
  // More on one queue: who judges gives up.
  static constexpr std::size_t most = 4096;

  open_r2t* find(std::uint16_t ttag);
  // Takes the place of one with the same TTAG. False: there are too many.
  bool add(const open_r2t& r);
  void erase(open_r2t& r);
  void orphan_of(std::uint64_t number);
  void clear() { open_.clear(); }
  std::size_t size() const { return open_.size(); }

 private:
  std::vector<open_r2t> open_;  // by TTAG
};

// The CIDs that were completed last.
class finished_cids {
 public:
  static constexpr std::size_t kept = 64;
  void add(std::uint16_t cid, fate how) { ring_[next_++ % kept] = {cid, how, true}; }
  std::optional<fate> find(std::uint16_t cid) const {
    for (std::size_t i = 0; i < kept; ++i) {
      const entry& e = ring_[(next_ - 1 - i) % kept];
      if (!e.used) return std::nullopt;
      if (e.cid == cid) return e.how;
    }
    return std::nullopt;
  }

 private:
  struct entry {
    std::uint16_t cid = 0;
    fate how = fate::completed;
    bool used = false;
  };
  std::array<entry, kept> ring_{};
  std::size_t next_ = 0;
};

}  // namespace nvmf::trace
