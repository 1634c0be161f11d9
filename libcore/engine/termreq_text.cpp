// SPDX-License-Identifier: BSD-2-Clause
#include "termreq_text.hpp"

#include <fmt/format.h>

#include "wire/layouts/forms.hpp"
#include "wire/render_walk.hpp"
#include "wire/tables.hpp"

namespace nvmf::engine {

namespace {

// The field that covers the byte; empty where there is none.
std::string field_name(std::string_view structure, std::uint32_t offset) {
  const wire::layout* form = wire::find_layout(structure);
  if (form == nullptr || offset >= form->size) return {};
  const auto at = wire::field_at(*form, offset);
  return at ? at->path : std::string{};
}

}  // namespace

std::string termreq_text(const protocol_error& v) {
  const wire::row* row = wire::fes_codes.find(v.fes);
  const auto why = static_cast<wire::fes>(v.fes);
  std::string place;
  // Only these two point at a field.
  if (why == wire::fes::invalid_header_field || why == wire::fes::unsupported_parameter)
    place = field_name(v.structure, v.fei);
  if (!place.empty()) place = fmt::format(": {} of {}", place, v.structure);
  return fmt::format("{} (FES {}, FEI {:X}h{})", row != nullptr ? row->title : "a reserved reason",
                     v.fes, v.fei, place);
}

}  // namespace nvmf::engine
