// SPDX-License-Identifier: BSD-2-Clause
// A view with the rules behind it: what shows a violation is shown before the violation.
#pragma once

#include "trace/rules/checker.hpp"

namespace nvmf::cli {

// Where there is no view of violations: the checker counts them.
struct unseen_violations final : trace::violation_sink {
  void on_violation(const trace::connection&, const trace::violation&) override {}
};

class judged_view final : public trace::listener {
 public:
  judged_view(trace::listener& view, trace::checker& rules) : view_(view), rules_(rules) {}

  void on_connection(const trace::connection& c) override {
    view_.on_connection(c);
    rules_.on_connection(c);
  }
  void on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) override {
    view_.on_pdu(c, p, of);
    rules_.on_pdu(c, p, of);
  }
  void on_command(const trace::connection& c, const trace::command& k,
                  const trace::pdu& p) override {
    view_.on_command(c, k, p);
    rules_.on_command(c, k, p);
  }
  void on_completion(const trace::connection& c, const trace::command& k,
                     const trace::completion& done, const trace::pdu* by) override {
    view_.on_completion(c, k, done, by);
    rules_.on_completion(c, k, done, by);
  }
  void on_notice(const trace::connection& c, const trace::notice& n) override {
    view_.on_notice(c, n);
    rules_.on_notice(c, n);
  }
  void on_end(const trace::connection& c, const trace::stamp& at, bool closed) override {
    rules_.on_end(c, at, closed);
    view_.on_end(c, at, closed);
  }

 private:
  trace::listener& view_;
  trace::checker& rules_;
};

}  // namespace nvmf::cli
