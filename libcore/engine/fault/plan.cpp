// SPDX-License-Identifier: BSD-2-Clause
// What a plan means, and how it is written.
#include "plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/expression/symbols.hpp"
#include "wire/names.hpp"
#include "wire/tables.hpp"

namespace nvmf::engine {

namespace {

std::string spell_fes(std::uint16_t fes) {
  const wire::row* r = wire::fes_codes.find(std::uint32_t{fes});
  return r != nullptr ? std::string(r->name) : fmt::format("0x{:02x}", fes);
}

std::string argument_text(const fault_step& s) {
  switch (info_of(s.what).takes) {
    case fault_argument::none:
      return {};
    case fault_argument::time:
      return wire::time_text(s.time);
    case fault_argument::number:
      return fmt::format("{}{}", s.what == fault_action::wrong_length && s.number > 0 ? "+" : "",
                         s.number);
    case fault_argument::status:
      return wire::spell_status(s.status.raw_code()) + (s.status.dnr ? " dnr" : "");
    case fault_argument::digest:
      return s.digest == fault_digest::header ? "header" : "data";
    case fault_argument::fes:
      return spell_fes(s.fes);
  }
  return {};
}

}  // namespace

std::uint16_t fault_step::wrong_cid(std::uint16_t cid) const {
  if (!given) return static_cast<std::uint16_t>(cid ^ 0x8000);
  const auto wanted = static_cast<std::uint16_t>(number);
  // The right one would be no fault.
  return wanted == cid ? static_cast<std::uint16_t>(cid ^ 0x8000) : wanted;
}

std::uint32_t fault_step::wrong_length(std::uint32_t plen) const {
  constexpr std::int64_t by_default = 4;
  return plen + static_cast<std::uint32_t>(given ? number : by_default);
}

std::uint32_t fault_step::short_data(std::uint32_t due) const {
  if (!given) return due / 2;
  return due - static_cast<std::uint32_t>(std::min<std::int64_t>(number, due));
}

std::string fault_step::text() const {
  const std::string name(info_of(what).name);
  return given ? fmt::format("{} {}", name, argument_text(*this)) : name;
}

std::string fault_timing::text() const {
  std::string out;
  const auto add = [&](std::string term) { out += (out.empty() ? "" : " && ") + term; };
  if (after > 0) add(fmt::format("after {}", after));
  if (from > duration{}) add("after " + wire::time_text(from));
  if (until) add("before " + wire::time_text(*until));
  if (every > 1) add(fmt::format("every {}", every));
  if (probability_ppb < wire::whole_ppb) add("probability " + wire::part_text(probability_ppb));
  if (count) add(fmt::format("count {}", *count));
  return out;
}

std::string fault_rule::text() const {
  std::string when = condition.text();
  const std::string times = timing.text();
  if (!when.empty() && !times.empty()) when += " && ";
  when += times;
  std::string out = when.empty() ? "" : fmt::format("when {}: ", when);
  for (std::size_t i = 0; i < steps.size(); ++i) out += (i > 0 ? ", " : "") + steps[i].text();
  return out;
}

const fault_step* fault_rule::find(fault_action a) const {
  const auto it = std::ranges::find(steps, a, &fault_step::what);
  return it != steps.end() ? &*it : nullptr;
}

std::string fault_plan::text() const {
  std::string out;
  for (const fault_rule& r : rules_) out += (out.empty() ? "" : "\n") + r.text();
  return out;
}

}  // namespace nvmf::engine
