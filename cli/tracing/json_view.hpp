// SPDX-License-Identifier: BSD-2-Clause
// A trace as JSON Lines: one record a command, when it is over; with -v every PDU, with -vv bytes.
#pragma once

#include <boost/json/object.hpp>

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
  void on_end(const trace::connection& c, const trace::stamp& at, bool closed) override;
  void on_violation(const trace::connection& c, const trace::violation& v) override;
  void on_suspension(const trace::connection& c, const trace::suspension& s) override;

 private:
  void put(picker::answer what, const sight& s, const boost::json::object& o);

  picker& out_;
  int verbosity_;
};

}  // namespace nvmf::cli
