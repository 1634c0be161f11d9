// SPDX-License-Identifier: BSD-2-Clause
// Is there anything left to wait for, once the time that is shown has passed? Asynchronous Event
// Requests are not waited for: they are outstanding for hours.
#pragma once

#include "time_window.hpp"
#include "trace/conversation/connection.hpp"
#include "wire/tables.hpp"

namespace nvmf::cli {

class window_watch final : public trace::listener {
 public:
  explicit window_watch(const time_window& of) : of_(of) {}

  void on_command(const trace::connection&, const trace::command& k, const trace::pdu&) override {
    if (counts(k)) ++open_;
  }
  void on_completion(const trace::connection&, const trace::command& k, const trace::completion&,
                     const trace::pdu*) override {
    if (counts(k)) --open_;
  }
  bool is_over(std::int64_t ns) const { return of_.is_over(ns) && open_ == 0; }

 private:
  bool counts(const trace::command& k) const {
    const bool event =
        k.admin && k.opcode() == static_cast<std::uint8_t>(wire::admin_opcode::async_event_request);
    return !event && !of_.is_over(k.sent.ns);
  }

  const time_window& of_;
  std::uint64_t open_ = 0;
};

}  // namespace nvmf::cli
