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
#include <optional>
#include <vector>

#include "trace/capture/reader.hpp"

namespace nvmf::cli {
namespace {

// How many bytes came, 0 at the end; nothing: the reading is to end.
using some_bytes = std::expected<std::optional<std::size_t>, std::string>;
using read_function = std::function<some_bytes(std::span<std::byte>)>;

struct closer {
  int fd;
  explicit closer(int of) : fd(of) {}
  closer(const closer&) = delete;
  closer& operator=(const closer&) = delete;
  ~closer() {
    if (fd >= 0) ::close(fd);
  }
};

some_bytes read_some(int fd, std::span<std::byte> into, const capture_hooks& hooks) {
  if (!hooks.before_read(fd)) return std::nullopt;
  while (true) {
    const ssize_t n = ::read(fd, into.data(), into.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return std::unexpected(std::string{std::strerror(errno)});
  }
}

std::expected<capture_end, std::string> read_all(const read_function& more, trace::tracer& to,
                                                 const capture_hooks& hooks) {
  trace::capture_reader reader;
  std::vector<std::byte> buffer(capture_piece_bytes);
  std::size_t have = 0;
  capture_end end;
  while (true) {
    const auto came = more(std::span{buffer}.subspan(have));
    if (!came) return std::unexpected(came.error());
    if (!*came) return end;
    const std::size_t n = **came;
    have += n;
    end.bytes += n;
    wire::byte_span left = std::span{buffer}.first(have);
    trace::packet p;
    auto step = trace::capture_reader::step::more;
    while ((step = reader.next(left, p)) == trace::capture_reader::step::packet) {
      if (hooks.look && !hooks.look(p)) {
        end.begun = true;
        return end;
      }
      to.take(p);
    }
    end.begun = reader.begun();
    if (step == trace::capture_reader::step::failed) {
      end.damage = reader.error();
      return end;
    }
    if (n == 0) {
      end.ended = true;
      end.damage = reader.finish(left.size()).value_or("");
      return end;
    }
    have = left.size();
    std::memmove(buffer.data(), left.data(), have);
    // The reader bounds what it asks for (trace::record_bytes_max).
    if (reader.wanted() > buffer.size()) buffer.resize(reader.wanted() + capture_piece_bytes);
    if (!hooks.progress()) return end;
  }
}

}  // namespace

std::expected<capture_end, std::string> read_capture(const std::string& path, std::istream& in,
                                                     int descriptor, trace::tracer& to,
                                                     const capture_hooks& hooks) {
  if (path == "-" && descriptor < 0)
    return read_all(
        [&in](std::span<std::byte> into) -> some_bytes {
          in.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size()));
          return static_cast<std::size_t>(in.gcount());
        },
        to, hooks);
  const closer opened{path == "-" ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (path != "-" && opened.fd < 0)
    return std::unexpected(
        fmt::format("{}: cannot be opened for reading: {}", path, std::strerror(errno)));
  const int fd = path == "-" ? descriptor : opened.fd;
  auto end =
      read_all([&](std::span<std::byte> into) { return read_some(fd, into, hooks); }, to, hooks);
  if (!end)
    return std::unexpected(
        fmt::format("{}: cannot be read: {}", path == "-" ? "stdin" : path, end.error()));
  return end;
}

}  // namespace nvmf::cli
