// SPDX-License-Identifier: BSD-2-Clause
#include "history_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

namespace nvmf::cli::repl {
namespace {

constexpr std::size_t bytes_max = 4u << 20;  // of a file that is read

struct descriptor {
  int fd = -1;
  descriptor() = default;
  explicit descriptor(int of) : fd(of) {}
  descriptor(descriptor&& o) noexcept : fd(std::exchange(o.fd, -1)) {}
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

std::unexpected<std::string> failed(const std::string& path) {
  return std::unexpected(
      fmt::format("history: {}: {}", path, std::generic_category().message(errno)));
}

// Locked, and still the file of that name: another session may have put a shorter one in its place.
std::expected<descriptor, std::string> open_locked(const std::string& path) {
  for (;;) {
    descriptor d{::open(path.c_str(),
                        O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600)};
    struct ::stat opened{}, named{};
    if (d.fd < 0 || ::fstat(d.fd, &opened) != 0) return failed(path);
    if (!S_ISREG(opened.st_mode))
      return std::unexpected(fmt::format("history: {} is not a file", path));
    while (::flock(d.fd, LOCK_EX) != 0)
      if (errno != EINTR) return failed(path);
    if (::stat(path.c_str(), &named) == 0 && named.st_ino == opened.st_ino &&
        named.st_dev == opened.st_dev)
      return d;
  }
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// The end of the file, from the beginning of a line on.
std::expected<std::string, std::string> read_end(int fd, const std::string& path) {
  const off_t size = ::lseek(fd, 0, SEEK_END);
  if (size < 0) return failed(path);
  const off_t from = std::max<off_t>(0, size - static_cast<off_t>(bytes_max));
  std::string text(static_cast<std::size_t>(size - from), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t n =
        ::pread(fd, text.data() + have, text.size() - have, from + static_cast<off_t>(have));
    if (n < 0 && errno != EINTR) return failed(path);
    if (n == 0) break;
    if (n > 0) have += static_cast<std::size_t>(n);
  }
  text.resize(have);
  if (from > 0) text.erase(0, text.find('\n') + 1);
  return text;
}

// Keeps what is last, in a new file: who is killed in between loses nothing.
void shorten(const std::string& path, const std::vector<std::string>& lines) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const descriptor d{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (d.fd < 0) return;  // a long file does no harm; the next session tries again
  if (!write_all(d.fd, fmt::format("{}\n", fmt::join(lines, "\n"))) ||
      ::rename(fresh.c_str(), path.c_str()) != 0)
    ::unlink(fresh.c_str());
}

}  // namespace

bool worth_remembering(std::string_view line) {
  if (line.empty() || line.front() == ' ' || line.front() == '\t') return false;
  std::string lower{line};
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  static constexpr std::array<std::string_view, 7> secrets{
      "dhhc-1:", "nvmetlskey-", "dhchap", "secret", "psk", "key=", "password"};
  return std::ranges::none_of(secrets, [&](std::string_view s) { return lower.contains(s); });
}

history_file::history_file(const std::string& state_home)
    : folder_(state_home.empty() ? "" : state_home + "/nvmfctl"),
      path_(folder_.empty() ? "" : folder_ + "/history") {}

std::expected<std::vector<std::string>, std::string> history_file::load() {
  std::vector<std::string> lines;
  if (path_.empty()) return lines;
  if (::access(path_.c_str(), F_OK) != 0) return lines;
  const auto file = open_locked(path_);
  if (!file) return std::unexpected(file.error());
  const auto text = read_end(file->fd, path_);
  if (!text) return std::unexpected(text.error());
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    if (end > at) lines.push_back(text->substr(at, end - at));
    at = end + 1;
  }
  if (lines.size() <= lines_max) return lines;
  const bool much = lines.size() > 2 * lines_max;
  lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(lines_max));
  if (much) shorten(path_, lines);
  return lines;
}

std::expected<void, std::string> history_file::add(std::string_view line) {
  if (path_.empty()) return {};
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(folder_).parent_path(), error);
  if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) return failed(folder_);
  const auto file = open_locked(path_);
  if (!file) return std::unexpected(file.error());
  if (!write_all(file->fd, std::string{line} + "\n")) return failed(path_);
  return {};
}

}  // namespace nvmf::cli::repl
