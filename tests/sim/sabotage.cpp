// SPDX-License-Identifier: BSD-2-Clause
#include "sabotage.hpp"

namespace nvmf::sim {
namespace {

constexpr std::size_t nsid = 8 + 4, cdw10 = 8 + 40, connect_kato = 8 + 48;
constexpr std::uint8_t abort_opcode = 0x08, fabrics_opcode = 0x7f, connect_type = 0x01;
// So late that the bring-up is over.
constexpr int after_bring_up = 60;

}  // namespace

void saboteur::before_watch(octets& pdu, std::size_t connection, bool to_host) {
  const pdu_view view{pdu};
  if (to_host || view.type() != pdu_type::capsule_cmd) {
    if (silent_ && !to_host) pdu.clear();
    return;
  }
  const bool late = ++commands_ > after_bring_up;
  if (commits(crime::silent_host) && late) {
    silent_ = true;
    pdu.clear();
    return;
  }
  const auto last = last_cid_.find(connection);
  if (commits(crime::double_cid) && late && last != last_cid_.end())
    test::put(pdu, view.cid_offset(), 2, last->second);
  if (commits(crime::reuse_aborted)) {
    // Write Zeroes has the same opcode, and a namespace.
    if (view.opcode() == abort_opcode && view.at(nsid, 4) == 0) {
      // Names a CID that the next command of queue 1 is then given.
      aborted_ = 0x4000;
      test::put(pdu, cdw10, 2, 1);
      test::put(pdu, cdw10 + 2, 2, *aborted_);
    } else if (aborted_ && view.at(nsid, 4) == 1) {
      test::put(pdu, view.cid_offset(), 2, *aborted_);
    }
  }
  renew_header_digest(pdu);
  last_cid_[connection] = pdu_view{pdu}.cid();
}

void saboteur::after_watch(octets& pdu) {
  const pdu_view view{pdu};
  if (!commits(crime::hasty_controller) || pdu.empty() || view.type() != pdu_type::capsule_cmd)
    return;
  if (view.opcode() == fabrics_opcode && view.fctype() == connect_type)
    test::put(pdu, connect_kato, 4, view.at(connect_kato, 4) / 8);
  renew_header_digest(pdu);
}

}  // namespace nvmf::sim
