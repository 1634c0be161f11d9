// SPDX-License-Identifier: BSD-2-Clause
// A network in virtual time between the TCP sessions of a host and of a target. It delays, splits,
// merges and stops bytes as a seed says, keeps them in order as TCP does, holds no more than a
// window of them, and does to PDUs what a plan of faults says.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "support/virtual_executor.hpp"

namespace nvmf::sim {

using octets = std::vector<std::byte>;

// All chance of one run comes from here, so a seed is a run.
class chance {
 public:
  explicit chance(std::uint64_t seed) : engine_(seed) {}
  // [low, high]
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + engine_() % (high - low + 1);
  }
  bool one_in(std::uint64_t n) { return engine_() % n == 0; }
  template <class T>
  T any_of(std::initializer_list<T> list) {
    return *(list.begin() + between(0, list.size() - 1));
  }

 private:
  std::mt19937_64 engine_;
};

enum class fault : std::uint8_t {
  none,
  reset,      // both ends lose the connection, and what is under way
  stall,      // this direction stops for a while, maybe longer than any time limit
  duplicate,  // the PDU comes twice
  wrong_cid,  // the PDU names a command that does not exist
  flip,       // one bit is another; only where a digest covers it
};
inline constexpr fault all_faults[] = {fault::reset, fault::stall, fault::duplicate,
                                       fault::wrong_cid, fault::flip};
std::string_view fault_name(fault f);

struct network_shape {
  duration delay_most{};         // of each piece
  std::size_t window = 1 << 20;  // bytes under way in one direction
  bool bytewise = false;         // now and then pieces of one byte
  bool header_digest = false, data_digest = false;
  std::uint64_t pdus_per_fault = 0;  // one in so many PDUs suffers; 0: none
  std::size_t faults_most = 0;
};

class network {
 public:
  network(test::virtual_time& t, chance& l, network_shape s) : time(t), luck(l), shape(s) {}

  test::virtual_time& time;
  chance& luck;
  network_shape shape;
  bool calm = false;  // no more faults
  // A response, or data that says success, has come twice. When its CID is in use again by then,
  // nothing tells the second from the answer to the new command; and when that was a write, an R2T
  // for it may yet fetch the data of the command after. What this association says is not to be
  // judged any more, and its writes may have gone anywhere among each other.
  bool doubtful = false;
  std::vector<std::string> happened;

  fault next_fault();
};

// One direction of a connection.
class pipe : public std::enable_shared_from_this<pipe> {
 public:
  // `to_host`: the direction of responses.
  pipe(network& of, executor& sender, executor& receiver, bool to_host)
      : of_(of), sender_(sender), receiver_(receiver), to_host_(to_host) {}

  std::function<void()> on_arrival;  // on the receiver's executor: bytes, the end, or a reset
  std::function<void()> on_room;     // on the sender's: the window has opened
  std::function<void()> on_reset;    // on the sender's: the connection is to be lost

  // Sender's side.
  std::size_t room() const {
    return under_way_ < of_.shape.window ? of_.shape.window - under_way_ : 0;
  }
  void send(std::span<const std::byte> bytes);
  void send_end();
  // What is under way is lost, the receiver learns of a reset.
  void lose();

  // Receiver's side: what has arrived and was not taken.
  std::span<const std::byte> arrived() const { return std::span{inbox_}.subspan(taken_); }
  void take(std::size_t n);
  bool ended() const { return ended_ && arrived().empty(); }
  bool was_reset() const { return reset_; }

 private:
  struct piece {
    time_point when;
    octets bytes;
    bool end = false;
  };
  void pdu(octets whole);
  void put(octets bytes, bool end);
  void arm();
  void deliver();

  network& of_;
  executor& sender_;
  executor& receiver_;
  const bool to_host_;
  octets partial_;  // of a PDU that is not whole yet
  std::deque<piece> flight_;
  std::size_t under_way_ = 0;  // sent and not taken
  time_point last_{};
  octets inbox_;
  std::size_t taken_ = 0;
  bool armed_ = false, ended_ = false, reset_ = false;
};

}  // namespace nvmf::sim
