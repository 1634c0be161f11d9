// SPDX-License-Identifier: BSD-2-Clause
// Work requests that have been posted and are not done, oldest first. A reliable connection does
// them in order, so the completion of one tells of all before it that were not signalled, and the
// queue never holds more than the device was asked for.
#pragma once

#include "block_pool.hpp"
#include "core/host/ring.hpp"

namespace nvmf::rdma {

struct posted_work {
  std::uint64_t id = 0;
  work_kind kind = work_kind::send;
  std::uint32_t index = 0;  // of what it is for: slot, transfer, place of a response
  std::uint32_t bytes = 0;
  block memory{};         // given back when it is done
  std::uint16_t cid = 0;  // of the command that it is of
  std::uint32_t remote_key = 0;
};

class send_queue {
 public:
  void open(std::uint32_t depth) { depth_ = depth; }
  std::uint32_t depth() const { return depth_; }
  bool room(std::uint32_t n = 1) const { return posted_.size() + n <= depth_; }
  bool empty() const { return posted_.empty(); }
  std::size_t size() const { return posted_.size(); }

  // `work` with an id of its own.
  std::error_code post(link& on, work_request work, posted_work what) {
    assert(room());
    what.id = work.id = ++last_;
    what.kind = work.kind;
    what.remote_key = work.remote_key;
    if (const auto error = on.post(work)) return error;
    posted_.push_back(what);
    return {};
  }
  // The oldest, if it is the one with this id or one before it.
  bool retire(std::uint64_t id, posted_work& out) {
    if (posted_.empty() || posted_.front().id > id) return false;
    out = posted_.front();
    posted_.pop_front();
    return true;
  }
  // The oldest, whatever it is: the device is gone.
  bool retire(posted_work& out) { return retire(last_, out); }

 private:
  ring<posted_work> posted_;
  std::uint64_t last_ = 0;
  std::uint32_t depth_ = 0;
};

}  // namespace nvmf::rdma
