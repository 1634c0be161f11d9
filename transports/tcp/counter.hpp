// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace nvmf::tcp {

// Counts what is alive, on any thread; the counted may outlive whoever asks.
class counter {
 public:
  std::size_t value() const { return *value_; }

  // One that is counted until it leaves.
  class member {
   public:
    member() = default;
    explicit member(const counter& of) : value_(of.value_) { ++*value_; }
    member(member&& other) noexcept = default;
    member& operator=(member&&) = delete;
    ~member() { leave(); }
    void leave() {
      if (const auto value = std::exchange(value_, nullptr)) --*value;
    }

   private:
    std::shared_ptr<std::atomic<std::size_t>> value_;
  };

 private:
  std::shared_ptr<std::atomic<std::size_t>> value_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace nvmf::tcp
