// SPDX-License-Identifier: BSD-2-Clause
// The bring-up of an association, from Fabrics Connect on the admin queue to I/O queues that are
// ready (Base 2.0, 3.5.1 and 6.3). The transport connection of the admin queue exists already.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "action.hpp"
#include "connect.hpp"
#include "controller.hpp"
#include "enable.hpp"
#include "namespaces.hpp"

namespace nvmf::engine {

// What is known of a queue once its Connect was answered.
struct queue_facts {
  std::uint32_t entries = 0;
  bool sq_flow_control = true;
};

// What the bring-up has learnt; grows as it goes on.
struct bring_up_facts {
  std::uint16_t cntlid = 0xffff;
  controller_properties properties;
  std::vector<std::byte> identify;  // 4096 bytes of Identify Controller
  controller_facts controller;
  std::vector<namespace_info> namespaces;
  std::uint32_t queues_asked = 0;
  std::uint32_t queues_granted = 0;  // of those asked
  std::uint32_t io_queue_entries = 0;
  std::uint32_t events_configured = 0;  // of OAES
  queue_facts admin;
  std::vector<queue_facts> io;                // connected
  host_stage reached = host_stage::exchange;  // last stage that ended well
};

// A command of the bring-up itself that is under way, when none of its parts is.
enum class own_step : std::uint8_t { none, identify, queues, events };
struct own_command {
  own_step step = own_step::none;
  send_command sent;
};

class bring_up {
 public:
  // `options` outlives the machine. The caps are those of the admin qpair.
  bring_up(const association_options& options, const capabilities& caps, authenticator* auth);

  // What is wrong with the options, before anything is sent.
  static std::optional<host_failure> check(const association_options& options);

  action start(time_point now);
  action on_reply(const reply& got, time_point now);
  action on_time(time_point now);
  action on_queue(time_point now);  // the transport connection asked for by open_queue is up

  const bring_up_facts& facts() const { return facts_; }
  host_stage stage() const { return stage_; }
  time_point stage_began() const { return stage_began_; }
  // Reports of the stages that have ended well since the last call.
  std::vector<stage_report> take_reports() { return std::exchange(reports_, {}); }

 private:
  using pairs = std::vector<std::pair<std::string, std::string>>;

  action advance(action next, time_point now);  // judges what a sub-machine wants
  action after_step(time_point now);            // the sub-machine has finished
  void begin(host_stage stage, time_point now);
  void end(time_point now, pairs sent, pairs got);
  bool stops_after(association_options::depth d) const { return options_.until == d; }

  action start_connect(std::uint16_t qid, time_point now);
  action connected(time_point now);
  action start_properties(time_point now);
  action start_enable(time_point now);
  action start_identify(time_point now);
  action identified(const reply& got, time_point now);
  action start_namespaces(time_point now);
  action start_queues(time_point now);
  action queues_granted(const reply& got, time_point now);
  action open_next(time_point now);
  action start_events(time_point now);
  action events_configured(const reply& got, time_point now);

  action ask(own_step step, send_command c);

  const association_options& options_;
  capabilities caps_;
  authenticator* auth_;
  bring_up_facts facts_;
  std::variant<own_command, connect_machine, read_properties, enable_machine, namespace_scan> sub_;
  std::uint16_t connecting_ = 0;  // qid
  host_stage stage_ = host_stage::fabrics_connect;
  time_point stage_began_{};
  remarks notes_;  // of this stage
  std::vector<stage_report> reports_;
};

// Events that the host asks for where OAES offers them: namespaces, firmware, ANA, discovery log.
inline constexpr std::uint32_t wanted_events = 1u << 8 | 1u << 9 | 1u << 11 | 1u << 31;

}  // namespace nvmf::engine
