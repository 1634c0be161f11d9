// SPDX-License-Identifier: BSD-2-Clause
// A fault plan at work: which rules fire for a command, and how often they did.
//
// For each rule and command, in this order: does the condition hold (it matched); is it within
// after TIME and before TIME; is it beyond the first `after N` of those; is it the Nth of `every N`
// of those; does chance choose it; is `count` not reached yet. Then it fires. Chance is a hash of
// the seed, the number of the rule and how many commands of the rule came before this one: the same
// seed and the same commands of a rule give the same decisions, whatever other rules and other
// commands there are.
//
// Reads no clock, locks nothing, and allocates nothing in decide(): the owner serialises.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <nvmf/executor.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan.hpp"

namespace nvmf::engine {

// A command capsule, as it was received or is about to be sent.
struct fault_command {
  std::span<const std::byte, 64> sqe;
  std::uint16_t qid = 0;         // 0: the admin queue
  std::uint32_t connection = 0;  // since the start of the plan, from 1
  std::string_view host;         // host NQN; empty before Connect
  std::uint32_t bytes = 0;       // data of the command, either direction
  time_point at{};
};

// The rules that fire for one command, in the order of the plan. They belong to the injector.
class fault_decision {
 public:
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  const fault_rule* const* begin() const { return rules_.data(); }
  const fault_rule* const* end() const { return rules_.data() + count_; }
  // The first step of that action, or nullptr.
  const fault_step* find(fault_action a) const;

 private:
  friend class fault_injector;
  void add(const fault_rule& r) {
    assert(count_ < rules_.size());
    rules_[count_++] = &r;
  }
  std::size_t count_ = 0;
  std::array<const fault_rule*, fault_rules_max> rules_;  // only the first count_ are set
};

// What became of a rule so far.
struct fault_count {
  std::uint64_t matched = 0;  // the condition held
  std::uint64_t timely = 0;   // and so did after TIME and before TIME
  std::uint64_t due = 0;      // and after N and every N
  std::uint64_t chosen = 0;   // and chance
  std::uint64_t fired = 0;    // and count
};

struct fault_report {
  std::uint32_t number = 0;
  std::string text;        // as it was written
  std::uint64_t seen = 0;  // commands that the plan was asked about
  fault_count count;
  // "fault 2 'when cmd==compare: reset' never fired: no command matched (312 were seen)"; empty
  // when it fired.
  std::string never_fired;
};

class fault_injector {
 public:
  fault_injector(fault_plan plan, std::uint64_t seed, time_point start);

  // A step of a rule that fires is to be done for this command.
  fault_decision decide(const fault_command& c);

  const fault_plan& plan() const { return plan_; }
  std::uint64_t seed() const { return seed_; }
  std::uint64_t seen() const { return seen_; }
  // In the order of the rules.
  std::span<const fault_count> counts() const { return counts_; }
  std::uint64_t fired() const;  // all rules together
  std::vector<fault_report> report() const;

 private:
  bool fires(const fault_rule& r, fault_count& n, const fault_command& c) const;

  fault_plan plan_;
  std::uint64_t seed_;
  time_point start_;
  std::uint64_t seen_ = 0;
  std::vector<fault_count> counts_;
};

}  // namespace nvmf::engine
