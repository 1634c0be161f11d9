// SPDX-License-Identifier: BSD-2-Clause
#include "breaker.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "wire/encode.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::cli::repl {
namespace {

constexpr std::size_t entry_at = wire::offset_of<wire::pdu_capsule_cmd, "ccsqe">();

// SGL 1's last byte, whose upper half is the type of the descriptor.
constexpr std::size_t keyed_at = wire::offset_of<wire::sqe_layout, "sgl1">() + 15;

struct place {
  const wire::layout* form;
  std::size_t offset;
};

// The structures that a header holds: the PDU's own, and the SQE or CQE. Loop has the latter alone.
std::vector<place> places_of(const outgoing& o) {
  std::vector<place> places;
  const bool command = o.kind == outgoing_kind::command;
  const bool entry = command || o.kind == outgoing_kind::response;
  const std::size_t bare =
      entry ? (command ? wire::sqe_layout.size : wire::cqe_layout.size) : std::size_t{0};
  if (entry) {
    const std::size_t at = o.header.size() == bare ? 0 : entry_at;
    if (o.header.size() < at + bare) return places;
    if (command) places.push_back({&wire::sqe_form(o.header.subspan(at), o.qid == 0), at});
    places.push_back({command ? &wire::sqe_layout : &wire::cqe_layout, at});
  }
  if (o.header.size() <= bare) return places;
  const wire::layout* pdu = wire::pdu_layout(std::to_integer<std::uint8_t>(o.header[0]));
  // What the PDU header says of itself comes first: PLEN is not a field of an SQE.
  if (pdu != nullptr && o.header.size() >= pdu->size) places.insert(places.begin(), {pdu, 0});
  return places;
}

bool write_field(const std::string& assignment, outgoing& o) {
  return std::ranges::any_of(places_of(o), [&](const place& p) {
    const std::array forms{p.form};
    return wire::encode_field(forms, o.header.subspan(p.offset), assignment).has_value();
  });
}

}  // namespace

bool breaker::apply(const breach& b, outgoing& o) {
  if (b.kind && *b.kind != o.kind) return false;
  const bool data = o.kind == outgoing_kind::host_data || o.kind == outgoing_kind::controller_data;
  if ((b.last || b.success) && !data) return false;
  // All of the fields or none: the first PDU that has them is meant.
  std::vector<std::byte> before(o.header.begin(), o.header.end());
  for (const std::string& f : b.fields)
    if (!write_field(f, o)) {
      std::ranges::copy(before, o.header.begin());
      return false;
    }
  o.last = b.last.value_or(o.last);
  o.success = b.success.value_or(o.success);
  if (b.header_digest != digest_choice::right) o.header_digest = b.header_digest;
  if (b.data_digest != digest_choice::right) o.data_digest = b.data_digest;
  o.drop = o.drop || b.drop;
  o.twice = o.twice || b.twice;
  return true;
}

void breaker::on_outgoing(outgoing& o) noexcept {
  for (auto it = breaches_.begin(); it != breaches_.end();) {
    if (!apply(*it, o)) {
      ++it;
      continue;
    }
    tell_(it->text);
    it = it->always ? std::next(it) : breaches_.erase(it);
  }
}

std::optional<std::string> check_breach_field(const std::string& assignment) {
  std::array<std::byte, 128> scratch{};
  const auto fits = [&](const wire::layout& form) -> std::expected<void, wire::text_error> {
    const std::array forms{&form};
    scratch = {};
    const auto plain = wire::encode_field(forms, scratch, assignment);
    if (plain || &form != &wire::sqe_layout) return plain;
    // A key is a field of a keyed descriptor alone.
    scratch = {};
    scratch[keyed_at] = std::byte{0x40};
    const auto keyed = wire::encode_field(forms, scratch, assignment);
    return keyed ? keyed : plain;
  };
  std::optional<std::string> telling, first;
  const auto try_form = [&](const wire::layout& form) {
    const auto done = fits(form);
    if (done) return true;
    std::string text = to_text(done.error());
    // Who has the field knows best what is wrong with the value.
    (text.find("no such field") == std::string::npos ? telling : first) = std::move(text);
    return false;
  };
  for (const wire::layout* form : wire::pdu_layouts)
    if (try_form(*form)) return std::nullopt;
  if (try_form(wire::sqe_layout) || try_form(wire::cqe_layout)) return std::nullopt;
  for (const wire::layout* form : wire::all_layouts())
    if (form->size == wire::sqe_layout.size && try_form(*form)) return std::nullopt;
  return telling ? telling : first;
}

}  // namespace nvmf::cli::repl
