// SPDX-License-Identifier: BSD-2-Clause
#include "command_table.hpp"

#include <algorithm>
#include <cassert>

namespace nvmf::trace {

command* command_table::find(std::uint16_t cid) {
  for (std::size_t at = home(cid); index_[at] != none; at = (at + 1) & mask())
    if (command& c = slots_[index_[at]]; c.cid == cid) return &c;
  return nullptr;
}

void command_table::put(std::uint32_t slot) {
  std::size_t at = home(slots_[slot].cid);
  while (index_[at] != none) at = (at + 1) & mask();
  index_[at] = slot;
}

command& command_table::add(std::uint16_t cid) {
  assert(find(cid) == nullptr);
  std::uint32_t slot = static_cast<std::uint32_t>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
    used_.push_back(false);
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot] = {};
  slots_[slot].cid = cid;
  slots_[slot].slot = slot;
  used_[slot] = true;
  if (++size_ * 2 > index_.size()) {
    index_.assign(index_.size() * 2, none);
    for (std::uint32_t i = 0; i < slots_.size(); ++i)
      if (used_[i]) put(i);
  } else {
    put(slot);
  }
  return slots_[slot];
}

void command_table::erase(command& c) {
  const std::uint32_t slot = c.slot;
  assert(slot < slots_.size() && used_[slot]);
  std::size_t hole = home(c.cid);
  while (index_[hole] != slot) hole = (hole + 1) & mask();
  // What stands behind moves up, so that no search ends before what it looks for.
  for (std::size_t at = (hole + 1) & mask(); index_[at] != none; at = (at + 1) & mask()) {
    if (((at - home(slots_[index_[at]].cid)) & mask()) < ((at - hole) & mask())) continue;
    index_[hole] = index_[at];
    hole = at;
  }
  index_[hole] = none;
  used_[slot] = false;
  free_.push_back(slot);
  --size_;
}

std::vector<std::uint16_t> command_table::cids() const {
  std::vector<const command*> all;
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (used_[i]) all.push_back(&slots_[i]);
  std::ranges::sort(all, {}, &command::number);
  std::vector<std::uint16_t> out;
  for (const command* c : all) out.push_back(c->cid);
  return out;
}

}  // namespace nvmf::trace
