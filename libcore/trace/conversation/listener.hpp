// SPDX-License-Identifier: BSD-2-Clause
// What a reader of traffic is told, in the order it happened. Text, JSON, statistics and rules are
// listeners; everything they are given is borrowed for the call.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "command.hpp"

namespace nvmf::trace {

class connection;

// What is to be said about a connection besides its PDUs.
enum class notice_kind : std::uint8_t {
  middle,         // the capture begins within the connection
  lost,           // bytes are missing where a header was due
  bad_plen,       // framing was lost: a header says a length that cannot be
  found,          // framing was found again; `a` bytes were not looked at
  missing,        // `a` bytes of payload are missing; framing held
  header_digest,  // does not match
  data_digest,    // does not match
  unknown_pdu,    // a PDU type that no table has
  wrong_way,      // a PDU type that only the other side sends
  no_command,     // a response, R2T or data for a CID that is not outstanding
  cid_in_use,     // a command with the CID of one that is outstanding
  not_tracked,    // more commands are outstanding than are kept
  packets_lost,   // packets of a queue pair of RDMA are missing
};
std::string_view name_of(notice_kind k);   // "cid-in-use"
std::string_view title_of(notice_kind k);  // "its CID is that of a command that is outstanding"

struct notice {
  notice_kind kind;
  way going;
  stamp at;
  std::uint64_t a = 0;
  const pdu* about = nullptr;
};

// A work request of RDMA that is done, as the end that posted it tells.
struct work {
  std::string_view kind;  // "RDMA WRITE"
  way going;              // from that end
  std::optional<std::uint16_t> cid = {};
  std::uint64_t bytes = 0;
  std::optional<std::uint32_t> key = {};  // of the memory that it is about, and where that is
  std::uint64_t address = 0;
  stamp posted, done;
  std::string_view trouble = {};  // why it failed; nothing: it did not
};

class listener {
 public:
  virtual ~listener() = default;
  // NVMe/TCP was recognised.
  virtual void on_connection(const connection&) {}
  // Every PDU, after its last byte and before what it means is told. `of`: the command that it
  // belongs to, if that is outstanding; a command capsule is told by on_command first.
  virtual void on_pdu(const connection&, const pdu&, const command* /*of*/) {}
  virtual void on_command(const connection&, const command&, const pdu&) {}
  // A command is over. `by`: the PDU that ended it, or null.
  virtual void on_completion(const connection&, const command&, const completion&,
                             const pdu* /*by*/) {}
  virtual void on_notice(const connection&, const notice&) {}
  // `of`: the command that it belongs to, if that is outstanding.
  virtual void on_work(const connection&, const work&, const command* /*of*/) {}
  // The last that is told of a connection. `closed`: by FIN or RST, not by the end of the capture.
  virtual void on_end(const connection&, const stamp&, bool /*closed*/) {}
};

}  // namespace nvmf::trace
