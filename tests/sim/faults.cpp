// SPDX-License-Identifier: BSD-2-Clause
#include "faults.hpp"

#include <iterator>

#include "pdu.hpp"

namespace nvmf::sim {

std::string_view fault_name(fault f) {
  switch (f) {
    case fault::reset:
      return "reset";
    case fault::cut:
      return "cut";
    case fault::stall:
      return "stall";
    case fault::silence:
      return "silence";
    case fault::duplicate:
      return "duplicate";
    case fault::wrong_cid:
      return "wrong CID";
    case fault::header_flip:
      return "header flip";
    case fault::data_flip:
      return "data flip";
    case fault::none:
      break;
  }
  return "none";
}

// A duplicated command would be another command, which nobody could tell from the host's own, and a
// flipped bit that no digest covers would be a lie that nobody could see.
fault fault_source::next(const passing_pdu& pdu) {
  if (calm || plan_.pdus_per_fault == 0 || happened_ >= plan_.most) return fault::none;
  if (!luck_.one_in(plan_.pdus_per_fault)) return fault::none;
  const fault f = all_faults[luck_.between(0, std::size(all_faults) - 1)];
  const bool answers = pdu.type == pdu_type::capsule_resp || pdu.type == pdu_type::h2c_data ||
                       pdu.type == pdu_type::c2h_data || pdu.type == pdu_type::r2t;
  const bool possible = f == fault::duplicate || f == fault::wrong_cid ? answers
                        : f == fault::header_flip                      ? pdu.header_digest
                        : f == fault::data_flip                        ? pdu.data_digest
                                                                       : true;
  if (!possible) return fault::none;
  ++happened_;
  return f;
}

}  // namespace nvmf::sim
