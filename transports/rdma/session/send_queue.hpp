// SPDX-License-Identifier: BSD-2-Clause
// Work requests that have been posted and are not done, oldest first, and those that are about to
// be: they are posted together, in a chain.
//
// Of a chain the last is signalled, and whatever is waited for by itself: an RDMA READ, a key that
// is taken back. A completion tells of those before it that were not signalled. What was signalled
// for its own sake is done when its own completion has come and not sooner: Linux's siw tells of a
// send while an RDMA READ in front of it still waits for its data. The queue never holds more than
// the device was asked for, and a chain is short enough that signalled ones are never far apart.
#pragma once

#include <algorithm>
#include <array>

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
  bool signalled = true;  // for its own sake
  bool done = false;      // its completion has come, with
  work_status status = work_status::success;
};

class send_queue {
 public:
  static constexpr std::size_t chain_most = 32, pieces_most = 2;

  send_queue() = default;
  send_queue(const send_queue&) = delete;
  send_queue& operator=(const send_queue&) = delete;

  void open(std::uint32_t depth) { depth_ = depth; }
  std::uint32_t depth() const { return depth_; }
  bool room(std::uint32_t n = 1) const { return posted_.size() + n <= depth_; }
  bool empty() const { return posted_.empty(); }
  std::size_t size() const { return posted_.size(); }
  std::size_t awaited() const { return awaited_; }  // those signalled for their own sake
  bool chained() const { return chained_ != 0; }
  bool chain_full() const { return chained_ == chain_most; }

  // `work` with an id of its own, for the next submit. What its pieces describe is kept until it is
  // done.
  void add(const work_request& wanted, posted_work what) {
    assert(room() && !chain_full() && wanted.pieces.size() <= pieces_most);
    const auto pieces = std::span{pieces_}.subspan(chained_ * pieces_most, wanted.pieces.size());
    std::ranges::copy(wanted.pieces, pieces.begin());
    work_request& work = chain_[chained_++] = wanted;
    work.pieces = pieces;
    what.id = work.id = ++last_;
    what.kind = work.kind;
    what.remote_key = work.remote_key;
    what.signalled = work.signalled;
    awaited_ += what.signalled;
    posted_.push_back(what);
  }
  // Posts what has gathered. With an error the newest have not been taken: take_refused.
  std::error_code submit(link& on) {
    const std::size_t all = std::exchange(chained_, 0);
    if (all == 0) return {};
    chain_[all - 1].signalled = true;
    const posting got = on.post_all(std::span{chain_}.first(all));
    if (got.error) refused_ = all - got.taken;
    return got.error;
  }
  // The newest of those that were not taken.
  bool take_refused(posted_work& out) {
    if (refused_ == 0) return false;
    --refused_;
    out = posted_.take(posted_.size() - 1);
    awaited_ -= out.signalled;
    --last_;
    return true;
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
    awaited_ -= out.signalled;
    return true;
  }

 private:
  ring<posted_work> posted_;
  std::array<work_request, chain_most> chain_;
  std::array<piece, chain_most * pieces_most> pieces_;
  std::size_t chained_ = 0, refused_ = 0, awaited_ = 0;
  std::uint64_t last_ = 0, newest_done_ = 0;
  std::uint32_t depth_ = 0;
};

}  // namespace nvmf::rdma
