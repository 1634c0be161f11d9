// SPDX-License-Identifier: BSD-2-Clause
// Breaking rules on purpose: what a program may do to what one of its qpairs sends, and to the
// connection itself. For fault plans, the debugger, and tests of peers; nothing else has a use for
// it. Whoever tampers decides with open eyes: the qpair keeps its own books as if all had gone
// well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nvmf {

// What leaves, by its meaning; NVMe/TCP has a PDU for each.
enum class outgoing_kind : std::uint8_t {
  command,          // host: SQE and in-capsule data (CapsuleCmd)
  response,         // controller: CQE (CapsuleResp)
  request,          // controller: asks for data of a command (R2T)
  host_data,        // host: data of a command (H2CData)
  controller_data,  // controller: data of a command (C2HData)
  termination,      // either: TermReq
};

enum class digest_choice : std::uint8_t {
  right,
  wrong,    // one bit of it is flipped
  missing,  // it is not sent, and the header says so
};

// One of them, complete but for its digests, about to be queued. Fields are marked: [in] to be
// looked at only; the others may be changed, and what leaves is made to match.
struct outgoing {
  outgoing_kind kind;           // [in]
  std::uint16_t qid = 0;        // [in]
  std::uint16_t cid = 0;        // of the command; what leaves carries it
  std::uint32_t offset = 0;     // [in] data: within the command's data, bytes
  std::uint32_t length = 0;     // bytes of payload; may be made less, which cuts its end off
  bool last = false;            // data: the LAST flag
  bool success = false;         // controller_data: the SUCCESS flag, which stands for the response
  std::int32_t length_off = 0;  // added to the length that the header says (PLEN)
  digest_choice header_digest = digest_choice::right;  // where there is one
  digest_choice data_digest = digest_choice::right;
  bool drop = false;     // it does not leave
  bool twice = false;    // a copy of it leaves before it
  bool respond = false;  // controller: a response capsule of success for `cid` leaves behind it
  // NVMe/TCP: the PDU header, without digest. Loop: SQE or CQE, else empty. May be changed; the
  // fields above are written over it afterwards if they were changed.
  std::span<std::byte> header{};
};

class tamperer {
 public:
  virtual ~tamperer() = default;
  // On the qpair's executor, from within whatever caused it to be sent. Must not call the qpair.
  virtual void on_outgoing(outgoing& o) noexcept = 0;
};

// What may be done to a connection.
enum class misdeed : std::uint8_t {
  terminate,       // a TermReq leaves, though the peer has done nothing; then as after a breach
  reset,           // TCP: RST. What is queued is lost
  half_close,      // nothing more is sent, the peer is told so (FIN), reading goes on
  stop_reading,    // the peer's bytes are left where they are
  resume_reading,  // they are taken again
};

}  // namespace nvmf
