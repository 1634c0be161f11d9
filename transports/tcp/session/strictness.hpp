// SPDX-License-Identifier: BSD-2-Clause
#pragma once

namespace nvmf::tcp {

// The rules of what we send. Each is kept unless it is switched off, which is for trying out what a
// peer makes of it.
struct strictness {
  bool h2c_data_limit = true;     // host: H2CData PDUs are cut to MAXH2CDATA
  bool r2t_limit = true;          // controller: R2Ts of a command wait for MAXR2T
  bool success_condition = true;  // controller: SUCCESS only while SQ flow control is off
};

}  // namespace nvmf::tcp
