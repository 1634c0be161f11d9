// SPDX-License-Identifier: BSD-2-Clause
// Where the text of a trace is made, for a million lines a second: room is looked for once for each
// piece, short pieces are copied in whole steps, and numbers are written where they stand.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace nvmf::cli {

// Text that is put out often: a step more of it can be read, so that whole steps are copied.
class kept_text {
 public:
  static constexpr std::size_t step = 32;

  kept_text() = default;
  explicit kept_text(std::string_view text) : bytes_(text), size_(text.size()) {
    bytes_.resize(size_ + step);
  }
  std::string_view view() const { return {bytes_.data(), size_}; }
  const char* data() const { return bytes_.data(); }
  std::size_t size() const { return size_; }

 private:
  std::string bytes_;
  std::size_t size_ = 0;
};

class line_buffer {
 public:
  using value_type = char;  // of std::back_inserter

  line_buffer() : bytes_(first_bytes + slack), at_(bytes_.data()), end_(at_ + first_bytes) {}
  line_buffer(const line_buffer&) = delete;
  line_buffer& operator=(const line_buffer&) = delete;

  const char* data() const { return bytes_.data(); }
  std::size_t size() const { return static_cast<std::size_t>(at_ - bytes_.data()); }
  std::string_view view() const { return {data(), size()}; }
  void clear() { at_ = bytes_.data(); }
  // To less than there is.
  void cut(std::size_t size) { at_ = bytes_.data() + size; }

  void push_back(char c) {
    char* to = room(1);
    *to = c;
    at_ = to + 1;
  }
  void append(std::string_view text) {
    char* to = room(text.size());
    std::memcpy(to, text.data(), text.size());
    at_ = to + text.size();
  }
  // One that stands in the source: its size is known.
  template <std::size_t N>
  void literal(const char (&text)[N]) {
    char* to = room(N - 1);
    std::memcpy(to, text, N - 1);
    at_ = to + N - 1;
  }
  void append(const kept_text& text) { took(copy(room(text.size()), text.data(), text.size())); }

  // Decimal.
  void number(std::uint64_t value) { took(put_number(room(number_max), value)); }
  void signed_number(std::int64_t value) {
    if (value < 0) push_back('-');
    number(value < 0 ? ~static_cast<std::uint64_t>(value) + 1 : static_cast<std::uint64_t>(value));
  }
  // "0x1a".
  void hex(std::uint64_t value);
  // The lowest decimal digits of it, so many, with zeros in front.
  template <unsigned Digits>
  void digits(std::uint64_t value) {
    took(put_digits<Digits>(room(Digits), value));
  }

  // By hand, where much is known to follow: room() for all of it, the pieces, and where they end.
  static constexpr std::size_t number_max = 20;
  char* room(std::size_t size) {
    if (size > static_cast<std::size_t>(end_ - at_)) [[unlikely]]
      grow(size);
    return at_;
  }
  void took(char* behind) { at_ = behind; }
  // Of a kept text, or a part of one: in whole steps, for which there is room.
  static char* copy(char* to, const char* from, std::size_t size) {
    for (std::size_t i = 0; i < size; i += kept_text::step)
      std::memcpy(to + i, from + i, kept_text::step);
    return to + size;
  }
  static char* put_number(char* to, std::uint64_t value) {
    if (value >= 10) return put_long_number(to, value);
    *to = static_cast<char>('0' + value);
    return to + 1;
  }
  template <unsigned Digits>
  static char* put_digits(char* to, std::uint64_t value) {
    unsigned left = Digits;
    for (; left >= 2; value /= 100) {
      left -= 2;
      std::memcpy(to + left, &pairs[2 * (value % 100)], 2);
    }
    if (left > 0) *to = static_cast<char>('0' + value % 10);
    return to + Digits;
  }

 private:
  // "00" to "99".
  static constexpr auto pairs = [] {
    std::array<char, 200> out{};
    for (std::size_t i = 0; i < 100; ++i) {
      out[2 * i] = static_cast<char>('0' + i / 10);
      out[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return out;
  }();
  static constexpr std::size_t first_bytes = 512;
  static constexpr std::size_t slack = kept_text::step;  // behind what was asked for

  void grow(std::size_t size);
  static char* put_long_number(char* to, std::uint64_t value);

  std::vector<char> bytes_;
  char* at_;
  char* end_;  // without the slack
};

}  // namespace nvmf::cli
