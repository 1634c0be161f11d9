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

constexpr std::size_t buffered_bytes = 256u << 10;

std::unexpected<std::string> refused(const std::string& path, std::string_view what) {
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

}  // namespace

std::expected<void, std::string> check_writable(const std::string& path) {
  struct stat now{};
  const bool there = ::stat(path.c_str(), &now) == 0;
  if (there && S_ISDIR(now.st_mode)) errno = EISDIR;
  // A file that may not be written stays as it is, although its directory would allow a rename.
  if (there && (S_ISDIR(now.st_mode) || ::access(path.c_str(), W_OK) != 0))
    return refused(path, "cannot be opened for writing");
  if (there && !S_ISREG(now.st_mode)) return {};
  std::string temporary = path + ".XXXXXX";
  const descriptor file{::mkostemp(temporary.data(), O_CLOEXEC)};
  if (file.get() < 0) return refused(path, "cannot be created");
  ::unlink(temporary.c_str());
  return {};
}

output_file::output_file(std::string path, std::string temporary, int fd, unsigned mode)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd), mode_(mode) {}

output_file::output_file(output_file&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      fd_(std::exchange(other.fd_, -1)),
      mode_(other.mode_),
      error_(other.error_),
      buffer_(std::move(other.buffer_)) {}

output_file::~output_file() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

std::expected<output_file, std::string> output_file::create(const std::string& path) {
  struct stat now{};
  const bool there = ::stat(path.c_str(), &now) == 0;
  if (there && !S_ISREG(now.st_mode)) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return refused(path, "cannot be opened for writing");
    return output_file{path, {}, fd, 0};
  }
  if (there && ::access(path.c_str(), W_OK) != 0)
    return refused(path, "cannot be opened for writing");
  std::string temporary = path + ".XXXXXX";
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return refused(path, "cannot be created");
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return output_file{path, std::move(temporary), fd, there ? now.st_mode & 0777 : 0666 & ~mask};
}

void output_file::write_now(std::span<const std::byte> bytes) {
  if (error_ != 0 || write_bytes(fd_, bytes)) return;
  error_ = errno;
  if (temporary_.empty()) return;
  ::unlink(temporary_.c_str());
  ::close(std::exchange(fd_, -1));
}

void output_file::empty() {
  write_now(buffer_);
  buffer_.clear();
}

void output_file::write(std::span<const std::byte> bytes) {
  if (error_ != 0) return;
  if (buffer_.size() + bytes.size() > buffered_bytes) empty();
  if (bytes.size() < buffered_bytes)
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  else
    write_now(bytes);
}

std::string output_file::trouble() const {
  errno = error_;
  return refused(path_, "cannot be written").error();
}

void output_file::flush() {
  if (is_read_along()) empty();
}

std::expected<void, std::string> output_file::commit() {
  empty();
  if (error_ == 0 && !temporary_.empty() && (::fchmod(fd_, mode_) != 0 || ::fsync(fd_) != 0))
    error_ = errno;
  if (fd_ >= 0 && ::close(std::exchange(fd_, -1)) != 0 && error_ == 0) error_ = errno;
  if (error_ == 0 && !temporary_.empty() && ::rename(temporary_.c_str(), path_.c_str()) != 0)
    error_ = errno;
  if (error_ == 0) {
    temporary_.clear();
    return {};
  }
  return std::unexpected(trouble());
}

std::expected<void, std::string> write_file(const std::string& path,
                                            std::span<const std::byte> bytes) {
  auto file = output_file::create(path);
  if (!file) return std::unexpected(file.error());
  file->write(bytes);
  return file->commit();
}

std::expected<std::vector<std::byte>, std::string> read_file(const std::string& path,
                                                             std::size_t most) {
  descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) return refused(path, "cannot be opened for reading");
  std::vector<std::byte> bytes;
  while (true) {
    const std::size_t have = bytes.size();
    if (have > most) return std::unexpected(fmt::format("{}: longer than {} bytes", path, most));
    bytes.resize(have + 65536);
    const ssize_t n = ::read(file.get(), bytes.data() + have, bytes.size() - have);
    if (n < 0 && errno != EINTR) return refused(path, "cannot be read");
    bytes.resize(have + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n == 0) return bytes;
  }
}

}  // namespace nvmf::cli
