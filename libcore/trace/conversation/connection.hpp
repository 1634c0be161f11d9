// SPDX-License-Identifier: BSD-2-Clause
// One connection, which is one queue: who speaks, what was agreed, which commands are outstanding;
// whatever it is carried by. Bytes of NVMe/TCP come from a TCP flow of a capture; anything else
// that has the bytes of both directions (a proxy, the inside of our own ends) can drive that as
// well.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "command_table.hpp"
#include "framer.hpp"
#include "listener.hpp"
#include "trace/capture/segment.hpp"
#include "trace/stream/tcp_flow.hpp"

namespace nvmf::trace {

// Of all connections together.
struct command_budget {
  std::uint32_t left = 131072;
};

struct conversation_options {
  std::size_t data_bytes = 0;  // of each PDU's data, for who shows them
};

// What the two ends agreed upon, as far as it was seen.
struct agreement {
  bool ic_request = false, ic_response = false;
  std::uint8_t hpda = 0, cpda = 0;
  bool header_digest = false, data_digest = false;  // granted
  std::uint32_t maxr2t = 0, maxh2cdata = 0;

  bool connect = false;  // a Connect was seen
  std::uint16_t qid = 0, sqsize = 0;
  std::uint32_t kato_ms = 0;
  bool no_sq_flow_control = false;
  std::string host_nqn, subsystem_nqn;
  std::array<std::byte, 16> host_id{};
  std::optional<std::uint16_t> cntlid;  // of a Connect that succeeded

  // From Identify Controller, on the admin queue.
  bool identified = false;
  std::uint8_t mdts = 0;
  std::uint32_t ioccsz = 0, iorcsz = 0;
  std::uint16_t maxcmd = 0;
};

struct connection_counts {
  std::uint64_t pdus = 0, commands = 0, completions = 0, failed = 0;
  std::uint64_t bytes[2] = {};  // of data, by way
  std::uint64_t digests_good = 0, digests_bad = 0, digests_unknown = 0;
  std::uint64_t notices = 0;
};

// What carries it.
enum class fabric : std::uint8_t { tcp, rdma, loop };
std::string_view name_of(fabric f);  // "tcp"
// " by RDMA" behind the names of its ends; nothing for TCP.
std::string_view carried_text(fabric f);

class connection {
 public:
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  // An answer may be told before what it answers: packets are missing, and the gap is not told yet.
  void doubt(bool yes) { in_doubt_ = yes; }
  bool in_doubt() const { return in_doubt_; }
  // Who sends that way said that it sends no more (FIN), or that all is over (RST).
  void leave(way sends) {
    if (!left_first_) left_first_ = sends;
  }
  // Who did so first.
  std::optional<way> left_first() const { return left_first_; }
  // All of it is over: what is outstanding has its fate.
  void end(const stamp& at, bool closed);

  fabric carried_by() const { return fabric_; }
  std::uint32_t number() const { return number_; }
  const endpoint& host() const { return host_; }
  const endpoint& controller() const { return controller_; }
  const stamp& begun() const { return begun_; }  // when it was recognised
  const agreement& agreed() const { return agreed_; }
  const connection_counts& counts() const { return counts_; }
  std::size_t outstanding() const { return commands_.size(); }
  std::size_t most_outstanding() const { return commands_.most(); }
  // The queue, when Connect told it or a command gave it away.
  bool queue_known() const { return agreed_.connect || guessed_admin_; }
  bool admin() const { return agreed_.connect ? agreed_.qid == 0 : guessed_admin_; }
  std::uint16_t qid() const { return agreed_.qid; }

 protected:
  connection(fabric by, std::uint32_t number, const endpoint& host, const endpoint& controller,
             const stamp& begun, command_budget& budget, listener& to);
  ~connection() = default;

  void tell(notice_kind kind, way w, const stamp& at, std::uint64_t a = 0,
            const pdu* about = nullptr);
  command* find(std::uint16_t cid) { return commands_.find(cid); }
  // A command came in `p`, with as much of its SQE as was captured: its CID at least.
  void begin_command(byte_span sqe, const pdu& p);
  // How many bytes of data its capsule, or what it reads, are needed for what follows.
  std::size_t wanted_of_command(byte_span sqe) const;
  std::size_t wanted_of_data(const command& c) const;
  // Data of the command has come, from its beginning.
  void learn(const command& c, byte_span data);
  void learn(const command& c, const completion& done);
  void finish(command& c, const completion& done, const pdu* by);

  listener& to_;
  agreement agreed_;
  connection_counts counts_;

 private:
  void take_connect(const command& c, const pdu& p);
  void learn_names(byte_span connect_data);

  fabric fabric_;
  std::uint32_t number_;
  endpoint host_, controller_;
  stamp begun_;
  command_budget& budget_;
  bool guessed_admin_ = false;
  bool in_doubt_ = false;
  std::optional<way> left_first_;
  command_table commands_;
};

class tcp_connection final : public connection, public stream_sink, public pdu_sink {
 public:
  tcp_connection(std::uint32_t number, const endpoint& host, const endpoint& controller,
                 unsigned host_end, const stamp& begun, const conversation_options& options,
                 command_budget& budget, listener& to);

  // Bytes of one end, 0 or 1; `host_end` says which is the host.
  void on_bytes(unsigned from, byte_span bytes, const stamp& at) override;
  void on_absent(unsigned from, std::uint64_t bytes, absence why, const stamp& at) override;
  void on_middle(unsigned from, const stamp& at) override;
  void leave(unsigned from) { connection::leave(way_of(from)); }
  // That direction has ended a PDU, and has not begun the next.
  bool between_pdus(way w) const {
    const framer& f = framers_[static_cast<std::size_t>(w)];
    return !f.searching() && !f.within_pdu();
  }

 private:
  std::size_t data_wanted(const pdu& p) override;
  void on_pdu(const pdu& p) override;
  void on_lost(way w, framing_lost why, const stamp& at) override;
  void on_found(way w, std::uint64_t skipped, const stamp& at) override;

  way way_of(unsigned from) const { return from == host_end_ ? way::to_controller : way::to_host; }
  framer& framer_of(way w) { return framers_[static_cast<std::size_t>(w)]; }
  void check_digests(const pdu& p);
  void initialize(const pdu& p);
  void take_command(const pdu& p);
  void take_r2t(const pdu& p);
  void take_data(const pdu& p);
  void take_response(const pdu& p);
  command* command_of(const pdu& p, std::size_t cid_at);

  unsigned host_end_;
  conversation_options options_;
  std::array<framer, 2> framers_;
};

}  // namespace nvmf::trace
