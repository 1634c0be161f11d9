// SPDX-License-Identifier: BSD-2-Clause
// Words for notices, and where the time of a command went.
#include <array>

#include "listener.hpp"
#include "trace/rdma/rdma_facts.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::trace {

namespace {

struct notice_row {
  notice_kind kind;
  std::string_view name;
  std::string_view title;
};
constexpr std::array rows{
    notice_row{notice_kind::middle, "middle", "the capture begins within this direction"},
    notice_row{notice_kind::lost, "lost", "bytes are missing where a PDU header was due"},
    notice_row{notice_kind::bad_plen, "bad-plen", "a PDU header says a length that cannot be"},
    notice_row{notice_kind::found, "found", "PDUs again"},
    notice_row{notice_kind::missing, "missing", "payload that is not in the capture"},
    notice_row{notice_kind::header_digest, "header-digest", "the header digest does not match"},
    notice_row{notice_kind::data_digest, "data-digest", "the data digest does not match"},
    notice_row{notice_kind::unknown_pdu, "unknown-pdu", "no table has this PDU type"},
    notice_row{notice_kind::wrong_way, "wrong-way", "only the other side may send this"},
    notice_row{notice_kind::no_command, "no-command", "its CID is not outstanding"},
    notice_row{notice_kind::cid_in_use, "cid-in-use",
               "its CID is that of a command that is outstanding"},
    notice_row{notice_kind::not_tracked, "not-tracked",
               "more commands are outstanding than are kept"},
    notice_row{notice_kind::packets_lost, "packets-lost",
               "packets of the queue pair are not in the capture"},
};

}  // namespace

std::string_view name_of(notice_kind k) { return rows[static_cast<std::size_t>(k)].name; }
std::string_view title_of(notice_kind k) { return rows[static_cast<std::size_t>(k)].title; }

const wire::layout* form_of(const pdu& p) {
  if (p.rdma != nullptr && p.rdma->private_data != nullptr) return p.rdma->private_data;
  return wire::pdu_layout(p.type);
}

latency_parts latency_of(const command& c, const completion& done) {
  latency_parts out{.total = done.at.ns - c.sent.ns};
  const bool data = c.h2c_pdus + c.c2h_pdus > 0;
  if (c.r2ts > 0) out.to_r2t = c.first_r2t.ns - c.sent.ns;
  if (!data) return out;
  out.to_data = c.first_data.ns - (c.r2ts > 0 ? c.first_r2t.ns : c.sent.ns);
  out.data = c.last_data.ns - c.first_data.ns;
  out.to_end = done.at.ns - c.last_data.ns;
  return out;
}

}  // namespace nvmf::trace
