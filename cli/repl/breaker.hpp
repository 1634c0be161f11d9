// SPDX-License-Identifier: BSD-2-Clause
// Breaking rules by hand: what a person has said about the next PDUs of one queue.
#pragma once

#include <functional>
#include <nvmf/tamper.hpp>
#include <optional>
#include <string>
#include <vector>

namespace nvmf::cli::repl {

struct breach {
  std::string text;  // as it was typed
  std::optional<outgoing_kind> kind;
  std::vector<std::string> fields;  // "ttag=5": of the PDU header, or of the SQE or CQE in it
  std::optional<bool> last, success;
  digest_choice header_digest = digest_choice::right, data_digest = digest_choice::right;
  bool drop = false, twice = false, always = false;
};

class breaker final : public tamperer {
 public:
  explicit breaker(std::function<void(const std::string&)> tell) : tell_(std::move(tell)) {}
  void add(breach b) { breaches_.push_back(std::move(b)); }
  void clear() { breaches_.clear(); }
  const std::vector<breach>& waiting() const { return breaches_; }
  void on_outgoing(outgoing& o) noexcept override;

 private:
  static bool apply(const breach& b, outgoing& o);

  std::function<void(const std::string&)> tell_;
  std::vector<breach> breaches_;
};

// Some PDU, SQE or CQE has the field, and the value fits there. Else: what is wrong.
std::optional<std::string> check_breach_field(const std::string& assignment);

}  // namespace nvmf::cli::repl
