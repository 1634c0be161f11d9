// SPDX-License-Identifier: BSD-2-Clause
// A pcapng file that is written while packets come: the section says who wrote it, each link type
// has its interface, and a packet takes comments until the next one begins.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "output_file.hpp"
#include "trace/capture/pcapng_encode.hpp"

namespace nvmf::cli {

struct pcapng_record {
  std::uint16_t link = 0;
  bool made = false;  // its framing is ours: it is of an interface of its own, which says so
  std::int64_t ns = 0;
  trace::byte_span first;
  std::span<const trace::byte_span> rest = {};
  std::uint32_t wire_bytes = 0;
};

class pcapng_file {
 public:
  static std::expected<pcapng_file, std::string> create(const std::string& path);

  void begin(const pcapng_record& r);
  // Of the packet that is open: the last one, until flush() or commit().
  void comment(std::string_view text);
  bool is_open() const { return open_; }
  std::uint64_t packets() const { return packets_; }
  std::uint64_t comments() const { return comments_; }
  const std::string& path() const { return out_.path(); }

  // All that there is leaves, if somebody reads along; then the last packet is not open any more.
  void flush();
  // Why it cannot be written, or nothing.
  std::string trouble() const { return out_.failed() ? out_.trouble() : std::string{}; }
  std::expected<void, std::string> commit();

 private:
  explicit pcapng_file(output_file&& out) : out_(std::move(out)) {}
  std::uint32_t interface_of(const pcapng_record& r);
  void end();
  void leave(std::size_t keep_back);

  struct interface {
    std::uint16_t link;
    bool made;
  };
  output_file out_;
  std::vector<std::byte> buffer_;
  std::vector<interface> interfaces_;
  bool open_ = false, commented_ = false;
  std::size_t begun_ = 0;  // where the open packet begins in the buffer
  std::uint64_t packets_ = 0, comments_ = 0;
};

}  // namespace nvmf::cli
