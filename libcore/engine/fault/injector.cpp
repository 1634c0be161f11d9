// SPDX-License-Identifier: BSD-2-Clause
#include "injector.hpp"

#include <fmt/format.h>

#include <utility>

#include "wire/bytes.hpp"
#include "wire/expression/symbols.hpp"
#include "wire/layouts/commands_nvm.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/quantities.hpp"

namespace nvmf::engine {

namespace {

using wire::field_value;
using wire::get;
using wire::nvm_opcode;

std::uint8_t opcode_of(const fault_command& c) {
  return static_cast<std::uint8_t>(get<wire::sqe_layout, "opc">(c.sqe));
}
std::uint8_t fctype_of(const fault_command& c) {
  return static_cast<std::uint8_t>(get<wire::connect_command, "fctype">(c.sqe));
}

// The NVM commands with SLBA and NLB where Read has them.
bool has_blocks(const fault_command& c) {
  if (c.qid == 0) return false;
  switch (static_cast<nvm_opcode>(opcode_of(c))) {
    case nvm_opcode::read:
    case nvm_opcode::write:
    case nvm_opcode::write_uncorrectable:
    case nvm_opcode::compare:
    case nvm_opcode::write_zeroes:
    case nvm_opcode::verify:
      return true;
    default:
      return false;
  }
}

field_value value_of(const fault_command& c, fault_field f) {
  const bool fabrics = opcode_of(c) == wire::fabrics_opcode;
  switch (f) {
    case fault_field::cmd:
      return field_value::of(wire::command_number(c.qid == 0, opcode_of(c), fctype_of(c)));
    case fault_field::opcode:
      return field_value::of(opcode_of(c));
    case fault_field::fctype:
      return fabrics ? field_value::of(fctype_of(c)) : field_value::absent();
    case fault_field::queue:
      return field_value::of(c.qid);
    case fault_field::nsid:
      return fabrics ? field_value::absent()
                     : field_value::of(get<wire::sqe_layout, "nsid">(c.sqe));
    case fault_field::slba:
      return has_blocks(c) ? field_value::of(get<wire::read_command, "slba">(c.sqe))
                           : field_value::absent();
    case fault_field::nlb:
      return has_blocks(c) ? field_value::of(get<wire::read_command, "nlb">(c.sqe))
                           : field_value::absent();
    case fault_field::bytes:
      return field_value::of(c.bytes);
    case fault_field::cid:
      return field_value::of(get<wire::sqe_layout, "cid">(c.sqe));
    case fault_field::conn:
      return field_value::of(c.connection);
    case fault_field::host:
      return c.host.empty() ? field_value::absent() : field_value::of(c.host);
  }
  return field_value::absent();
}

// SplitMix64's finish: each input bit changes each output bit half the time.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e37'79b9'7f4a'7c15;
  x = (x ^ (x >> 30)) * 0xbf58'476d'1ce4'e5b9;
  x = (x ^ (x >> 27)) * 0x94d0'49bb'1331'11eb;
  return x ^ (x >> 31);
}

bool lucky(std::uint64_t seed, std::uint32_t rule, std::uint64_t match, std::uint32_t ppb) {
  const std::uint64_t dice = mixed(mixed(mixed(seed) ^ rule) ^ match) >> 32;
  return ((dice * wire::whole_ppb) >> 32) < ppb;
}

std::string times_text(const fault_timing& t) {
  const bool from = t.from > duration{};
  if (from && t.until)
    return fmt::format("between {} and {}", wire::time_text(t.from), wire::time_text(*t.until));
  return from ? "after " + wire::time_text(t.from) : "before " + wire::time_text(*t.until);
}

std::string commands_text(std::uint64_t n) {
  return n == 1 ? "1 command" : fmt::format("{} commands", n);
}

// Why a rule that never fired did not: the first of its conditions that nothing passed.
std::string why_not(const fault_rule& r, const fault_count& n, std::uint64_t seen) {
  if (seen == 0) return "no command came";
  if (n.matched == 0)
    return fmt::format("no command matched ({} {} seen)", seen, seen == 1 ? "was" : "were");
  std::string matched = "matched " + commands_text(n.matched);
  if (n.timely == 0) return fmt::format("{}, none {}", matched, times_text(r.timing));
  if (n.timely < n.matched)
    matched += fmt::format(", {} of them {}", n.timely, times_text(r.timing));
  if (n.timely <= r.timing.after)
    return fmt::format("{}, after {} was never reached", matched, r.timing.after);
  if (n.due == 0) return fmt::format("{}, every {} was never reached", matched, r.timing.every);
  return fmt::format("{}, probability {} never struck in {} {}", matched,
                     wire::part_text(r.timing.probability_ppb), n.due,
                     n.due == 1 ? "try" : "tries");
}

}  // namespace

const fault_step* fault_decision::find(fault_action a) const {
  for (const fault_rule* r : *this)
    if (const fault_step* s = r->find(a)) return s;
  return nullptr;
}

fault_injector::fault_injector(fault_plan plan, std::uint64_t seed, time_point start)
    : plan_(std::move(plan)), seed_(seed), start_(start), counts_(plan_.rules().size()) {}

bool fault_injector::fires(const fault_rule& r, fault_count& n, const fault_command& c) const {
  const fault_timing& t = r.timing;
  if (!r.condition.matches([&](std::size_t i) { return value_of(c, static_cast<fault_field>(i)); }))
    return false;
  ++n.matched;
  const duration since = c.at - start_;
  if (since < t.from || (t.until && since >= *t.until)) return false;
  ++n.timely;
  if (n.timely <= t.after || (n.timely - t.after) % t.every != 0) return false;
  ++n.due;
  if (!lucky(seed_, r.number, n.timely, t.probability_ppb)) return false;
  ++n.chosen;
  if (t.count && n.fired >= *t.count) return false;
  ++n.fired;
  return true;
}

fault_decision fault_injector::decide(const fault_command& c) {
  ++seen_;
  fault_decision d;
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if (const fault_rule& r = plan_.rules()[i]; fires(r, counts_[i], c)) d.add(r);
  return d;
}

std::uint64_t fault_injector::fired() const {
  std::uint64_t sum = 0;
  for (const fault_count& n : counts_) sum += n.fired;
  return sum;
}

std::vector<fault_report> fault_injector::report() const {
  std::vector<fault_report> out;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const fault_rule& r = plan_.rules()[i];
    fault_report line{r.number, r.source, seen_, counts_[i], {}};
    if (counts_[i].fired == 0)
      line.never_fired = fmt::format("fault {} {} never fired: {}", r.number,
                                     wire::quoted(r.source), why_not(r, counts_[i], seen_));
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace nvmf::engine
