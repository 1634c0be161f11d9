// SPDX-License-Identifier: BSD-2-Clause
// fields_json() as text, for a million structures a second: what its names and tables say is made
// once for structures that differ in plain numbers only, and the numbers are put in.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "wire/layout.hpp"

namespace nvmf::cli {

class json_fields {
 public:
  // Larger structures are made anew each time.
  static constexpr std::size_t bytes_max = 128;
  // Texts that are kept of a layout.
  static constexpr std::size_t texts_max = 256;

  // json_line(fields_json(form, structure)), without its end of line.
  void append(fmt::memory_buffer& to, const wire::layout& form, wire::byte_span structure);

 private:
  using words = std::array<std::uint64_t, bytes_max / 8>;
  // Text with holes for the numbers.
  struct text_of {
    words rest{};  // the bytes of the structure, without its numbers
    std::string text;
    std::vector<std::size_t> holes;  // where in the text, one for each number
  };
  struct plan {
    bool usable = false;
    std::vector<const wire::field*> numbers;  // in the order of the text
    words mask{};                             // bits that are no numbers
    std::vector<text_of> texts;               // by hash of the rest
  };

  plan& plan_of(const wire::layout& form);
  static bool make(const wire::layout& form, const plan& p, const words& rest, text_of& out);
  static void fill(fmt::memory_buffer& to, const plan& p, const text_of& t,
                   wire::byte_span structure);

  std::unordered_map<const wire::layout*, plan> plans_;
};

}  // namespace nvmf::cli
