// SPDX-License-Identifier: BSD-2-Clause
#include "watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

namespace nvmf::sim {
namespace {

constexpr std::uint8_t abort_opcode = 0x08, keep_alive_opcode = 0x18, fabrics_opcode = 0x7f;
constexpr std::uint8_t connect_type = 0x01;
// Offsets in a command capsule: 8 bytes of header, then the SQE.
constexpr std::size_t cdw10 = 8 + 40, connect_qid = 8 + 42, connect_kato = 8 + 48;
constexpr std::size_t connect_data_cntlid = 16;
// Our controllers count KATO in steps of KAS.
constexpr std::chrono::milliseconds granularity{100};

}  // namespace

wire_watch::association* wire_watch::of(const link& l) {
  const auto found = associations_.find(l.association);
  return found == associations_.end() ? nullptr : &found->second;
}

void wire_watch::sent(std::size_t connection, bool to_host, pdu_view pdu) {
  if (links_[connection].blind) return;
  if (!to_host && pdu.type() == pdu_type::capsule_cmd) command(connection, links_[connection], pdu);
}

void wire_watch::command(std::size_t connection, link& l, pdu_view pdu) {
  const std::uint16_t cid = pdu.cid();
  if (pdu.opcode() == fabrics_opcode && pdu.fctype() == connect_type) join(connection, l, pdu);
  if (!l.open.insert(cid).second && !l.wrong_cids)
    log_.wrong(fmt::format("CID {} of queue {} was given out twice", cid, l.qid));
  association* a = of(l);
  if (a == nullptr) return;
  for (const auto& [by, target] : links_[l.association].aborts)
    if (target.sqid == l.qid && target.cid == cid && !l.wrong_cids)
      log_.wrong(
          fmt::format("CID {} of queue {} was given out while an Abort names it", cid, l.qid));
  if (pdu.opcode() != fabrics_opcode) a->ready = true;
  host_speaks(*a);
  if (l.qid != 0) return;
  if (pdu.opcode() == abort_opcode)
    l.aborts[cid] = {static_cast<std::uint16_t>(pdu.at(cdw10, 2)),
                     static_cast<std::uint16_t>(pdu.at(cdw10 + 2, 2))};
  if (pdu.opcode() == keep_alive_opcode && !a->keep_alive) {
    log_.count("keep alive");
    a->keep_alive = cid;
    a->keep_alive_sent = time_.now();
  }
}

void wire_watch::join(std::size_t connection, link& l, pdu_view pdu) {
  l.qid = static_cast<std::uint16_t>(pdu.at(connect_qid, 2));
  l.connect = pdu.cid();
  if (l.qid == 0) {
    l.association = connection;
    association& a = associations_[connection];
    a.kato = std::chrono::milliseconds(pdu.at(connect_kato, 4));
    a.said = time_.now();
    a.excused = l.excused;
    a.untimed = l.untimed;
    return;
  }
  const std::uint64_t cntlid = pdu.at(pdu.data_offset() + connect_data_cntlid, 2);
  for (auto& [id, a] : associations_ | std::views::reverse)
    if (a.cntlid == cntlid) {
      l.association = id;
      a.excused = a.excused || l.excused;
      a.untimed = a.untimed || l.untimed;
      return;
    }
}

void wire_watch::arrived(std::size_t connection, bool to_host, pdu_view pdu) {
  link& l = links_[connection];
  association* a = of(l);
  if (l.blind) return;
  if (!to_host) {
    if (a == nullptr || pdu.type() != pdu_type::capsule_cmd) return;
    controller_waits(*a, "for a command");
    a->heard = time_.now();
    return;
  }
  if (pdu.type() != pdu_type::capsule_resp && !pdu.success()) return;
  const std::uint16_t cid = pdu.cid();
  l.open.erase(cid);
  l.aborts.erase(cid);
  if (a == nullptr) return;
  if (l.qid == 0 && l.connect == cid && pdu.type() == pdu_type::capsule_resp)
    a->cntlid = static_cast<std::uint16_t>(pdu.at(common_header, 2));
  if (l.connect == cid) l.connect.reset();
  if (l.qid == 0 && a->keep_alive == cid) {
    host_waits(*a);
    a->keep_alive.reset();
  }
}

// Whatever the host sends, it says that it lives: at least once in KATO, unless it waits for the
// answer to a Keep Alive.
void wire_watch::host_speaks(association& a) {
  host_waits(a);
  const duration silent = time_.now() - a.said;
  if (a.ready && !a.excused && !a.untimed && !a.keep_alive && a.kato.count() > 0 && silent > a.kato)
    log_.wrong(fmt::format("a host said nothing for {} ms, and its KATO is {} ms", ms(silent),
                           a.kato.count()));
  a.said = time_.now();
}

// A Keep Alive without an answer for a whole KATO means that the controller is gone.
void wire_watch::host_waits(association& a) {
  if (!a.keep_alive || a.host_over || a.untimed) return;
  const duration waited = time_.now() - a.keep_alive_sent;
  if (waited > a.kato + granularity)
    log_.wrong(
        fmt::format("a host waited {} ms for the answer to Keep Alive, and its KATO is {} ms",
                    ms(waited), a.kato.count()));
}

// A host that is not heard for two KATO is given up.
void wire_watch::controller_waits(association& a, std::string_view until) {
  if (a.over || a.untimed || a.kato.count() == 0 || !a.heard) return;
  const duration silent = time_.now() - *a.heard;
  if (silent > 2 * (a.kato + granularity))
    log_.wrong(fmt::format("a controller heard nothing for {} ms and waited {}; KATO is {} ms",
                           ms(silent), until, a.kato.count()));
}

// And not before one KATO.
void wire_watch::expired(std::uint16_t cntlid) {
  for (auto& [id, a] : associations_ | std::views::reverse) {
    if (a.cntlid != cntlid || !a.heard) continue;
    const duration silent = time_.now() - *a.heard;
    log_.count("host given up");
    if (silent < a.kato && !a.untimed)
      log_.wrong(fmt::format("a controller gave its host up after {} ms; KATO is {} ms", ms(silent),
                             a.kato.count()));
    return;
  }
}

void wire_watch::closed(std::size_t connection, bool by_host) {
  const link& l = links_[connection];
  association* a = of(l);
  if (a == nullptr) return;
  if (by_host) {
    if (a->keep_alive && !a->host_over && time_.now() - a->keep_alive_sent >= a->kato)
      log_.count("controller given up");
    host_speaks(*a);
    a->host_over = true;
  } else if (l.qid == 0) {
    controller_waits(*a, "before it closed");
    a->over = true;
  }
}

void wire_watch::excuse_host_of(std::size_t connection) {
  link& l = links_[connection];
  l.excused = true;
  if (association* a = of(l)) a->excused = true;
}

void wire_watch::untimed(std::size_t connection) {
  link& l = links_[connection];
  l.untimed = true;
  if (association* a = of(l)) a->untimed = true;
}

void wire_watch::blind(std::size_t connection) {
  untimed(connection);
  links_[connection].blind = true;
}

void wire_watch::at_the_end() {
  for (auto& [id, a] : associations_) {
    host_waits(a);
    controller_waits(a, "to the end");
  }
}

}  // namespace nvmf::sim
