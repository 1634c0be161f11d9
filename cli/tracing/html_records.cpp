// SPDX-License-Identifier: BSD-2-Clause
#include "html_records.hpp"

#include <fmt/format.h>

#include <functional>

namespace nvmf::cli {

std::string_view text_pool::operator[](std::uint32_t number) const {
  const std::size_t begin = number == 0 ? 0 : ends_[number - 1];
  return std::string_view{bytes_}.substr(begin, ends_[number] - begin);
}

std::size_t text_pool::home(std::string_view text) const {
  return std::hash<std::string_view>{}(text) & (index_.size() - 1);
}

std::uint32_t text_pool::add(std::string_view text) {
  std::size_t at = home(text);
  for (; index_[at] != none; at = (at + 1) & (index_.size() - 1))
    if ((*this)[index_[at]] == text) return index_[at];
  const auto number = static_cast<std::uint32_t>(ends_.size());
  index_[at] = number;
  bytes_ += text;
  ends_.push_back(bytes_.size());
  if (ends_.size() * 2 > index_.size()) grow();
  return number;
}

void text_pool::grow() {
  index_.assign(index_.size() * 2, none);
  for (std::uint32_t n = 0; n < ends_.size(); ++n) {
    std::size_t at = home((*this)[n]);
    while (index_[at] != none) at = (at + 1) & (index_.size() - 1);
    index_[at] = n;
  }
}

std::string left_out_text(const html_records& r) {
  std::string out;
  const auto part = [&](std::uint64_t n, std::string_view one, std::string_view many) {
    if (n > 0) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", n, n == 1 ? one : many);
  };
  part(r.pdus_left_out, "PDU", "PDUs");
  part(r.findings_left_out, "violation or notice", "violations and notices");
  part(r.connections_left_out, "connection", "connections");
  if (out.empty()) return out;
  return fmt::format(
      "the page has no room for {} after what it shows (--filter picks what it "
      "shows)",
      out);
}

}  // namespace nvmf::cli
