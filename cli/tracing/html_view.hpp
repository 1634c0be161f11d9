// SPDX-License-Identifier: BSD-2-Clause
// `--html`: collects what a page shows. Memory is bounded; what came after that is counted.
#pragma once

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "filter.hpp"
#include "html_records.hpp"
#include "known_commands.hpp"
#include "trace/rules/violation.hpp"

namespace nvmf::cli {

struct html_limits {
  std::size_t pdus = 1'000'000;
  std::size_t text_bytes = 64u << 20;
  std::size_t findings = 10'000;
  std::size_t connections = 4096;
};

class html_view : public trace::listener, public trace::violation_sink {
 public:
  explicit html_view(const trace_filter& filter, const html_limits& limits = {})
      : filter_(filter), limits_(limits) {}

  void on_connection(const trace::connection& c) override;
  void on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) override;
  void on_command(const trace::connection& c, const trace::command& k,
                  const trace::pdu& p) override;
  void on_completion(const trace::connection& c, const trace::command& k,
                     const trace::completion& done, const trace::pdu* by) override;
  void on_notice(const trace::connection& c, const trace::notice& n) override;
  void on_end(const trace::connection& c, const trace::stamp& at, bool closed) override;
  void on_violation(const trace::connection& c, const trace::violation& v) override;
  void on_suspension(const trace::connection& c, const trace::suspension& s) override;

  // When the traffic is over: what there is to show.
  const html_records& records();

 private:
  // A command that is outstanding: its record, and PDUs that wait for the filter's answer.
  struct open_command {
    html_command record;
    std::uint32_t kept = 0;  // its index and one in records_.commands
    std::vector<std::pair<html_pdu, std::string>> waiting;
  };
  struct last_pdu {
    std::uint64_t offset = 0, sequence = 0;
  };
  struct open_connection {
    std::optional<std::uint16_t> index;  // once something of it is shown
    bool left_out = false;               // there was no room
    last_pdu last[2];                    // by way
    std::vector<open_command> commands;  // by slot
  };

  open_connection* find(const trace::connection& c);
  open_command& slot(open_connection& on, const trace::command& k);
  bool full() const;
  std::uint32_t form_number(const wire::layout& form);
  std::string text_of(const trace::connection& c, const trace::pdu& p, const trace::command* of);
  // False: there is no room for another connection.
  bool show(open_connection& on, const trace::connection& c);
  void keep(open_connection& on, const trace::connection& c, html_pdu p, std::string_view text,
            open_command* of);
  void add(open_connection* on, html_finding f, const sight& s, std::uint64_t sequence);
  void describe(html_connection& to, const trace::connection& c) const;

  const trace_filter& filter_;
  html_limits limits_;
  html_records records_;
  known_commands known_;
  std::unordered_map<std::uint32_t, open_connection> open_;
  std::uint64_t sequence_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace nvmf::cli
