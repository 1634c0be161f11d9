// SPDX-License-Identifier: BSD-2-Clause
#include "journal.hpp"

#include <fmt/format.h>

#include "wire/crc32c.hpp"

namespace nvmf::sim {

void journal::mix(std::uint64_t word) {
  hash_ = (hash_ ^ word) * 0x9e3779b97f4a7c15u;
  hash_ ^= hash_ >> 29;
}

void journal::add(std::span<const std::byte> bytes) {
  mix(static_cast<std::uint64_t>(time_.now().time_since_epoch().count()));
  mix(std::uint64_t{wire::crc32c(0, bytes)} << 32 | bytes.size());
}

void journal::say(std::string_view line) {
  add(std::as_bytes(std::span{line}));
  if (!tell_) return;
  const auto since = time_.now().time_since_epoch() - std::chrono::hours(1);
  fmt::print("{:12.3f} ms  {}\n", std::chrono::duration<double, std::milli>(since).count(), line);
}

void journal::wrong(std::string what) {
  say("WRONG: " + what);
  if (wrong_.empty()) wrong_ = std::move(what);
}

}  // namespace nvmf::sim
