// SPDX-License-Identifier: BSD-2-Clause
// Registered memory of a made-up RDMA device: keys, bounds and rights, checked as a device would.
#pragma once

#include <cstring>
#include <map>
#include <new>

#include "rdma/verbs.hpp"

namespace nvmf::test {

// What the keys of one link stand for.
class key_table {
 public:
  struct entry {
    std::byte* base = nullptr;
    std::uint64_t size = 0;
    rdma::access rights{};
    bool window = false;
    bool valid = true;
  };

  std::uint32_t add(entry e) {
    last_ += 0x100;
    entries_[last_ >> 8] = e;
    keys_[last_ >> 8] = last_;
    return last_;
  }
  void remove(std::uint32_t key) { entries_.erase(key >> 8); }
  // Bound, or taken back. False: not a window, or not one that could be.
  bool bind(std::uint32_t key, const rdma::piece& to, rdma::access rights) {
    const auto found = entries_.find(key >> 8);
    if (found == entries_.end() || !found->second.window || found->second.valid) return false;
    if (!reach(to.key, to.data, to.length, rdma::access::local)) return false;
    found->second = {to.data, to.length, rights, true, true};
    keys_[key >> 8] = key;
    return true;
  }
  bool invalidate(std::uint32_t key) {
    const auto found = entries_.find(key >> 8);
    if (found == entries_.end() || !found->second.window || !found->second.valid ||
        keys_[key >> 8] != key)
      return false;
    found->second.valid = false;
    return true;
  }
  // May these bytes be used by who shows this key?
  bool reach(std::uint32_t key, const std::byte* at, std::uint64_t length,
             rdma::access wanted) const {
    const auto found = entries_.find(key >> 8);
    if (found == entries_.end() || !found->second.valid || keys_.at(key >> 8) != key) return false;
    const entry& e = found->second;
    if (!rdma::allows(e.rights, wanted)) return false;
    const auto address = reinterpret_cast<std::uintptr_t>(at);
    const auto base = reinterpret_cast<std::uintptr_t>(e.base);
    return address >= base && address - base <= e.size && length <= e.size - (address - base);
  }
  // Regions, without windows.
  std::size_t regions() const {
    std::size_t n = 0;
    for (const auto& [key, e] : entries_) n += !e.window;
    return n;
  }

 private:
  std::map<std::uint32_t, entry> entries_;
  std::map<std::uint32_t, std::uint32_t> keys_;  // as they are valid now
  std::uint32_t last_ = 0x4200;
};

class fake_region final : public rdma::region {
 public:
  fake_region(std::shared_ptr<key_table> keys, std::size_t bytes, rdma::access rights)
      : keys_(std::move(keys)), memory_(new std::byte[bytes]) {
    bytes_ = {memory_.get(), bytes};
    // What was there before must not look like something.
    std::memset(memory_.get(), 0xa5, bytes);
    local_key_ = remote_key_ = keys_->add({memory_.get(), bytes, rights});
  }
  ~fake_region() override { keys_->remove(local_key_); }

 private:
  std::shared_ptr<key_table> keys_;
  std::unique_ptr<std::byte[]> memory_;
};

}  // namespace nvmf::test
