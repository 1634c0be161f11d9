// SPDX-License-Identifier: BSD-2-Clause
// memdesc says where memory is; it never owns it. A copy of a memdesc describes the same memory.
// The memory, and for scatter lists the array of segments too, belongs to whoever made the memdesc
// and must stay alive until the completion callback of the operation it was given to.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

namespace nvmf {

struct segment {
  std::byte* data;
  std::size_t size;
};

class memdesc {
 public:
  memdesc() = default;  // no memory, size 0

  // One piece that may be written.
  static memdesc of(std::span<std::byte> piece) { return {piece.data(), piece.size(), true}; }
  // One piece that is only read: for data to be sent.
  static memdesc of(std::span<const std::byte> piece) {
    return {const_cast<std::byte*>(piece.data()), piece.size(), false};
  }
  // A scatter list; segments of size 0 are allowed. `list` is borrowed, as the memory is.
  static memdesc of_list(std::span<const segment> list, bool writable = true);

  // The part [offset, offset + length) of this. Precondition: within size().
  memdesc window(std::size_t offset, std::size_t length) const;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool writable() const { return writable_; }
  bool contiguous() const { return list_ == nullptr; }

  // The single piece of a contiguous memdesc.
  std::span<std::byte> piece() const {
    assert(contiguous());
    return {base_, size_};
  }

  // Fills `out` with the pieces of [offset, offset + length), empty ones left out; returns how many
  // were filled. When `out` is too short the pieces cover a prefix only.
  std::size_t pieces(std::size_t offset, std::size_t length, std::span<segment> out) const;

  // Copies `from` to [offset, offset + from.size()). Preconditions: writable, within size().
  void copy_in(std::size_t offset, std::span<const std::byte> from) const;
  // Copies [offset, offset + to.size()) to `to`. Precondition: within size().
  void copy_out(std::size_t offset, std::span<std::byte> to) const;

 private:
  memdesc(std::byte* base, std::size_t size, bool writable)
      : base_(base), size_(size), writable_(writable) {}

  std::byte* base_ = nullptr;      // contiguous
  const segment* list_ = nullptr;  // scatter list
  std::size_t list_count_ = 0;
  std::size_t skip_ = 0;  // bytes of the list before the window
  std::size_t size_ = 0;
  bool writable_ = false;
};

}  // namespace nvmf
