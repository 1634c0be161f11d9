// SPDX-License-Identifier: BSD-2-Clause
#include "transfers.hpp"

#include <algorithm>

namespace nvmf::trace {

open_r2t* r2t_ledger::find(std::uint16_t ttag) {
  const auto at = std::ranges::lower_bound(open_, ttag, {}, &open_r2t::ttag);
  return at != open_.end() && at->ttag == ttag ? &*at : nullptr;
}

bool r2t_ledger::add(const open_r2t& r) {
  if (open_r2t* same = find(r.ttag)) {
    *same = r;
    return true;
  }
  if (open_.size() == most) return false;
  open_.insert(std::ranges::lower_bound(open_, r.ttag, {}, &open_r2t::ttag), r);
  return true;
}

void r2t_ledger::erase(open_r2t& r) { open_.erase(open_.begin() + (&r - open_.data())); }

void r2t_ledger::orphan_of(std::uint64_t number) {
  for (open_r2t& r : open_)
    if (r.number == number) r.orphan = true;
}

}  // namespace nvmf::trace
