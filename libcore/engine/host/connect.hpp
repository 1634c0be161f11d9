// SPDX-License-Identifier: BSD-2-Clause
// Fabrics Connect of one queue (Base 2.0, 6.3), and what may stand between it and the first
// command: authentication (Base 2.0, 8.13.5).
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "action.hpp"

namespace nvmf::engine {

// Authenticates one queue after its Connect. It sends by answering with send_command, and ends with
// finished or failed.
class authenticator {
 public:
  virtual ~authenticator() = default;
  // `required`: AUTHREQ of the Connect response; 0 when the controller does not ask for it.
  virtual action start(std::uint16_t qid, std::uint16_t required, time_point now) = 0;
  virtual action on_reply(const reply& got, time_point now) = 0;
};

struct connect_parameters {
  std::uint16_t qid = 0;
  std::uint32_t entries = 0;      // queue size
  std::uint16_t cntlid = 0xffff;  // FFFFh: any
  std::uint32_t kato_ms = 0;      // admin queue only
  bool disable_sq_flow_control = false;
  std::array<std::byte, 16> host_id{};
  std::string host_nqn;
  std::string subsystem_nqn;
};

class connect_machine {
 public:
  // `auth` may be null: then a controller that requires authentication ends the machine with status
  // Authentication Required, though its Connect response said success.
  connect_machine(host_stage stage, const connect_parameters& asked, authenticator* auth);

  action start();
  action on_reply(const reply& got, time_point now);

  // After finished.
  std::uint16_t cntlid() const { return cntlid_; }
  bool sq_flow_control() const { return sq_flow_control_; }
  std::uint16_t authreq() const { return authreq_; }

 private:
  action on_response(const reply& got, time_point now);

  host_stage stage_;
  connect_parameters asked_;
  authenticator* auth_;
  send_command sent_;
  bool authenticating_ = false;
  bool sq_flow_control_ = true;
  std::uint16_t cntlid_ = 0xffff;
  std::uint16_t authreq_ = 0;
};

// The Connect command and its 1024 bytes of data.
send_command connect_command(const connect_parameters& asked);

// Controller IDs that no controller has.
inline constexpr std::uint16_t first_reserved_cntlid = 0xfff0;

}  // namespace nvmf::engine
