// SPDX-License-Identifier: BSD-2-Clause
// Normal shutdown of a controller: CC.SHN, then CSTS.SHST (Base 2.0, 3.6.1).
#pragma once

#include "action.hpp"
#include "enable.hpp"

namespace nvmf::engine {

class shutdown_machine {
 public:
  // `cc`: as it stands. The shutdown is given up at `deadline`.
  shutdown_machine(std::uint32_t cc, time_point deadline);

  action start();
  action on_reply(const reply& got, time_point now);
  action on_time(time_point now);
  std::uint32_t cc() const { return cc_; }      // as sent
  std::uint32_t csts() const { return csts_; }  // as last read

 private:
  std::uint32_t cc_;
  std::uint32_t csts_ = 0;
  time_point deadline_;
  bool told_ = false;  // CC.SHN is set
  std::chrono::milliseconds pause_ = first_poll;
  send_command sent_;
};

}  // namespace nvmf::engine
