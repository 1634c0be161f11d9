// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <cstring>
#include <nvmf/buffer.hpp>
#include <nvmf/memdesc.hpp>

namespace nvmf {

memdesc memdesc::of_list(std::span<const segment> list, bool writable) {
  memdesc m;
  m.list_ = list.data();
  m.list_count_ = list.size();
  m.writable_ = writable;
  for (const segment& s : list) m.size_ += s.size;
  if (list.empty()) m.list_ = nullptr;
  return m;
}

memdesc memdesc::window(std::size_t offset, std::size_t length) const {
  assert(offset <= size_ && length <= size_ - offset);
  memdesc m = *this;
  m.size_ = length;
  if (m.list_ == nullptr) {
    m.base_ = base_ == nullptr ? nullptr : base_ + offset;
    return m;
  }
  // Whole segments before the window are dropped, so that windows of windows stay cheap to walk.
  std::size_t skip = skip_ + offset;
  while (m.list_count_ > 0 && skip >= m.list_->size) {
    skip -= m.list_->size;
    ++m.list_;
    --m.list_count_;
  }
  m.skip_ = skip;
  return m;
}

std::size_t memdesc::pieces(std::size_t offset, std::size_t length, std::span<segment> out) const {
  assert(offset <= size_ && length <= size_ - offset);
  if (length == 0 || out.empty()) return 0;
  if (list_ == nullptr) {
    out[0] = {base_ + offset, length};
    return 1;
  }
  std::size_t skip = skip_ + offset;
  std::size_t filled = 0;
  for (std::size_t i = 0; i < list_count_ && length > 0 && filled < out.size(); ++i) {
    const segment& s = list_[i];
    if (skip >= s.size) {
      skip -= s.size;
      continue;
    }
    const std::size_t n = std::min(s.size - skip, length);
    out[filled++] = {s.data + skip, n};
    length -= n;
    skip = 0;
  }
  return filled;
}

namespace {

// Calls `each(piece)` for every piece of the range, however many there are.
template <class Each>
void walk(const memdesc& m, std::size_t offset, std::size_t length, Each each) {
  segment some[16];
  while (length > 0) {
    const std::size_t n = m.pieces(offset, length, some);
    assert(n > 0);
    for (std::size_t i = 0; i < n; ++i) {
      each(some[i]);
      offset += some[i].size;
      length -= some[i].size;
    }
  }
}

}  // namespace

void memdesc::copy_in(std::size_t offset, std::span<const std::byte> from) const {
  assert(writable_ && offset <= size_ && from.size() <= size_ - offset);
  walk(*this, offset, from.size(), [&](const segment& s) {
    std::memcpy(s.data, from.data(), s.size);
    from = from.subspan(s.size);
  });
}

void memdesc::copy_out(std::size_t offset, std::span<std::byte> to) const {
  assert(offset <= size_ && to.size() <= size_ - offset);
  walk(*this, offset, to.size(), [&](const segment& s) {
    std::memcpy(to.data(), s.data, s.size);
    to = to.subspan(s.size);
  });
}

buffer buffer::copy_of(std::span<const std::byte> bytes) {
  auto* block = new std::byte[bytes.size()];
  if (!bytes.empty()) std::memcpy(block, bytes.data(), bytes.size());
  return {std::span<const std::byte>{block, bytes.size()},
          [](void* context, std::span<const std::byte>) noexcept {
            delete[] static_cast<std::byte*>(context);
          },
          block};
}

}  // namespace nvmf
