// SPDX-License-Identifier: BSD-2-Clause
// A trace as text: one line a capsule; with more verbosity every PDU, its fields, its bytes.
#pragma once

#include <array>
#include <string>

#include "capsule_text.hpp"
#include "clock_text.hpp"
#include "line_buffer.hpp"
#include "picker.hpp"
#include "trace/conversation/connection.hpp"
#include "trace/rules/violation.hpp"

namespace nvmf::cli {

class text_view final : public trace::listener, public trace::violation_sink {
 public:
  // Of each PDU's data, at -vv.
  static constexpr std::size_t dump_bytes = 64u << 10;

  text_view(picker& out, trace_time clock, int verbosity, const style& look)
      : out_(out), clock_(clock), verbosity_(verbosity), capsules_(look) {}

  void on_connection(const trace::connection& c) override;
  void on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) override;
  void on_command(const trace::connection& c, const trace::command& k,
                  const trace::pdu& p) override;
  void on_completion(const trace::connection& c, const trace::command& k,
                     const trace::completion& done, const trace::pdu* by) override;
  void on_notice(const trace::connection& c, const trace::notice& n) override;
  void on_work(const trace::connection& c, const trace::work& w, const trace::command* of) override;
  void on_end(const trace::connection& c, const trace::stamp& at, bool closed) override;
  void on_violation(const trace::connection& c, const trace::violation& v) override;
  void on_suspension(const trace::connection& c, const trace::suspension& s) override;

 private:
  // "12:34:56.789012 c1 q2 > 0x1005": where a line begins.
  void begin(const trace::connection& c, std::int64_t ns, std::string_view sign);
  void add(std::string_view text) { line_.append(text); }
  void put(picker::answer what, const sight& s);
  void add_agreement(const trace::agreement& a);
  void add_details(const trace::pdu& p, const trace::command* of, const trace::completion* done);

  picker& out_;
  clock_text clock_;
  int verbosity_;
  capsule_text capsules_;
  line_buffer line_;
};

}  // namespace nvmf::cli
