// SPDX-License-Identifier: BSD-2-Clause
// An observer of the wire, who reads the PDUs of all connections himself and holds both ends to
// what the specification says of CIDs and Keep Alive (Base 2.0, 3.9).
#pragma once

#include <map>
#include <optional>
#include <set>

#include "journal.hpp"
#include "pdu.hpp"

namespace nvmf::sim {

class wire_watch {
 public:
  wire_watch(const test::virtual_time& time, journal& log) : time_(time), log_(log) {}

  std::size_t opened() { return ++last_connection_; }
  // By its sender, before the network has done anything to it.
  void sent(std::size_t connection, bool to_host, pdu_view pdu);
  // Its receiver has taken all of it.
  void arrived(std::size_t connection, bool to_host, pdu_view pdu);
  void closed(std::size_t connection, bool by_host);
  // The network has done something to this host: when it sends is not its doing alone.
  void excuse_host_of(std::size_t connection);
  // Plans. When its commands are heard is not to be seen on the wire; its CIDs are wrong on
  // purpose; nothing of it is to be seen any more.
  void untimed(std::size_t connection);
  void wrong_cids(std::size_t connection) { links_[connection].wrong_cids = true; }
  void blind(std::size_t connection);
  // The controller with this CNTLID has been ended by its keep alive timer.
  void expired(std::uint16_t cntlid);
  // Nobody waits for anything any more.
  void at_the_end();

 private:
  struct abort {
    std::uint16_t sqid, cid;
  };
  struct link {
    std::size_t association = 0;  // 0: not known yet
    std::uint16_t qid = 0;
    std::set<std::uint16_t> open;           // CIDs whose answer the host has not got
    std::map<std::uint16_t, abort> aborts;  // by the CID of the Abort
    std::optional<std::uint16_t> connect;   // CID of a Connect that is not answered
    bool excused = false, untimed = false, wrong_cids = false, blind = false;
  };
  // What belongs together: by its admin queue's connection.
  struct association {
    std::chrono::milliseconds kato{};
    std::uint16_t cntlid = 0;
    time_point said{};                // by the host, on any queue
    std::optional<time_point> heard;  // by the controller
    bool ready = false;               // Keep Alive is running: a command after the enable was sent
    bool over = false;                // one of them has closed the admin queue
    bool host_over = false;           // the host has closed a queue: it has given up
    bool excused = false;
    bool untimed = false;
    std::optional<std::uint16_t> keep_alive;  // CID of one that is not answered
    time_point keep_alive_sent{};
  };

  association* of(const link& l);
  void command(std::size_t connection, link& l, pdu_view pdu);
  void host_speaks(association& a);
  void host_waits(association& a);
  void controller_waits(association& a, std::string_view until);
  void join(std::size_t connection, link& l, pdu_view pdu);
  double ms(duration d) const { return std::chrono::duration<double, std::milli>(d).count(); }

  const test::virtual_time& time_;
  journal& log_;
  std::size_t last_connection_ = 0;
  std::map<std::size_t, link> links_;
  std::map<std::size_t, association> associations_;
};

}  // namespace nvmf::sim
