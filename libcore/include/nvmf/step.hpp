// SPDX-License-Identifier: BSD-2-Clause
// A qpair that stands still when told to, moves one action at a time, and shows its inside: what a
// debugger is made of. The calls are those of class qpair (pause, step, break_when, inside, ...).
//
// An action is one of these, each with the callbacks that come of it:
// - one PDU (loop: one message) leaves entirely;
// - one PDU is taken from what has arrived;
// - a callback that is owed runs: one that a call, or an action before the pause, has caused.
//
// While a qpair is paused it does none of them: its connection is neither read nor written, what
// arrives stays where it is (TCP: in the kernel), and no callback of it runs. Calls are accepted,
// and what they cause waits. Time limits of the transport go on (TCP: a connection that has ended
// stays for `linger` at most, though its TermReq has not left); so does, on the loop, the delay of
// messages that have left. Closing a paused qpair ends it as always; misdeeds (tamper.hpp) that end
// it are done at once, but for a TermReq of TCP, which waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "event.hpp"
#include "tamper.hpp"

namespace nvmf {

enum class role : std::uint8_t;
enum class direction : std::uint8_t;

enum class action_kind : std::uint8_t {
  nothing,    // nothing waits to be done
  call_back,  // an owed callback runs
  send,       // a PDU leaves
  receive,    // a PDU is taken
  end,        // the end of the connection is taken: closed, reset, or broken by the peer
};

struct qpair_action {
  action_kind kind = action_kind::nothing;
  // send, receive: what it is. Nothing when that cannot be told: raw bytes, too few bytes of it,
  // no PDU at all.
  std::optional<outgoing_kind> unit{};
  std::uint16_t cid = 0;
  bool has_cid = false;
  // next_action. send: bytes of it that have not left. receive: bytes of it that have arrived, as
  // far as they have been looked at; it is taken once all of it is there.
  // When done: the size of it. Loop: bytes of payload.
  std::size_t bytes = 0;
};

// Why a qpair stands still.
enum class pause_cause : std::uint8_t { asked, stepped, break_point };
struct pause_report {
  pause_cause cause = pause_cause::asked;
  // What was done last: `nothing` when the event of a break point came of a call, and when a step
  // was called off (by pause, resume or close) before it began.
  qpair_action done{};
  event_type event{};  // break_point: what the condition said yes to
};
// Runs on the qpair's executor, in no call and no callback of the qpair, though it is paused.
using pause_callback = std::move_only_function<void(const pause_report&)>;
// Asked about each event of the qpair, as an observer is, before the event's cause is over. Must
// not call the qpair.
using break_condition = std::move_only_function<bool(const event&) noexcept>;

// --- What inside() shows ------------------------------------------------------------------------

struct command_inside {
  std::uint16_t cid = 0;
  std::uint8_t opcode = 0;
  std::uint8_t fctype = 0;   // of Fabrics commands, opcode 7Fh
  direction way{};           // as the SGL or the attached data says
  std::uint32_t length = 0;  // bytes of data in all
  std::uint32_t moved = 0;   // of them, so far
  // Since it was transmitted, or delivered to the controller; known of those that came while
  // somebody watched (an observer, a pause or a break point).
  std::optional<duration> age{};
  std::string_view awaits{};  // what comes next of it, for a person: "a response"
};
// Data that a controller has asked a host for. On the host's side: until it is made into PDUs.
struct r2t_inside {
  std::uint16_t cid = 0;
  std::uint16_t ttag = 0;
  std::uint32_t offset = 0;  // within the command's data
  std::uint32_t length = 0;
  std::uint32_t moved = 0;  // controller: received; host: made into PDUs
};
struct unit_inside {
  std::optional<outgoing_kind> kind{};  // nothing: raw bytes
  std::uint16_t cid = 0;
  std::size_t size = 0;  // of the whole PDU. Loop: of its payload
  std::size_t sent = 0;  // bytes of it that have left
};
struct qpair_inside {
  std::uint32_t id = 0;
  role side{};
  std::uint16_t qid = 0;
  std::uint32_t queue_size = 0;
  bool sq_flow_control = true;
  bool started = false;
  bool over = false;  // nothing is received any more
  bool paused = false;
  bool break_point = false;                // there is a condition
  bool reading = true;                     // false: stop_reading
  std::vector<command_inside> commands{};  // by CID
  std::vector<r2t_inside> r2ts{};
  std::vector<unit_inside> to_send{};  // in the order in which they leave
  std::size_t bytes_to_send = 0;
  std::size_t bytes_of_pdu = 0;   // of the PDU that is half received: bytes that are here
  std::size_t capsules_held = 0;  // handles that the program holds
  std::size_t callbacks_owed = 0;
  qpair_action next{};
};

}  // namespace nvmf
