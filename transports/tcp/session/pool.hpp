// SPDX-License-Identifier: BSD-2-Clause
// Places for slots: allocated in chunks as they are needed, so that a connection at rest holds
// none, and never moved, so that a slot's number and address are good for the life of the
// connection.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace nvmf::tcp {

// A singly linked first-in first-out list through T::*Next; owns nothing.
template <class T, T* T::* Next>
class fifo {
 public:
  bool empty() const { return head_ == nullptr; }
  T* front() const { return head_; }
  void push(T* item) {
    item->*Next = nullptr;
    (head_ == nullptr ? head_ : tail_->*Next) = item;
    tail_ = item;
  }
  T* pop() {
    T* item = head_;
    head_ = item->*Next;
    return item;
  }
  // Takes out every item that `wanted` and gives it to `sink`.
  template <class Wanted, class Sink>
  void extract(Wanted wanted, Sink sink) {
    fifo kept;
    while (!empty()) {
      T* item = pop();
      if (wanted(*item))
        sink(item);
      else
        kept.push(item);
    }
    *this = kept;
  }

 private:
  T* head_ = nullptr;
  T* tail_ = nullptr;
};

// Whoever has pools learns that one has become large, and then asks it to rest now and then.
class pool_owner {
 public:
  virtual void on_grown() = 0;

 protected:
  ~pool_owner() = default;
};

// T has `std::uint16_t index` and `T* next`. Numbers are handed out again as late as possible among
// those in use so far: a peer that answers to a finished number is noticed.
template <class T>
class slot_pool {
 public:
  slot_pool(std::uint32_t limit, pool_owner& owner) : limit_(limit), owner_(owner) {}

  // nullptr when all are taken.
  T* take() {
    if (free_.empty() && !wake() && !grow()) return nullptr;
    ++taken_;
    return free_.pop();
  }
  void give(T* item) {
    assert(taken_ > 0);
    --taken_;
    free_.push(item);
  }
  // nullptr when there is no such slot (yet). It may be a free one.
  T* at(std::uint32_t index) const {
    if (index >= made_) return nullptr;
    return &chunks_[index / chunk][index % chunk];
  }
  template <class F>
  void for_each(F f) const {
    for (std::uint32_t i = 0; i < made_; ++i) f(*at(i));
  }
  std::uint32_t taken() const { return taken_; }
  std::uint32_t limit() const { return limit_; }
  // A smaller limit takes effect for slots that have not been made.
  void set_limit(std::uint32_t limit) { limit_ = limit; }

  // Larger than what every pool keeps.
  bool grown() const { return chunks_.size() > 1; }
  // Gives all memory back if nothing has been taken since the last call; returns how many bytes.
  // What is free is put aside, so that the next to take notices, and one that takes and gives all
  // the time pays nothing for it.
  std::size_t rest() {
    if (taken_ > 0 || made_ == 0) return 0;
    if (resting_.empty()) {
      resting_ = std::exchange(free_, {});
      return 0;
    }
    resting_ = {};
    made_ = 0;
    return std::exchange(chunks_, {}).size() * chunk * sizeof(T);
  }

 private:
  static constexpr std::uint32_t chunk = 16;

  bool wake() {
    free_ = std::exchange(resting_, {});
    return !free_.empty();
  }
  bool grow() {
    if (made_ >= limit_) return false;
    if (made_ % chunk == 0) chunks_.push_back(std::make_unique<T[]>(chunk));
    const std::uint32_t until = std::min(limit_, (made_ / chunk + 1) * chunk);
    for (; made_ < until; ++made_) {
      T& item = chunks_.back()[made_ % chunk];
      item.index = static_cast<std::uint16_t>(made_);
      free_.push(&item);
    }
    if (grown()) owner_.on_grown();
    return true;
  }

  std::uint32_t limit_;
  pool_owner& owner_;
  std::uint32_t made_ = 0;
  std::uint32_t taken_ = 0;
  std::vector<std::unique_ptr<T[]>> chunks_;
  fifo<T, &T::next> free_;
  fifo<T, &T::next> resting_;  // all of them, once nobody has taken one for a while
};

}  // namespace nvmf::tcp
