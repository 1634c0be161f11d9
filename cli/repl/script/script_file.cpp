// SPDX-License-Identifier: BSD-2-Clause
#include "script_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <istream>
#include <system_error>

#include "../words.hpp"

namespace nvmf::cli::repl {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
}

// Bytes of the character that begins at `at`; 0: it is none (RFC 3629).
std::size_t character_bytes(std::string_view text, std::size_t at) {
  const unsigned first = byte_at(text, at);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf5 || first < 0xc2 ? 0u
                           : first >= 0xf0               ? 4u
                           : first >= 0xe0               ? 3u
                                                         : 2u;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte_at(text, at + i) & 0xc0) != 0x80) return 0;
  const unsigned second = byte_at(text, at + 1);
  const bool too_long = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool beyond = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
  return too_long || beyond ? 0 : size;
}

}  // namespace

std::expected<std::ifstream, std::string> open_script(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return std::unexpected(fmt::format("{}: is a directory", path));
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return std::unexpected(fmt::format("{}: cannot be opened for reading: {}", path,
                                       std::generic_category().message(errno)));
  return file;
}

std::optional<read_line> next_line(std::istream& in) {
  using traits = std::istream::traits_type;
  read_line l;
  bool any = false;
  for (;;) {
    const auto c = in.rdbuf() == nullptr ? traits::eof() : in.rdbuf()->sbumpc();
    if (traits::eq_int_type(c, traits::eof())) {
      l.ended = false;
      return any ? std::optional{std::move(l)} : std::nullopt;
    }
    any = true;
    if (traits::to_char_type(c) == '\n') return l;
    if (l.text.size() <= line_bytes_max) l.text += traits::to_char_type(c);
  }
}

done check_line(std::string_view text) {
  if (text.size() > line_bytes_max)
    return wrong(
        fmt::format("the line has more than {} bytes; load data from a file", line_bytes_max), 0);
  for (std::size_t at = 0; at < text.size();) {
    const unsigned c = byte_at(text, at);
    if ((c < ' ' && c != '\t') || c == 0x7f)
      return wrong(
          fmt::format("byte {:#04x} has no place in a line; write \\x{:02x} in \" \"", c, c), at);
    const std::size_t size = character_bytes(text, at);
    if (size == 0)
      return wrong(fmt::format("byte {:#04x} is not UTF-8; write \\x{:02x} in \" \"", c, c), at);
    at += size;
  }
  return {};
}

}  // namespace nvmf::cli::repl
