// SPDX-License-Identifier: BSD-2-Clause
#include "capture_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <istream>
#include <memory>
#include <vector>

#include "trace/capture/reader.hpp"

namespace nvmf::cli {
namespace {

// How many bytes came, 0 at the end.
using read_function = std::function<std::expected<std::size_t, std::string>(std::span<std::byte>)>;

struct closer {
  int fd;
  explicit closer(int of) : fd(of) {}
  closer(const closer&) = delete;
  closer& operator=(const closer&) = delete;
  ~closer() {
    if (fd >= 0) ::close(fd);
  }
};

std::expected<std::size_t, std::string> read_some(int fd, std::span<std::byte> into) {
  while (true) {
    const ssize_t n = ::read(fd, into.data(), into.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return std::unexpected(std::string{std::strerror(errno)});
  }
}

std::expected<capture_end, std::string> read_all(const read_function& more, trace::tracer& to,
                                                 const capture_progress& progress) {
  trace::capture_reader reader;
  std::vector<std::byte> buffer(capture_piece_bytes);
  std::size_t have = 0;
  capture_end end;
  while (true) {
    const auto n = more(std::span{buffer}.subspan(have));
    if (!n) return std::unexpected(n.error());
    have += *n;
    end.bytes += *n;
    wire::byte_span left = std::span{buffer}.first(have);
    trace::packet p;
    auto step = trace::capture_reader::step::more;
    while ((step = reader.next(left, p)) == trace::capture_reader::step::packet) to.take(p);
    end.begun = reader.begun();
    if (step == trace::capture_reader::step::failed) {
      end.damage = reader.error();
      return end;
    }
    if (*n == 0) {
      end.damage = reader.finish(left.size()).value_or("");
      return end;
    }
    have = left.size();
    std::memmove(buffer.data(), left.data(), have);
    // The reader bounds what it asks for (trace::record_bytes_max).
    if (reader.wanted() > buffer.size()) buffer.resize(reader.wanted() + capture_piece_bytes);
    if (!progress()) return end;
  }
}

}  // namespace

std::expected<capture_end, std::string> read_capture(const std::string& path, std::istream& in,
                                                     int descriptor, trace::tracer& to,
                                                     const capture_progress& progress) {
  if (path == "-" && descriptor < 0)
    return read_all(
        [&in](std::span<std::byte> into) -> std::expected<std::size_t, std::string> {
          in.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size()));
          return static_cast<std::size_t>(in.gcount());
        },
        to, progress);
  const closer opened{path == "-" ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (path != "-" && opened.fd < 0)
    return std::unexpected(
        fmt::format("{}: cannot be opened for reading: {}", path, std::strerror(errno)));
  const int fd = path == "-" ? descriptor : opened.fd;
  auto end =
      read_all([fd](std::span<std::byte> into) { return read_some(fd, into); }, to, progress);
  if (!end)
    return std::unexpected(
        fmt::format("{}: cannot be read: {}", path == "-" ? "stdin" : path, end.error()));
  return end;
}

}  // namespace nvmf::cli
