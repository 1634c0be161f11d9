// SPDX-License-Identifier: BSD-2-Clause
// A fault plan says when an end of a connection shall break the rules, and how:
//
//   when cmd == read && every 100: delay 50ms
//   when cmd == write && nsid == 1 && count 3: status internal-error dnr; when conn == 2: reset
//
// One rule a line, or several apart by semicolons; # begins a comment. A plan is text that was
// understood: what happened so far is in an injector (injector.hpp), and what to do about it is
// in the hands of the end that has one.
#pragma once

#include <cstdint>
#include <expected>
#include <nvmf/executor.hpp>
#include <nvmf/status.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/expression.hpp"
#include "wire/quantities.hpp"
#include "wire/text_error.hpp"

namespace nvmf::engine {

// Limits for text that nobody vouches for; a rule is at most wire::expression_bytes_max long.
inline constexpr std::size_t fault_plan_bytes_max = std::size_t{64} * 1024;
inline constexpr std::size_t fault_rules_max = 32;
inline constexpr std::size_t fault_steps_max = 8;  // actions of one rule

// Which end has the plan.
enum class fault_role : std::uint8_t { controller, host };

enum class fault_action : std::uint8_t {
#define X(id, ...) id,
#include "actions.def"
#undef X
};

enum class fault_argument : std::uint8_t { none, time, number, status, digest, fes };
enum class fault_roles : std::uint8_t { both, controller, host };
enum class fault_needs : std::uint8_t { nothing, pdu, digest };

struct fault_action_info {
  fault_action id;
  std::string_view name;      // "wrong-cid"
  std::string_view argument;  // "[CID]"; empty: none
  std::string_view title;
  fault_argument takes;
  fault_roles roles;
  fault_needs needs;
  bool optional() const { return argument.empty() || argument.front() == '['; }
  bool can(fault_role r) const {
    return roles == fault_roles::both || (roles == fault_roles::host) == (r == fault_role::host);
  }
};
std::span<const fault_action_info> fault_actions();  // indexed by fault_action
const fault_action_info& info_of(fault_action a);

struct fault_trigger_info {
  std::string_view name;
  std::string_view argument;
  std::string_view title;
};
std::span<const fault_trigger_info> fault_triggers();

enum class fault_digest : std::uint8_t { either, header, data };

// One action with what was said about it.
struct fault_step {
  fault_action what{};
  bool given = false;       // an argument was given; else the default of the action
  duration time{};          // delay; stop_reading and silence: when given, else for ever
  std::int64_t number = 0;  // wrong_cid: the CID; wrong_length, short_data: bytes
  fault_digest digest = fault_digest::either;
  nvme_status status;     // status
  std::uint16_t fes = 0;  // termreq, the default too

  // What the step makes of what would be right. Each changes its argument, unless there is
  // nothing to change (no data to be short of).
  std::uint16_t wrong_cid(std::uint16_t cid) const;
  std::uint32_t wrong_length(std::uint32_t plen) const;  // modulo 2^32
  std::uint32_t short_data(std::uint32_t due) const;     // what is sent of it

  std::string text() const;  // canonical: "wrong-length -8"
  friend bool operator==(const fault_step&, const fault_step&) = default;
};

struct fault_timing {
  std::uint64_t after = 0;        // matches that are let pass first
  duration from{};                // since the start of the plan
  std::optional<duration> until;  // the same
  std::uint64_t every = 1;
  std::uint32_t probability_ppb = wire::whole_ppb;
  std::optional<std::uint64_t> count;  // none: no limit

  std::string text() const;  // "after 10 && every 100"; empty: always
  friend bool operator==(const fault_timing&, const fault_timing&) = default;
};

struct fault_rule {
  std::uint32_t number = 0;  // in the plan, from 1
  std::size_t line = 1;      // of its first byte, from 1; a column is a byte
  std::size_t column = 1;
  std::string source;          // as it was written, without blanks around it and comments after it
  wire::expression condition;  // over fault_fields()
  fault_timing timing;
  std::vector<fault_step> steps;  // in the order they were written; each action once

  std::string text() const;  // canonical
  const fault_step* find(fault_action a) const;
};

struct fault_plan_options {
  // An action that this end cannot do is an error; none: any action.
  std::optional<fault_role> role;
  bool pdus = true;  // the transport has the PDUs of NVMe/TCP, and digests
};

class fault_plan {
 public:
  // The first thing that is wrong, with its place: part is "column 12", or "line 2, column 12"
  // when the text has lines; position is a byte of the whole text.
  static std::expected<fault_plan, wire::text_error> parse(std::string_view text,
                                                           fault_plan_options options = {});

  std::span<const fault_rule> rules() const { return rules_; }  // at least one
  std::string text() const;  // canonical, a rule a line; parses to the same plan

 private:
  std::vector<fault_rule> rules_;
};

// What a condition may compare; the order is that of fault_field.
std::span<const wire::expression_field> fault_fields();
enum class fault_field : std::uint8_t {
  cmd,
  opcode,
  fctype,
  queue,
  nsid,
  slba,
  nlb,
  bytes,
  cid,
  conn,
  host,
};

}  // namespace nvmf::engine
