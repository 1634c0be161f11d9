// SPDX-License-Identifier: BSD-2-Clause
#include "block_pool.hpp"

#include <algorithm>
#include <cassert>

namespace nvmf::rdma {

std::expected<block, std::error_code> block_pool::take(link& from, std::uint32_t size) {
  assert(size > 0);
  const std::size_t which = class_of(size);
  if (which >= classes || (std::size_t{least} << which) > most_)
    return std::unexpected(make_error_code(errc::limit_exceeded));
  if (free_[which].empty()) {
    if (const auto added = add_slab(from, least << which); !added)
      return std::unexpected(added.error());
  }
  const block b = free_[which].back();
  free_[which].pop_back();
  used_ += b.size;
  return b;
}

std::expected<void, std::error_code> block_pool::add_slab(link& from, std::uint32_t size) {
  const std::size_t bytes =
      std::max<std::size_t>(size, std::min<std::size_t>(slab_least, most_ / 2));
  if (registered_ + bytes > most_) {
    // Memory of other sizes is in the way. It can go once nobody uses any.
    if (used_ != 0) return std::unexpected(make_error_code(errc::busy));
    clear();
  }
  auto slab = from.allocate(bytes, rights_);
  if (!slab) {
    // It may be enough for others that are on their way.
    if (used_ != 0) return std::unexpected(make_error_code(errc::busy));
    return std::unexpected(slab.error());
  }
  const region& r = **slab;
  auto& list = free_[class_of(size)];
  list.reserve(list.capacity() + bytes / size);
  for (std::size_t at = 0; at + size <= bytes; at += size)
    list.push_back({.data = r.bytes().data() + at,
                    .size = size,
                    .local_key = r.local_key(),
                    .remote_key = r.remote_key()});
  slabs_.push_back(std::move(*slab));
  registered_ += bytes;
  return {};
}

void block_pool::give(const block& b) {
  assert(b && used_ >= b.size);
  used_ -= b.size;
  free_[class_of(b.size)].push_back(b);
}

void block_pool::clear() {
  for (auto& list : free_) list.clear();
  slabs_.clear();
  used_ = registered_ = 0;
}

}  // namespace nvmf::rdma
