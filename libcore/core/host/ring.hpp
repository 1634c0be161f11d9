// SPDX-License-Identifier: BSD-2-Clause
// A FIFO that keeps its memory: it grows by doubling and never shrinks, so that a queue that has
// once been deep does not allocate again (std::deque does, as it moves along).
#pragma once

#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

namespace nvmf {

template <class T>
class ring {
 public:
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  T& operator[](std::size_t i) {
    assert(i < count_);
    return slots_[place(i)];
  }
  const T& operator[](std::size_t i) const {
    assert(i < count_);
    return slots_[place(i)];
  }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }

  void push_back(T value) {
    if (count_ == slots_.size()) grow();
    ++count_;
    (*this)[count_ - 1] = std::move(value);
  }
  void pop_front() {
    front() = T{};
    head_ = place(1);
    --count_;
  }
  // Takes out the element at `i`; those behind it move up.
  T take(std::size_t i) {
    T out = std::move((*this)[i]);
    for (std::size_t k = i; k + 1 < count_; ++k) (*this)[k] = std::move((*this)[k + 1]);
    (*this)[count_ - 1] = T{};
    --count_;
    return out;
  }

 private:
  // Their number is a power of two.
  std::size_t place(std::size_t i) const { return (head_ + i) & (slots_.size() - 1); }
  void grow() {
    std::vector<T> larger(slots_.empty() ? 8 : slots_.size() * 2);
    for (std::size_t i = 0; i < count_; ++i) larger[i] = std::move((*this)[i]);
    slots_.swap(larger);
    head_ = 0;
  }

  std::vector<T> slots_;
  std::size_t head_ = 0;
  std::size_t count_ = 0;
};

}  // namespace nvmf
