// SPDX-License-Identifier: BSD-2-Clause
#include "pcapng_file.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace nvmf::cli {

namespace {

constexpr std::size_t buffered_bytes = 256u << 10;

}  // namespace

std::expected<pcapng_file, std::string> pcapng_file::create(const std::string& path) {
  auto out = output_file::create(path);
  if (!out) return std::unexpected(out.error());
  pcapng_file file{std::move(*out)};
  utsname system{};
  if (::uname(&system) != 0) system = {};
  trace::append_section(file.buffer_, {.hardware = system.machine,
                                       .os = fmt::format("{} {}", system.sysname, system.release),
                                       .application = "nvmfctl " NVMFCTL_VERSION});
  return file;
}

std::uint32_t pcapng_file::interface_of(const pcapng_record& r) {
  const auto it = std::ranges::find_if(
      interfaces_, [&](const interface& i) { return i.link == r.link && i.made == r.made; });
  if (it != interfaces_.end()) return static_cast<std::uint32_t>(it - interfaces_.begin());
  trace::append_interface(
      buffer_, {.link = r.link,
                .description = r.made ? "bytes seen where there are no packets: IP and TCP around "
                                        "them are made up"
                                      : ""});
  interfaces_.push_back({r.link, r.made});
  return static_cast<std::uint32_t>(interfaces_.size() - 1);
}

void pcapng_file::end() {
  if (!std::exchange(open_, false)) return;
  trace::end_packet(buffer_, begun_, commented_);
}

void pcapng_file::leave(std::size_t keep_back) {
  if (buffer_.size() <= keep_back) return;
  out_.write(buffer_);
  buffer_.clear();
}

void pcapng_file::begin(const pcapng_record& r) {
  end();
  leave(buffered_bytes);
  const std::uint32_t number = interface_of(r);
  begun_ = trace::begin_packet(buffer_, {.interface = number,
                                         .ns = r.ns,
                                         .first = r.first,
                                         .rest = r.rest,
                                         .wire_bytes = r.wire_bytes});
  open_ = true;
  commented_ = false;
  ++packets_;
}

void pcapng_file::comment(std::string_view text) {
  assert(open_);
  trace::append_comment(buffer_, text);
  commented_ = true;
  ++comments_;
}

void pcapng_file::flush() {
  if (!out_.is_read_along()) return;
  end();
  leave(0);
  out_.flush();
}

std::expected<void, std::string> pcapng_file::commit() {
  end();
  leave(0);
  return out_.commit();
}

}  // namespace nvmf::cli
