// SPDX-License-Identifier: BSD-2-Clause
// `--pcapng FILE --filter ...`: which packets are written. Those of what the filter shows, and the
// beginning of its connection up to the answer to its Connect, without which nobody else could read
// them.
//
// Packets are kept in runs: from one place where a direction is between two PDUs to the next. A run
// is written whole or not at all, so that every packet of the file that begins with a header in the
// capture begins with one there. What is of one connection is written in its order; a packet whose
// fate waits for the end of a command holds up those behind it.
#pragma once

#include <array>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "filter.hpp"
#include "trace/conversation/packet_place.hpp"

namespace nvmf::cli {

struct packet_comment {
  std::uint64_t packet;  // that it is about, as the source counts
  std::string text;
};

struct waiting_packet {
  std::uint16_t link = 0;
  bool made = false;
  std::uint32_t wire_bytes = 0;
  trace::stamp at = {};
  std::vector<std::byte> bytes = {};
  std::vector<packet_comment> comments = {};
};

class packet_choice {
 public:
  // Of all that waits. Beyond, what waits longest for the end of its command is written, although
  // it may not fit, and what only waits for the end of its run is not.
  static constexpr std::size_t waiting_bytes_max = 32u << 20;
  // Of the beginning of a connection, and of what is noted for one command.
  static constexpr std::size_t beginning_packets_max = 64;
  static constexpr std::size_t notes_max = 4096;

  using writer = std::function<void(const waiting_packet&)>;

  // The filter outlives it.
  packet_choice(const trace_filter& filter, writer write, std::size_t bytes = waiting_bytes_max)
      : filter_(filter), write_(std::move(write)), bytes_max_(bytes) {}

  void on_connection(const trace::connection& c);
  void on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of);
  void on_command(const trace::connection& c, const trace::command& k);
  void on_completion(const trace::connection& c, const trace::command& k,
                     const trace::completion& done);
  void on_notice(const trace::connection& c, const trace::notice& n);
  void on_violation(const trace::connection& c, const trace::violation& v);
  void on_end(const trace::connection& c, bool closed);

  // After what is in it has been told.
  void take(const trace::packet_place& place, waiting_packet packet);
  // The traffic is over: what is left is not written.
  void finish();

  std::uint64_t left_out() const { return left_out_; }
  // Packets that were written, or not, because there was no room to wait.
  std::uint64_t hurried() const { return hurried_; }

 private:
  struct entry;
  using queue = std::list<entry>;
  struct run {
    bool open = true;
    bool kept = false;
    std::uint32_t waits = 0;               // for so many ends of commands
    std::vector<queue::iterator> entries;  // that wait, while it is not kept
    bool decided() const { return kept || (!open && waits == 0); }
  };
  struct entry {
    std::shared_ptr<run> of;
    waiting_packet packet;
    std::size_t charged = 0;
  };
  struct note {
    std::uint8_t pdu;
    std::shared_ptr<run> of;
  };
  struct conversation {
    bool kept = false;  // something of it
    bool beginning = true, beginning_ends = false;
    std::vector<waiting_packet> first;
    queue packets;
    std::array<std::shared_ptr<run>, 2> current;          // by way
    std::shared_ptr<run> ends = std::make_shared<run>();  // of packets that only end it
    std::vector<std::vector<note>> notes;                 // by slot of the command
    std::size_t bytes = 0;
  };

  conversation* find(std::uint32_t number);
  std::shared_ptr<run>& current(conversation& v, trace::way w);
  void keep(conversation& v, run* r);
  void let_go(conversation& v, run& r);
  void close(conversation& v, std::shared_ptr<run>& r);
  void drain(conversation& v);
  void push(conversation& v, const std::shared_ptr<run>& r, waiting_packet packet);
  void make_room(conversation& v);
  void hurry(conversation& v);
  void forget(std::uint32_t number);

  const trace_filter& filter_;
  writer write_;
  std::size_t bytes_max_;
  std::unordered_map<std::uint32_t, conversation> all_;  // by number of the connection
  std::vector<std::uint32_t> ending_;                    // whose last packet comes now
  std::size_t bytes_ = 0;
  std::uint64_t left_out_ = 0, hurried_ = 0;
};

}  // namespace nvmf::cli
