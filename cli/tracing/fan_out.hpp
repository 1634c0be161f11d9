// SPDX-License-Identifier: BSD-2-Clause
// Everyone who listens to a trace, and the rules behind them: what shows a violation is shown
// before the violation.
#pragma once

#include <optional>
#include <vector>

#include "trace/conversation/connection.hpp"
#include "trace/rules/checker.hpp"

namespace nvmf::cli {

class fan_out final : public trace::listener, public trace::violation_sink {
 public:
  fan_out() = default;
  fan_out(const fan_out&) = delete;
  fan_out& operator=(const fan_out&) = delete;

  void add(trace::listener& one) { listeners_.push_back(&one); }
  void add(trace::violation_sink& one) { violations_.push_back(&one); }
  // Rules are judged, and violations told.
  void judge() { rules_.emplace(*this); }
  const trace::checker* rules() const { return rules_ ? &*rules_ : nullptr; }
  // The shortest way to all of them.
  trace::listener& listener() {
    return !rules_ && listeners_.size() == 1 ? *listeners_.front() : *this;
  }

  void on_connection(const trace::connection& c) override {
    for (trace::listener* l : listeners_) l->on_connection(c);
    if (rules_) rules_->on_connection(c);
  }
  void on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) override {
    for (trace::listener* l : listeners_) l->on_pdu(c, p, of);
    if (rules_) rules_->on_pdu(c, p, of);
  }
  void on_command(const trace::connection& c, const trace::command& k,
                  const trace::pdu& p) override {
    for (trace::listener* l : listeners_) l->on_command(c, k, p);
    if (rules_) rules_->on_command(c, k, p);
  }
  void on_completion(const trace::connection& c, const trace::command& k,
                     const trace::completion& done, const trace::pdu* by) override {
    for (trace::listener* l : listeners_) l->on_completion(c, k, done, by);
    if (rules_) rules_->on_completion(c, k, done, by);
  }
  void on_notice(const trace::connection& c, const trace::notice& n) override {
    if (!is_told(c, n))
      for (trace::listener* l : listeners_) l->on_notice(c, n);
    if (rules_) rules_->on_notice(c, n);
  }
  void on_work(const trace::connection& c, const trace::work& w,
               const trace::command* of) override {
    for (trace::listener* l : listeners_) l->on_work(c, w, of);
  }
  // The last of a connection is told last.
  void on_end(const trace::connection& c, const trace::stamp& at, bool closed) override {
    if (rules_) rules_->on_end(c, at, closed);
    for (trace::listener* l : listeners_) l->on_end(c, at, closed);
  }
  void on_violation(const trace::connection& c, const trace::violation& v) override {
    for (trace::violation_sink* s : violations_) s->on_violation(c, v);
    told_ = {c.number(), v.going, v.offset};
  }
  void on_suspension(const trace::connection& c, const trace::suspension& s) override {
    for (trace::violation_sink* v : violations_) v->on_suspension(c, s);
  }

 private:
  struct place {
    std::uint32_t connection = 0;
    trace::way going = trace::way::to_controller;
    std::uint64_t offset = 0;
    friend bool operator==(const place&, const place&) = default;
  };
  // A rule has said it already, of the same PDU, and better.
  bool is_told(const trace::connection& c, const trace::notice& n) const {
    return n.about != nullptr && told_ == place{c.number(), n.going, n.about->offset};
  }

  place told_;
  std::vector<trace::listener*> listeners_;
  std::vector<trace::violation_sink*> violations_;
  std::optional<trace::checker> rules_;
};

}  // namespace nvmf::cli
