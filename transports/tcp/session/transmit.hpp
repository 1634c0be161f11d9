// SPDX-License-Identifier: BSD-2-Clause
// PDUs on their way out, in the order in which they leave: what has begun goes first, then urgent
// PDUs, then the others, each in order. The queue hands out pieces of memory for one gathering
// write and is told how many bytes of them have left.
#pragma once

#include <memory>
#include <span>

#include "memory.hpp"
#include "pool.hpp"

namespace nvmf::tcp {

class transmit_queue {
 public:
  explicit transmit_queue(std::shared_ptr<memory_pool> pool) : pool_(std::move(pool)) {}
  ~transmit_queue() { drop_all(); }
  transmit_queue(const transmit_queue&) = delete;
  transmit_queue& operator=(const transmit_queue&) = delete;

  tx_pdu* make() { return pool_->take_pdu(); }
  void push(tx_pdu* pdu) { add(normal_, pdu); }
  void push_urgent(tx_pdu* pdu) { add(urgent_, pdu); }

  bool empty() const { return bytes_ == 0; }
  // Bytes that have not left.
  std::size_t bytes() const { return bytes_; }
  std::size_t urgent_bytes() const { return urgent_bytes_; }

  // What leaves next, or goes on leaving; nullptr when nothing does.
  const tx_pdu* front() const {
    if (begun_ != nullptr) return begun_;
    return !urgent_.empty() ? urgent_.front() : normal_.front();
  }
  bool begun() const { return begun_ != nullptr; }
  template <class F>
  void for_each(F f) const {
    if (begun_ != nullptr) f(*begun_);
    for (const tx_pdu* pdu = urgent_.front(); pdu != nullptr; pdu = pdu->next) f(*pdu);
    for (const tx_pdu* pdu = normal_.front(); pdu != nullptr; pdu = pdu->next) f(*pdu);
  }

  // Fills `out` with what is to leave next, up to about `most` bytes (a single piece may be cut).
  // Returns the number of pieces. Good until the next call of anything here.
  std::size_t gather(std::span<segment> out, std::size_t most) const;

  // `n` of the bytes that gather showed have left. Calls done(pdu) for each PDU that has left
  // entirely, after which its place is used again; done must not add to the queue.
  template <class Done>
  void sent(std::size_t n, Done done) {
    bytes_ -= n;
    while (n > 0) {
      if (begun_ == nullptr) begin_next();
      const std::size_t left = begun_->size() - begun_->sent;
      const std::size_t step = n < left ? n : left;
      begun_->sent += step;
      n -= step;
      if (step < left) return;
      tx_pdu* pdu = begun_;
      begun_ = nullptr;
      done(*pdu);
      pool_->give_pdu(pdu);
    }
  }

  // The connection is ending and the memory that PDUs lie in must be given back now. What has begun
  // is copied, so that the stream stays whole; after it PDUs stay in order up to the first whose
  // data does not fit in `copy_max` bytes of copies. The rest is dropped.
  void detach(std::size_t copy_max);
  // As detach for the PDUs of one command. Begun ones and command capsules are copied, others are
  // dropped. done(pdu) is called for each that was, whether it stays or not.
  template <class Done>
  void detach_owner(const void* owner, Done done) {
    const auto theirs = [&](const tx_pdu& pdu) { return pdu.owner == owner; };
    if (begun_ != nullptr && theirs(*begun_)) {
      done(*begun_);
      own(*begun_);
    }
    const auto settle = [&](fifo_list& list) {
      fifo_list kept;
      while (!list.empty()) {
        tx_pdu* pdu = list.pop();
        if (theirs(*pdu)) {
          done(*pdu);
          if (pdu->kind != tx_kind::command) {
            forget(pdu, &list == &urgent_);
            continue;
          }
          own(*pdu);
        }
        kept.push(pdu);
      }
      list = kept;
    };
    settle(urgent_);
    settle(normal_);
  }
  // Drops what has not begun.
  void drop_unbegun();
  void drop_all();

 private:
  using fifo_list = fifo<tx_pdu, &tx_pdu::next>;

  void add(fifo_list& list, tx_pdu* pdu) {
    bytes_ += pdu->size();
    if (&list == &urgent_) urgent_bytes_ += pdu->size();
    list.push(pdu);
  }
  void begin_next() {
    const bool urgent = !urgent_.empty();
    begun_ = urgent ? urgent_.pop() : normal_.pop();
    if (urgent) urgent_bytes_ -= begun_->size();
  }
  void forget(tx_pdu* pdu, bool urgent) {
    bytes_ -= pdu->size() - pdu->sent;
    if (urgent) urgent_bytes_ -= pdu->size();
    pool_->give_pdu(pdu);
  }
  void clear(fifo_list& list) {
    while (!list.empty()) forget(list.pop(), &list == &urgent_);
  }
  static void own(tx_pdu& pdu);

  std::shared_ptr<memory_pool> pool_;
  tx_pdu* begun_ = nullptr;
  fifo_list urgent_;
  fifo_list normal_;
  std::size_t bytes_ = 0;
  std::size_t urgent_bytes_ = 0;
};

}  // namespace nvmf::tcp
