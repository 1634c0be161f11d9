// SPDX-License-Identifier: BSD-2-Clause
// The quick line of a structure says of each field what the renderer says of it.
#include "tracing/line_fields.hpp"

#include <doctest/doctest.h>

#include <random>

#include "wire/layouts/entries.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/render_walk.hpp"

namespace nvmf::cli {
namespace {

std::string quick(line_fields& fields, wire::byte_span bytes) {
  line_buffer out;
  fields.append(out, bytes);
  return std::string{out.view()};
}

// Field by field, in the order of the layout.
std::string slow(const wire::layout& form, wire::byte_span bytes) {
  std::string out;
  for (const wire::field& f : form.fields) {
    if (!f.is_scalar() || f.name == "cid" || f.name == "fctype") continue;
    if (f.offset + f.size > bytes.size()) break;
    const std::uint64_t value = wire::get(bytes, f);
    const bool always = f.name == "ofst" || f.name == "cns" || f.name == "lid" || f.name == "fid";
    if (value == 0 && !always) continue;
    out += " " + std::string{f.name} + "=" +
           wire::value_text({.event = wire::walk_event::value,
                             .in = &form,
                             .row = &f,
                             .offset = f.offset,
                             .bytes = bytes.subspan(f.offset, f.size),
                             .structure = bytes,
                             .scalar = true,
                             .number = value});
  }
  return out;
}

TEST_CASE("structures that differ in values, in names, in their size") {
  std::mt19937 random(7);
  std::vector<std::byte> bytes;
  for (const wire::layout* form : wire::all_layouts()) {
    if (form->size > 256) continue;
    line_fields fields(*form, 0, form->size);
    for (unsigned round = 0; round < 64; ++round) {
      // Few bytes change from one to the next, so that texts are used again; then some cut short.
      if (round % 16 == 0) bytes.assign(form->size, std::byte{0});
      for (unsigned n = 0; n < round % 4 && !bytes.empty(); ++n)
        bytes[random() % bytes.size()] = static_cast<std::byte>(random() % (round < 32 ? 4 : 256));
      if (round > 56 && !bytes.empty()) bytes.pop_back();
      CAPTURE(form->name);
      REQUIRE(quick(fields, bytes) == slow(*form, bytes));
    }
  }
}

TEST_CASE("by hand: a Read of eight blocks, and then of one") {
  std::array<std::byte, 64> sqe{};
  sqe[0] = std::byte{2};
  sqe[4] = std::byte{1};   // NSID
  sqe[40] = std::byte{8};  // SLBA
  sqe[48] = std::byte{7};  // NLB, 0's based
  line_fields fields(wire::sqe_form(2, false, 0), 2, 64);
  CHECK(quick(fields, sqe) == " nsid=0x1 slba=8 nlb=7 (0's based: 8)");
  sqe[48] = std::byte{0};
  sqe[47] = std::byte{1};
  CHECK(quick(fields, sqe) == " nsid=0x1 slba=72057594037927944");
}

}  // namespace
}  // namespace nvmf::cli
