// SPDX-License-Identifier: BSD-2-Clause
// name=value as a person may mistype it, one a line, into any structure: what is refused says so on
// one printable line and leaves the bytes alone. The first two bytes choose the layout.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "wire/encode.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/forms.hpp"

using namespace nvmf::wire;

namespace {

void require(bool good) {
  if (!good) std::abort();
}

void check_error(const text_error& e, std::string_view text) {
  require(e.position <= text.size());
  require(!caret_text(text, e).empty());
  require(std::ranges::all_of(to_text(e), [](char c) { return c >= ' ' && c <= '~'; }));
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < 8) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto all = all_layouts();
  const layout& l = *all[(data[0] + 256u * data[1]) % all.size()];
  const auto lines = lines_of({reinterpret_cast<const char*>(data) + 2, size - 2});
  const layout* const with_sqe[] = {&l, &sqe_layout};
  const std::span<const layout* const> forms =
      std::span(with_sqe).first(l.size == sqe_layout.size ? 2 : 1);

  std::vector<std::byte> bytes(std::max<std::size_t>(l.size, 64));
  for (const std::string& line : lines) {
    const auto before = bytes;
    if (const auto r = encode_field(forms, bytes, line); !r) {
      check_error(r.error(), line);
      require(bytes == before);
    }
  }
  std::size_t which = lines.size();
  if (const auto r = encode_fields(forms, bytes, lines, &which); !r) {
    require(which < lines.size());
    check_error(r.error(), lines[which]);
  }
  return 0;
}
