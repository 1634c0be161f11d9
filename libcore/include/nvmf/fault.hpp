// SPDX-License-Identifier: BSD-2-Clause
// Fault plans: an end that misbehaves by plan, for trying out what its peer makes of it. The
// language is described by `nvmfctl describe fault-plan`; the rules that a plan breaks are those of
// tamper.hpp. A plan is a layer over a transport, so hosts and controllers know nothing of it.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "transport.hpp"
#include "wire/text_error.hpp"

namespace nvmf {

struct fault_options {
  role side = role::controller;  // whose qpairs misbehave: those of listeners, or of connects
  // False: plans that need the PDUs of NVMe/TCP or its digests are refused.
  bool pdus = true;
  std::uint64_t seed = 1;  // same seed, same plan, same commands: same faults
  time_point start{};      // what `after TIME` and `before TIME` count from
};

// What became of one rule.
struct fault_tally {
  std::uint32_t number = 0;   // in the plan, from 1
  std::string text;           // as it was written
  std::uint64_t matched = 0;  // commands that its condition held for
  std::uint64_t fired = 0;
  std::string never_fired;  // a sentence that says why, when it never fired
};

// A plan at work, shared by all qpairs that obey it, on any number of executors.
class faults {
 public:
  // The text error names the column, and what would fit there.
  static std::expected<std::shared_ptr<faults>, wire::text_error> make(
      std::string_view plan, const fault_options& options);
  virtual ~faults() = default;
  // In the order of the rules. Any thread.
  virtual std::vector<fault_tally> report() const = 0;

 protected:
  faults() = default;
};

// `inner`, with qpairs that obey the plan: those it accepts when the plan is a controller's, those
// it connects when it is a host's. The others are inner's own. What a rule needs and the transport
// cannot do is left out.
std::shared_ptr<transport> with_faults(std::shared_ptr<transport> inner,
                                       std::shared_ptr<faults> plan);

}  // namespace nvmf
