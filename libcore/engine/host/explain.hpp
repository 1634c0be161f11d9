// SPDX-License-Identifier: BSD-2-Clause
// What a failure means to the person at the keyboard: which field the answer points at and what was
// sent there, the likely cause, and what to do next.
#pragma once

#include <nvmf/host.hpp>
#include <string>

namespace nvmf::engine {

struct explanation {
  std::string what;    // what was tried and what came back, one sentence
  std::string field;   // "hostnqn (Host NQN), byte 512 of Connect command data"; empty: none
  std::string value;   // what we sent there, or what the peer did, as a person writes it
  std::string cause;   // the likely cause, a sentence
  std::string advice;  // what to try, a sentence or two
};

// Never empty but for `field` and `value`. `asked`: what the association was started with.
explanation explain(const host_failure& why, const association_options& asked);

}  // namespace nvmf::engine
