// SPDX-License-Identifier: BSD-2-Clause
// A trace as JSON Lines: one record a command, when it is over; with -v every PDU, with -vv bytes.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <optional>
#include <string>

#include "json_fields.hpp"
#include "known_commands.hpp"
#include "line_buffer.hpp"
#include "picker.hpp"
#include "trace/conversation/connection.hpp"
#include "trace/rules/violation.hpp"

namespace nvmf::cli {

inline constexpr std::string_view trace_schema = "nvmfctl.trace/1";

// {"schema": ..., "record": kind}
boost::json::object trace_record(std::string_view kind);
// What is known of a connection.
boost::json::object connection_json(const trace::connection& c);

class json_view final : public trace::listener, public trace::violation_sink {
 public:
  json_view(picker& out, int verbosity) : out_(out), verbosity_(verbosity) {}

  void on_connection(const trace::connection& c) override;
  void on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) override;
  void on_completion(const trace::connection& c, const trace::command& k,
                     const trace::completion& done, const trace::pdu* by) override;
  void on_notice(const trace::connection& c, const trace::notice& n) override;
  void on_work(const trace::connection& c, const trace::work& w, const trace::command* of) override;
  void on_end(const trace::connection& c, const trace::stamp& at, bool closed) override;
  void on_violation(const trace::connection& c, const trace::violation& v) override;
  void on_suspension(const trace::connection& c, const trace::suspension& s) override;

 private:
  void put(picker::answer what, const sight& s, const boost::json::object& o);

  // What is told a million times a second is written as text, without an object for it.
  void begin(std::string_view kind, const trace::stamp& at, const trace::connection& c,
             std::optional<std::uint16_t> cid);
  void end(picker::answer what, const sight& s);
  void add(std::string_view text) { line_.append(text); }
  // The key is ", \"key\": ".
  template <std::size_t N>
  void add(const char (&key)[N], std::uint64_t value) {
    line_.literal(key);
    line_.number(value);
  }
  void add_latency(const trace::command& k, const trace::completion& done);
  void add_rdma(const trace::rdma_facts& r);
  void add_status(const trace::command& k, const trace::completion& done);

  picker& out_;
  int verbosity_;
  line_buffer line_;
  known_commands known_;
  json_fields fields_;
  std::map<std::uint32_t, kept_text> statuses_;  // by set and status
  std::uint32_t last_key_ = 0;                   // of last_status_
  const kept_text* last_status_ = nullptr;
};

}  // namespace nvmf::cli
