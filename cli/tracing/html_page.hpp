// SPDX-License-Identifier: BSD-2-Clause
// The page of `trace --html`: one file that shows its data in a browser and asks for nothing else.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "html_records.hpp"

namespace nvmf::cli {

// The page around its data, from tracing/page/; made by cmake/page.cmake.
struct page_parts {
  std::span<const std::string_view> before, after;
};
page_parts trace_page_parts();

// Gives the page to `put` in pieces of some 64 KiB. `source` is what people call the traffic.
void write_page(const html_records& records, std::string_view source,
                const std::function<void(std::string_view)>& put);

// JSON text as it may stand in a <script>: nothing in it ends the element or begins another.
// It stays the same JSON.
void append_for_script(std::string& to, std::string_view json);
// RFC 4648, 4, with padding.
void append_base64(std::string& to, std::span<const std::byte> bytes);

}  // namespace nvmf::cli
