// SPDX-License-Identifier: BSD-2-Clause
// The connections of a capture by their two ends, and in the order in which they were last heard
// of: who bounds their number lets the oldest go.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tcp_flow.hpp"

namespace nvmf::trace {

inline constexpr std::uint32_t flows_max = 16384;

// Entry is what the owner keeps of a flow; made when a key is new, destroyed by erase().
template <class Entry>
class flow_table {
 public:
  flow_table() : index_(64, none) {}

  struct node {
    flow_key key;
    std::uint64_t hash = 0;
    std::uint32_t newer = none, older = none;
    Entry entry;
  };

  // The flow of the key, and whether it is new. It becomes the newest.
  std::pair<Entry&, bool> find_or_add(const flow_key& key) {
    if (newest_ != none && nodes_[newest_]->key == key) return {nodes_[newest_]->entry, false};
    const std::uint64_t hash = hash_of(key);
    for (std::size_t at = hash & mask(); index_[at] != none; at = (at + 1) & mask()) {
      node& n = *nodes_[index_[at]];
      if (n.hash != hash || !(n.key == key)) continue;
      unlink(index_[at]);
      link(index_[at]);
      return {n.entry, false};
    }
    return {add(key, hash), true};
  }
  std::uint32_t size() const { return size_; }
  // Of a table that is not empty.
  Entry& oldest() { return nodes_[oldest_]->entry; }
  void erase_oldest() {
    const std::uint32_t number = oldest_;
    unlink(number);
    unindex(number);
    nodes_[number].reset();
    free_.push_back(number);
    --size_;
  }

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  static std::uint64_t hash_of(const flow_key& k) {
    std::uint64_t h = (std::uint64_t{k.ports[0]} << 16 | k.ports[1]) * 0x9e3779b97f4a7c15u;
    for (std::size_t i = 0; i < k.addresses.size(); i += 8) {
      h = (h ^ wire::load_le(k.addresses, i, 8)) * 0xff51afd7ed558ccdu;
      h ^= h >> 29;
    }
    return h;
  }
  std::size_t mask() const { return index_.size() - 1; }

  Entry& add(const flow_key& key, std::uint64_t hash) {
    std::uint32_t number = static_cast<std::uint32_t>(nodes_.size());
    if (free_.empty()) {
      nodes_.push_back(nullptr);
    } else {
      number = free_.back();
      free_.pop_back();
    }
    nodes_[number] = std::make_unique<node>();
    nodes_[number]->key = key;
    nodes_[number]->hash = hash;
    ++size_;
    if (std::size_t{size_} * 2 > index_.size())
      grow();
    else
      put(number);
    link(number);
    return nodes_[number]->entry;
  }
  void put(std::uint32_t number) {
    std::size_t at = nodes_[number]->hash & mask();
    while (index_[at] != none) at = (at + 1) & mask();
    index_[at] = number;
  }
  void grow() {
    index_.assign(index_.size() * 2, none);
    for (std::uint32_t i = 0; i < nodes_.size(); ++i)
      if (nodes_[i] != nullptr) put(i);
  }
  // Closes the gap, so that no search ends before what it looks for.
  void unindex(std::uint32_t number) {
    std::size_t hole = nodes_[number]->hash & mask();
    while (index_[hole] != number) hole = (hole + 1) & mask();
    for (std::size_t at = (hole + 1) & mask(); index_[at] != none; at = (at + 1) & mask()) {
      const std::size_t home = nodes_[index_[at]]->hash & mask();
      if (((at - home) & mask()) < ((at - hole) & mask())) continue;
      index_[hole] = index_[at];
      hole = at;
    }
    index_[hole] = none;
  }
  void link(std::uint32_t number) {
    nodes_[number]->older = newest_;
    nodes_[number]->newer = none;
    if (newest_ != none) nodes_[newest_]->newer = number;
    newest_ = number;
    if (oldest_ == none) oldest_ = number;
  }
  void unlink(std::uint32_t number) {
    const node& n = *nodes_[number];
    (n.newer != none ? nodes_[n.newer]->older : newest_) = n.older;
    (n.older != none ? nodes_[n.older]->newer : oldest_) = n.newer;
  }

  std::uint32_t size_ = 0;
  std::uint32_t newest_ = none, oldest_ = none;
  std::vector<std::unique_ptr<node>> nodes_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> index_;
};

}  // namespace nvmf::trace
