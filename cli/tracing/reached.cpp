// SPDX-License-Identifier: BSD-2-Clause
#include "reached.hpp"

#include <algorithm>

#include "wire/layouts/pdu.hpp"
#include "wire/tables.hpp"

namespace nvmf::cli {

void limit_watch::on_pdu(const trace::pdu& p, const trace::command* of) {
  std::uint32_t& longest = most_.pdu[static_cast<std::size_t>(p.going)];
  longest = std::max(longest, p.plen);
  if (of == nullptr || of->slot >= r2ts_.size()) return;
  const auto type = static_cast<wire::pdu_type>(p.type);
  if (type == wire::pdu_type::r2t) {
    most_.r2ts = std::max(most_.r2ts, ++r2ts_[of->slot]);
  } else if (type == wire::pdu_type::h2c_data) {
    most_.h2c_data = std::max(most_.h2c_data, p.data_bytes);
    if ((p.flags & trace::pdu_flag_bit::last) != 0 && r2ts_[of->slot] > 0) --r2ts_[of->slot];
  }
}

void limit_watch::on_command(const trace::command& k) {
  if (k.slot >= r2ts_.size()) r2ts_.resize(k.slot + 1);
  r2ts_[k.slot] = 0;
  most_.in_capsule = std::max(most_.in_capsule, k.in_capsule);
}

void limit_watch::on_completion(const trace::connection& c, const trace::command& k) {
  most_.outstanding = std::max(most_.outstanding, c.outstanding());
  most_.transfer = std::max(most_.transfer, k.bytes());
  if (k.c2h_pdus > 0) {
    ++most_.reads;
    most_.c2h_pdus += k.c2h_pdus;
  }
  const bool fabrics = k.opcode() == wire::fabrics_opcode;  // Connect and its like are no writes
  if (!fabrics && (k.in_capsule + k.h2c_bytes > 0 || k.r2ts > 0)) {
    ++most_.writes;
    most_.r2t_pdus += k.r2ts;
  }
}

boost::json::object reached_limits::json() const {
  return {{"pdu_to_controller", pdu[0]}, {"pdu_to_host", pdu[1]},
          {"r2ts_at_once", r2ts},        {"h2c_data", h2c_data},
          {"transfer", transfer},        {"in_capsule", in_capsule},
          {"outstanding", outstanding},  {"with_data_to_host", reads},
          {"c2h_data_pdus", c2h_pdus},   {"with_data_to_controller", writes},
          {"r2t_pdus", r2t_pdus}};
}

}  // namespace nvmf::cli
