// SPDX-License-Identifier: BSD-2-Clause
// The quick text of a structure is that of the object, for every layout and whatever bytes.
#include "tracing/json_fields.hpp"

#include <doctest/doctest.h>

#include <random>

#include "render/fields.hpp"
#include "render/json.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/forms.hpp"

namespace nvmf::cli {
namespace {

std::string quick(json_fields& fields, const wire::layout& form, wire::byte_span bytes) {
  line_buffer out;
  fields.append(out, form, bytes);
  return std::string{out.view()};
}

TEST_CASE("structures that differ in numbers, in choices, in reserved bytes, in their size") {
  std::mt19937 random(6);
  json_fields fields;
  std::vector<std::byte> bytes;
  for (const wire::layout* form : wire::all_layouts()) {
    if (form->size > 256) continue;
    for (unsigned round = 0; round < 48; ++round) {
      // Few bytes change from one to the next, so that texts are used again; then a few cut short.
      if (round % 12 == 0) bytes.assign(form->size, std::byte{0});
      for (unsigned n = 0; n < round % 4 && !bytes.empty(); ++n)
        bytes[random() % bytes.size()] = static_cast<std::byte>(random());
      if (round == 47 && !bytes.empty()) bytes.pop_back();
      std::string slow = json_line(fields_json(*form, bytes));
      slow.pop_back();
      CAPTURE(form->name);
      REQUIRE(quick(fields, *form, bytes) == slow);
    }
  }
}

TEST_CASE("by hand: a completion, twice with other numbers") {
  json_fields fields;
  std::array<std::byte, 16> cqe{};
  cqe[8] = std::byte{5};
  CHECK(quick(fields, wire::cqe_layout, cqe).find("\"sqhd\": 5,") != std::string::npos);
  cqe[8] = std::byte{0xff};
  cqe[9] = std::byte{0xff};
  cqe[12] = std::byte{7};
  const std::string text = quick(fields, wire::cqe_layout, cqe);
  CHECK(text.find("\"sqhd\": 65535,") != std::string::npos);
  CHECK(text.find("\"cid\": 7,") != std::string::npos);
  CHECK(text.find("\"sc_name\": \"success\"") != std::string::npos);
  CHECK(fields.made() == 1);
}

}  // namespace
}  // namespace nvmf::cli
