// SPDX-License-Identifier: BSD-2-Clause
#include "spare_descriptor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace nvmf::tcp {
namespace {

// In one go, so that the rest of the reactor has its turn too.
constexpr std::size_t refused_at_once = 16;

int open_spare() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool somebody_waits(int listening) {
  pollfd asked{.fd = listening, .events = POLLIN, .revents = 0};
  return ::poll(&asked, 1, 0) == 1;
}

}  // namespace

spare_descriptor::spare_descriptor() noexcept : fd_(open_spare()) {}

spare_descriptor::~spare_descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

bool spare_descriptor::there() noexcept {
  if (fd_ < 0) fd_ = open_spare();
  return fd_ >= 0;
}

std::size_t spare_descriptor::refuse(int listening) noexcept {
  std::size_t refused = 0;
  // Asked first: the listening socket need not be one that does not block.
  while (fd_ >= 0 && refused < refused_at_once && somebody_waits(listening)) {
    ::close(fd_);
    const int peer = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer >= 0) {
      ::close(peer);
      ++refused;
    }
    fd_ = open_spare();
    if (peer < 0) break;
  }
  return refused;
}

std::uint64_t spare_descriptor::limit() noexcept {
  rlimit now{};
  return ::getrlimit(RLIMIT_NOFILE, &now) == 0 ? now.rlim_cur : 0;
}

}  // namespace nvmf::tcp
