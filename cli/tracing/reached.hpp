// SPDX-License-Identifier: BSD-2-Clause
// How much of what two ends agreed upon they used: the largest of each thing that has a limit.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <vector>

#include "trace/conversation/connection.hpp"

namespace nvmf::cli {

struct reached_limits {
  std::uint32_t pdu[2] = {};               // the longest, by way
  std::uint32_t r2ts = 0;                  // of one command at once, against MAXR2T
  std::uint32_t h2c_data = 0;              // bytes of one H2CData, against MAXH2CDATA
  std::uint64_t transfer = 0;              // bytes of one command, against MDTS
  std::uint32_t in_capsule = 0;            // bytes in one command capsule, against IOCCSZ
  std::size_t outstanding = 0;             // against SQSIZE, which is one less than the entries
  std::uint64_t reads = 0, c2h_pdus = 0;   // commands with data to the host, and its PDUs
  std::uint64_t writes = 0, r2t_pdus = 0;  // with data to the controller, and R2Ts

  boost::json::object json() const;
};

// One connection's, PDU by PDU.
class limit_watch {
 public:
  void on_pdu(const trace::pdu& p, const trace::command* of);
  void on_command(const trace::command& k);
  void on_completion(const trace::connection& c, const trace::command& k);
  const reached_limits& most() const { return most_; }

 private:
  reached_limits most_;
  std::vector<std::uint32_t> r2ts_;  // that wait for their data, by slot
};

}  // namespace nvmf::cli
