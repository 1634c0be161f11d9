// SPDX-License-Identifier: BSD-2-Clause
#include "output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace nvmf::cli {
namespace {

std::unexpected<std::string> failed(const std::string& path, std::string_view what) {
  return std::unexpected(fmt::format("{}: {}: {}", path, what, std::strerror(errno)));
}

class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() { close(); }
  int get() const { return fd_; }
  bool close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

bool write_bytes(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

std::expected<void, std::string> write_in_place(const std::string& path,
                                                std::span<const std::byte> bytes) {
  descriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
  if (file.get() < 0) return failed(path, "cannot be opened for writing");
  if (!write_bytes(file.get(), bytes) || !file.close()) return failed(path, "cannot be written");
  return {};
}

}  // namespace

std::expected<void, std::string> check_writable(const std::string& path) {
  struct stat now{};
  const bool there = ::stat(path.c_str(), &now) == 0;
  if (there && S_ISDIR(now.st_mode)) errno = EISDIR;
  // A file that may not be written stays as it is, although its directory would allow a rename.
  if (there && (S_ISDIR(now.st_mode) || ::access(path.c_str(), W_OK) != 0))
    return failed(path, "cannot be opened for writing");
  if (there && !S_ISREG(now.st_mode)) return {};
  std::string temporary = path + ".XXXXXX";
  const descriptor file{::mkostemp(temporary.data(), O_CLOEXEC)};
  if (file.get() < 0) return failed(path, "cannot be created");
  ::unlink(temporary.c_str());
  return {};
}

std::expected<void, std::string> write_file(const std::string& path,
                                            std::span<const std::byte> bytes) {
  struct stat now{};
  const bool there = ::stat(path.c_str(), &now) == 0;
  if (there && !S_ISREG(now.st_mode)) return write_in_place(path, bytes);
  if (there && ::access(path.c_str(), W_OK) != 0)
    return failed(path, "cannot be opened for writing");
  std::string temporary = path + ".XXXXXX";
  descriptor file{::mkostemp(temporary.data(), O_CLOEXEC)};
  if (file.get() < 0) return failed(path, "cannot be created");
  const mode_t mask = ::umask(0);
  ::umask(mask);
  const mode_t mode = there ? now.st_mode & 0777 : 0666 & ~mask;
  const bool written = write_bytes(file.get(), bytes) && ::fchmod(file.get(), mode) == 0 &&
                       ::fsync(file.get()) == 0 && file.close() &&
                       ::rename(temporary.c_str(), path.c_str()) == 0;
  if (written) return {};
  const auto error = failed(path, "cannot be written");
  ::unlink(temporary.c_str());
  return error;
}

std::expected<std::vector<std::byte>, std::string> read_file(const std::string& path,
                                                             std::size_t most) {
  descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) return failed(path, "cannot be opened for reading");
  std::vector<std::byte> bytes;
  while (true) {
    const std::size_t have = bytes.size();
    if (have > most) return std::unexpected(fmt::format("{}: longer than {} bytes", path, most));
    bytes.resize(have + 65536);
    const ssize_t n = ::read(file.get(), bytes.data() + have, bytes.size() - have);
    if (n < 0 && errno != EINTR) return failed(path, "cannot be read");
    bytes.resize(have + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n == 0) return bytes;
  }
}

}  // namespace nvmf::cli
