// SPDX-License-Identifier: BSD-2-Clause
// Holds what it hears against the rules of rules.def, and tells who broke one. It is a listener
// beside others: put it behind the one that shows, so that a violation stands behind what shows it.
//
// It allocates when a connection begins and while the depth of a queue grows. What is lost in the
// capture is not held against anybody: see violation_sink::on_suspension.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "queue_checker.hpp"
#include "trace/conversation/listener.hpp"

namespace nvmf::trace {

class checker final : public listener, private violation_sink {
 public:
  explicit checker(violation_sink& to) : to_(to) {}
  checker(const checker&) = delete;
  checker& operator=(const checker&) = delete;

  void on_connection(const connection& c) override;
  void on_pdu(const connection& c, const pdu& p, const command* of) override;
  void on_completion(const connection& c, const command& k, const completion& done,
                     const pdu* by) override;
  void on_notice(const connection& c, const notice& n) override;
  void on_end(const connection& c, const stamp& at, bool closed) override;

  std::uint64_t count(rule r) const { return counts_[static_cast<std::size_t>(r)]; }
  std::uint64_t count(severity s) const { return by_weight_[static_cast<std::size_t>(s)]; }
  std::uint64_t suspended() const { return suspended_; }  // connections
  std::size_t connections() const { return queues_.size(); }
  std::size_t controllers_known() const { return controllers_.size(); }

 private:
  void on_violation(const connection& c, const violation& v) override;
  void on_suspension(const connection& c, const suspension& s) override;
  queue_checker& of(const connection& c);

  violation_sink& to_;
  controllers controllers_;
  std::unordered_map<std::uint32_t, std::unique_ptr<queue_checker>> queues_;
  // Those that were asked for last, by number; 0 is no connection.
  std::array<std::pair<std::uint32_t, queue_checker*>, 16> recent_{};
  std::array<std::uint64_t, 256> counts_{};
  std::array<std::uint64_t, 3> by_weight_{};
  std::uint64_t suspended_ = 0;
};

}  // namespace nvmf::trace
