// SPDX-License-Identifier: BSD-2-Clause
// Work requests that have been posted and are not done, oldest first. The completion of one tells
// of those before it that were not signalled, and the queue never holds more than the device was
// asked for. What was signalled is done when its own completion has come and not sooner: Linux's
// siw tells of a send while an RDMA READ in front of it still waits for its data.
#pragma once

#include <algorithm>

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
  bool signalled = true;
  bool done = false;  // its completion has come, with
  work_status status = work_status::success;
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
    what.id = work.id = last_ + 1;
    what.kind = work.kind;
    what.remote_key = work.remote_key;
    what.signalled = work.signalled;
    if (const auto error = on.post(work)) return error;
    ++last_;
    posted_.push_back(what);
    return {};
  }
  // A completion has come. False: of nothing that is posted.
  bool complete(std::uint64_t id, work_status status) {
    if (posted_.empty() || id < posted_.front().id || id > last_) return false;
    posted_work& work = posted_[static_cast<std::size_t>(id - posted_.front().id)];
    work.done = true;
    work.status = status;
    newest_done_ = std::max(newest_done_, id);
    return true;
  }
  // The oldest, if it is done.
  bool retire(posted_work& out) {
    if (posted_.empty()) return false;
    const posted_work& oldest = posted_.front();
    if (!oldest.done && (oldest.signalled || oldest.id > newest_done_)) return false;
    out = oldest;
    posted_.pop_front();
    return true;
  }

 private:
  ring<posted_work> posted_;
  std::uint64_t last_ = 0, newest_done_ = 0;
  std::uint32_t depth_ = 0;
};

}  // namespace nvmf::rdma
