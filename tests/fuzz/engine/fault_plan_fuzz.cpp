// SPDX-License-Identifier: BSD-2-Clause
// Any text as a fault plan, and the plan at work: what parses is written in a form that parses to
// the same and decides the same; what is refused points into the text on one printable line.
#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "engine/fault/injector.hpp"
#include "fuzz/input.hpp"

using namespace nvmf;
using namespace nvmf::engine;
using nvmf::fuzz::require;

namespace {

bool printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

void check_error(const wire::text_error& e, std::string_view text) {
  require(e.position <= text.size());
  require(printable(to_text(e)));
  const auto place = wire::place_in(text, e.position);
  require(e.part.ends_with("column " + std::to_string(place.column)));
}

bool same(const fault_plan& a, const fault_plan& b) {
  return std::ranges::equal(a.rules(), b.rules(), [](const fault_rule& x, const fault_rule& y) {
    return x.number == y.number && x.condition == y.condition && x.timing == y.timing &&
           x.steps == y.steps;
  });
}

void check_rules(const fault_plan& plan, std::string_view text) {
  require(!plan.rules().empty() && plan.rules().size() <= fault_rules_max);
  std::uint32_t number = 0;
  for (const fault_rule& r : plan.rules()) {
    require(r.number == ++number);
    require(!r.steps.empty() && r.steps.size() <= fault_steps_max);
    require(text.find(r.source) != std::string_view::npos);
    for (const fault_step& s : r.steps) {
      const auto cid = static_cast<std::uint16_t>(number);
      require(s.wrong_cid(cid) != cid);
      require(s.short_data(4096) < 4096 || s.what != fault_action::short_data);
      require(s.wrong_length(4096) != 4096 || s.what != fault_action::wrong_length);
    }
  }
}

// Both decide alike about commands made from the text.
void run(const fault_plan& a, const fault_plan& b, std::string_view text) {
  fault_injector one(a, 1, {}), two(b, 1, {});
  std::array<std::byte, 64> sqe{};
  for (std::size_t i = 0; i < 64; ++i) {
    sqe[i] = static_cast<std::byte>(text[i % text.size()]);
    sqe[0] = static_cast<std::byte>(i % 3);
    const fault_command c{.sqe = sqe,
                          .qid = static_cast<std::uint16_t>(i % 2),
                          .connection = static_cast<std::uint32_t>(i % 3),
                          .host = i % 4 == 0 ? std::string_view{} : text.substr(0, i),
                          .bytes = static_cast<std::uint32_t>(i * 512),
                          .at = time_point{} + std::chrono::milliseconds(i)};
    const auto x = one.decide(c), y = two.decide(c);
    require(std::ranges::equal(x, y, {}, &fault_rule::number, &fault_rule::number));
  }
  for (const fault_report& r : one.report()) {
    require(r.never_fired.empty() == (r.count.fired > 0));
    require(printable(r.never_fired));
    require(r.count.fired <= r.count.chosen && r.count.chosen <= r.count.due &&
            r.count.due <= r.count.timely && r.count.timely <= r.count.matched &&
            r.count.matched <= r.seen);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const fault_plan_options& options :
       {fault_plan_options{}, {.role = fault_role::host}, {.role = {}, .pdus = false}})
    if (const auto p = fault_plan::parse(text, options); !p) check_error(p.error(), text);
  const auto once = fault_plan::parse(text);
  if (!once) return 0;
  check_rules(*once, text);
  // Names and quotes may be longer than what was typed: then a limit may stand against it.
  const auto again = fault_plan::parse(once->text());
  if (!again) {
    require(once->text().size() > wire::expression_bytes_max);
    return 0;
  }
  require(same(*once, *again));
  require(again->text() == once->text());
  run(*once, *again, text);
  return 0;
}
