// SPDX-License-Identifier: BSD-2-Clause
// Some of the elements of a table, in the order in which they were added, by links that lie in the
// elements: any of them leaves without a walk, and nothing is allocated.
#pragma once

#include <cassert>
#include <cstdint>

namespace nvmf::rdma {

inline constexpr std::uint32_t no_index = 0xffff'ffff;

struct chain_link {
  std::uint32_t before = no_index, after = no_index;
  bool within = false;
};

class index_chain {
 public:
  bool empty() const { return first_ == no_index; }
  std::uint32_t first() const { return first_; }  // no_index: there is none
  std::uint32_t front() const {
    assert(!empty());
    return first_;
  }

  // `link(i)`: the chain_link of element i that belongs to this chain.
  template <class Link>
  void push_back(std::uint32_t i, const Link& link) {
    chain_link& own = link(i);
    assert(!own.within);
    own = {.before = last_, .within = true};
    (last_ == no_index ? first_ : link(last_).after) = i;
    last_ = i;
  }
  // One that is not within is left as it is.
  template <class Link>
  void remove(std::uint32_t i, const Link& link) {
    chain_link& own = link(i);
    if (!own.within) return;
    (own.before == no_index ? first_ : link(own.before).after) = own.after;
    (own.after == no_index ? last_ : link(own.after).before) = own.before;
    own = {};
  }

 private:
  std::uint32_t first_ = no_index, last_ = no_index;
};

}  // namespace nvmf::rdma
