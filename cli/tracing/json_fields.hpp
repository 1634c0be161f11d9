// SPDX-License-Identifier: BSD-2-Clause
// fields_json() as text, for a million structures a second: what its names and tables say is made
// once for structures that differ in plain numbers only, and the numbers are put in.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "line_buffer.hpp"
#include "wire/layout.hpp"

namespace nvmf::cli {

class json_fields {
 public:
  // Larger structures are made anew each time.
  static constexpr std::size_t bytes_max = 128;
  // Texts that are kept of a layout.
  static constexpr std::size_t texts_max = 256;

  // json_line(fields_json(form, structure)), without its end of line.
  void append(line_buffer& to, const wire::layout& form, wire::byte_span structure);
  // How often a text was made, because none was kept.
  std::uint64_t made() const { return made_; }

 private:
  static constexpr std::size_t word_bytes = 8, words_max = bytes_max / word_bytes;
  // One more, so that eight bytes can be read wherever a number begins.
  using words = std::array<std::uint64_t, words_max + 1>;

  // Where a number is: bits of eight bytes.
  struct number_at {
    const wire::field* row;
    std::size_t offset;
    unsigned shift;
    std::uint64_t mask;
  };
  // Text with holes for the numbers.
  struct text_of {
    words rest{};  // the bytes of the structure, without its numbers
    bool used = false;
    kept_text text;
    std::vector<std::size_t> pieces;  // their sizes: one before each number, and the last
    std::size_t room = 0;             // what all of it can take
  };
  struct plan {
    bool usable = false;
    std::size_t words_used = 0;
    std::vector<number_at> numbers;  // in the order of the text
    words mask{};                    // bits that are no numbers
    std::vector<text_of> texts;      // by hash of the rest
  };

  plan& plan_of(const wire::layout& form);
  static bool make(const wire::layout& form, const plan& p, const words& rest, text_of& out);
  static void fill(line_buffer& to, const plan& p, const text_of& t, const words& bytes);

  std::unordered_map<const wire::layout*, plan> plans_;
  // Those that were looked up last, by address.
  std::array<std::pair<const wire::layout*, plan*>, 8> recent_{};
  std::uint64_t made_ = 0;
};

}  // namespace nvmf::cli
