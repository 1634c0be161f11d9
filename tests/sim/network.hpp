// SPDX-License-Identifier: BSD-2-Clause
// A network in virtual time between the TCP sessions of hosts and of a target. It delays, splits,
// merges and stops bytes as a seed says, keeps them in order as TCP does, holds no more than a
// window of them, and does to PDUs the faults that faults.hpp chooses.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nvmf/qpair.hpp>
#include <vector>

#include "faults.hpp"
#include "journal.hpp"
#include "pdu.hpp"
#include "sabotage.hpp"
#include "watch.hpp"

namespace nvmf::sim {

struct network_shape {
  duration delay_most{};         // of each piece
  std::size_t window = 1 << 20;  // bytes under way in one direction
  bool bytewise = false;         // now and then pieces of one byte
  bool splits = true;            // pieces come apart on their way
  fault_plan faults;
};

// What the network does to one host.
struct host_luck {
  const executor* on = nullptr;
  std::uint64_t faults = 0;  // since somebody set it to 0
  // A response, or data that says success, has come twice. When its CID is in use again by then,
  // nothing tells the second from the answer to the new command; and when that was a write, an R2T
  // for it may yet fetch the data of the command after. What this association says is not to be
  // judged any more, and its writes may have gone anywhere among each other.
  bool doubtful = false;
  bool cut = false;                 // a plan lets success come with less data than was asked for
  std::vector<nvme_status> told{};  // statuses that a plan has given to its commands
};

class pipe;

// An end of a connection, for those who know only the number of its qpair.
struct network_end {
  role side{};
  host_luck* host = nullptr;
  std::size_t connection = 0;
  std::weak_ptr<pipe> in{}, out{};
};

class network {
 public:
  network(test::virtual_time& t, chance& l, journal& j, wire_watch& w, saboteur& b, network_shape s)
      : time(t), luck(l), log(j), watch(w), sabotage(b), shape(s), faults(l, s.faults) {}

  test::virtual_time& time;
  chance& luck;
  journal& log;
  wire_watch& watch;
  saboteur& sabotage;
  network_shape shape;
  fault_source faults;
  std::deque<host_luck> hosts;  // addresses stay

  // A plan has let a controller stop reading for ever: it does not learn that its host has gone.
  bool deaf_controllers = false;
  std::map<std::uint32_t, network_end> ends;  // by the number of the qpair

  // Whoever has this decides what becomes of a PDU, instead of the faults and unseen by the watch.
  std::function<void(pipe&, octets)> meddler;

  host_luck& host_on(const executor& on);
};

// One direction of a connection.
class pipe : public std::enable_shared_from_this<pipe> {
 public:
  // `to_host`: the direction of responses.
  pipe(network& of, std::size_t connection, executor& sender, executor& receiver, bool to_host)
      : of_(of),
        connection_(connection),
        sender_(sender),
        receiver_(receiver),
        to_host_(to_host),
        host_(of.host_on(to_host ? receiver : sender)) {}

  std::function<void()> on_arrival;  // on the receiver's executor: bytes, the end, or a reset
  std::function<void()> on_room;     // on the sender's: the window has opened
  std::function<void()> on_reset;    // on the sender's: the connection is to be lost

  // Sender's side.
  std::size_t room() const {
    return under_way_ < of_.shape.window ? of_.shape.window - under_way_ : 0;
  }
  void send(std::span<const std::byte> bytes);
  void send_end();
  // As it is.
  void put(octets bytes, bool end);
  bool to_host() const { return to_host_; }
  // What is under way is lost, the receiver learns of a reset. `by_sender`: it was its wish.
  void lose(bool by_sender);

  // Receiver's side: what has arrived and was not taken.
  std::span<const std::byte> arrived() const { return std::span{inbox_}.subspan(taken_); }
  void take(std::size_t n);
  bool ended() const { return ended_ && arrived().empty(); }
  bool was_reset() const { return reset_; }

  // What is sent from now on is bytes, of which nobody knows where a PDU ends.
  void no_more_pdus();
  std::size_t connection() const { return connection_; }
  host_luck& host() const { return host_; }

 private:
  struct piece {
    time_point when;
    octets bytes;
    bool end = false;
  };
  void pdu(octets whole);
  void suffer(fault f, octets& whole);
  void flip(octets& whole, std::size_t from, std::size_t to);
  void fall_silent();
  void arm();
  void deliver();
  void told_closed();

  network& of_;
  const std::size_t connection_;
  executor& sender_;
  executor& receiver_;
  const bool to_host_;
  host_luck& host_;
  pdu_stream outgoing_, incoming_;
  std::deque<piece> flight_;
  std::size_t under_way_ = 0;  // sent and not taken
  time_point last_{};
  octets inbox_;
  std::size_t taken_ = 0;
  bool armed_ = false, ended_ = false, reset_ = false;
  bool dead_ = false;  // what is sent from now on arrives nowhere
  bool told_closed_ = false;
  bool only_bytes_ = false;
};

}  // namespace nvmf::sim
