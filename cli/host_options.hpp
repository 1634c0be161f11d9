// SPDX-License-Identifier: BSD-2-Clause
// The options of every command that brings up an association: where to, as whom, with what limits.
#pragma once

#include <array>
#include <nvmf/host.hpp>
#include <optional>
#include <span>
#include <string>

#include "exit_status.hpp"
#include "fault_plan.hpp"
#include "identity.hpp"
#include "options.hpp"
#include "wire/uri.hpp"

namespace nvmf::cli {

// What a command that brings up an association may end with; and one that sends I/O commands too.
inline constexpr std::array io_statuses{exit_status::io_command,
                                        exit_status::resolve,
                                        exit_status::connect,
                                        exit_status::tls,
                                        exit_status::initialize_connection,
                                        exit_status::fabrics_connect,
                                        exit_status::authentication,
                                        exit_status::controller_enable,
                                        exit_status::admin_command,
                                        exit_status::timeout,
                                        exit_status::protocol_error,
                                        exit_status::peer_closed};
inline constexpr auto bring_up_statuses = std::span{io_statuses}.subspan<1>();

struct host_plan {
  wire::uri uri;  // with port and NQN
  host_identity identity;
  association_options options;
  fault_choice faults, target_faults;
};

class host_options {
 public:
  // Rows of the address: the URI, or nvme-cli's long form.
  void add_address(option_table& table);
  // The URI alone, for commands that take more words after it.
  void set_uri(std::string text) { uri_ = std::move(text); }
  void add_long_address(option_table& table);
  // -q -I -w -k -g -G --timeout --fault and others.
  void add_connection(option_table& table);
  // -i and what follows.
  void add_queues(option_table& table);
  // -Q --admin-queue-size --disable-sqflow: of what kind the queues are.
  void add_queue_options(option_table& table);

  bool has_address() const { return !uri_.empty() || !address_.empty(); }
  // Where to when the command line does not say.
  void set_default_uri(const std::string& uri) {
    if (!has_address()) uri_ = uri;
  }
  // What was asked for, checked. `discovery`: an address without an NQN is the discovery service.
  std::expected<host_plan, std::string> plan(bool discovery) const;

  std::chrono::milliseconds timeout() const { return options_.timeout; }
  bool queues_given() const { return queues_given_; }
  bool keep_alive_given() const { return keep_alive_given_; }

 private:
  std::expected<wire::uri, std::string> where(bool discovery) const;
  std::expected<wire::uri, std::string> where_long() const;

  std::string uri_;
  std::string transport_, address_, service_, nqn_;
  std::string hostnqn_, hostid_;
  association_options options_;
  fault_choice faults_, target_faults_;
  bool hdgst_ = false, ddgst_ = false;
  std::uint32_t hpda_ = 0;
  bool queues_given_ = false;
  bool keep_alive_given_ = false;
};

}  // namespace nvmf::cli
