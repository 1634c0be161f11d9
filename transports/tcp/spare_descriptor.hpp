// SPDX-License-Identifier: BSD-2-Clause
// A descriptor that is kept for the time when there are no more: without one a connection can be
// neither taken nor refused, and its host waits in the backlog until its own patience ends.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nvmf::tcp {

class spare_descriptor {
 public:
  spare_descriptor() noexcept;
  ~spare_descriptor();
  spare_descriptor(const spare_descriptor&) = delete;
  spare_descriptor& operator=(const spare_descriptor&) = delete;

  // It is there, or can be had again.
  bool there() noexcept;
  // Closes some of the connections that wait at `listening`, in order; how many.
  std::size_t refuse(int listening) noexcept;
  // What RLIMIT_NOFILE allows now.
  static std::uint64_t limit() noexcept;

 private:
  int fd_;
};

}  // namespace nvmf::tcp
