// SPDX-License-Identifier: BSD-2-Clause
// parse_backend: KIND:ARGUMENT[,OPTION]...
#include "spec.hpp"

#include <fmt/format.h>

#include <nvmf/backend.hpp>
#include <optional>

#include "wire/numbers.hpp"

namespace nvmf {
namespace {

// Addresses of a mapping and offsets of a file are signed 64-bit numbers.
constexpr std::uint64_t bytes_max = std::uint64_t{1} << 62;
constexpr std::string_view kinds = "ram:SIZE, file:PATH, null:SIZE or pattern:SIZE";

struct backend_spec {
  std::string_view argument;
  std::uint32_t block_size = 512;
  bool read_only = false;
};

// Takes known options off the end, so that a path may have commas of its own.
std::expected<backend_spec, std::string> split(std::string_view text, bool is_file) {
  backend_spec spec;
  for (auto comma = text.rfind(','); comma != std::string_view::npos; comma = text.rfind(',')) {
    const std::string_view option = text.substr(comma + 1);
    if (option == "ro" && is_file) {
      spec.read_only = true;
    } else if (option.starts_with("bs=")) {
      const auto size = wire::parse_size(option.substr(3), "bs");
      if (!size) return std::unexpected(wire::to_text(size.error()));
      if (*size != 512 && *size != 4096)
        return std::unexpected(fmt::format("bs={}: must be 512 or 4096", *size));
      spec.block_size = static_cast<std::uint32_t>(*size);
    } else if (is_file) {
      break;
    } else {
      return std::unexpected(
          fmt::format("unknown option '{}': known is bs=512 or bs=4096", option));
    }
    text = text.substr(0, comma);
  }
  spec.argument = text;
  return spec;
}

}  // namespace

std::expected<void, std::string> check_size(std::uint64_t bytes, std::uint32_t block_size) {
  if (block_size != 512 && block_size != 4096)
    return std::unexpected(fmt::format("a block size of {}: must be 512 or 4096", block_size));
  if (bytes == 0)
    return std::unexpected(
        fmt::format("a size of 0, at least one block of {} is needed", block_size));
  if (bytes > bytes_max) return std::unexpected("a size beyond 4 EiB");
  if (bytes % block_size != 0)
    return std::unexpected(
        fmt::format("a size of {} bytes is not whole blocks of {}", bytes, block_size));
  return {};
}

std::string backend_name(std::string_view kind, std::uint64_t bytes, std::uint32_t block_size) {
  constexpr std::string_view units = "KMGT";
  std::string unit;
  for (const char u : units) {
    if (bytes % 1024 != 0) break;
    bytes /= 1024;
    unit = u;
  }
  return fmt::format("{}:{}{}{}", kind, bytes, unit, block_size == 512 ? "" : ",bs=4096");
}

std::expected<std::shared_ptr<backend>, std::string> parse_backend(std::string_view spec) {
  const auto fail = [&](std::string_view why) {
    return std::unexpected(fmt::format("namespace {}: {}", wire::quoted(spec), why));
  };
  const auto colon = spec.find(':');
  const std::string_view kind = spec.substr(0, colon);
  const bool is_file = kind == "file";
  if (colon == std::string_view::npos ||
      !(is_file || kind == "ram" || kind == "null" || kind == "pattern"))
    return fail(fmt::format("must be {}", kinds));
  const auto parts = split(spec.substr(colon + 1), is_file);
  if (!parts) return fail(parts.error());
  std::expected<std::shared_ptr<backend>, std::string> made;
  if (is_file) {
    if (parts->argument.empty()) return fail("a path must follow file:");
    made = make_file_backend(std::string(parts->argument), parts->block_size, parts->read_only);
  } else {
    const auto size = wire::parse_size(parts->argument, "size");
    if (!size) return fail(wire::to_text(size.error()));
    if (kind == "ram")
      made = make_ram_backend(*size, parts->block_size);
    else if (kind == "null")
      made = make_null_backend(*size, parts->block_size);
    else
      made = make_pattern_backend(*size, parts->block_size);
  }
  if (!made) return fail(made.error());
  return made;
}

}  // namespace nvmf
