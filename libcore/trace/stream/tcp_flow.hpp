// SPDX-License-Identifier: BSD-2-Clause
// Both directions of one TCP connection as somebody in the middle sees them: in order, once, and
// with the places named where bytes are missing. What arrives in order is passed on as it lies.
//
// While one direction waits for a hole to be filled, what arrives in the other waits as well, so
// that who listens sees an answer after its question. The wait ends when the hole is filled, when
// its receiver has said that it has those bytes (then the capture lost them, not the network), and
// when more is held than the limits allow.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "trace/capture/segment.hpp"

namespace nvmf::trace {

enum class absence : std::uint8_t {
  lost,  // no packet of the capture has them
  cut,   // the snap length cut them off
};

class stream_sink {
 public:
  virtual ~stream_sink() = default;
  // The next bytes of a direction. Borrowed.
  virtual void on_bytes(unsigned from, byte_span bytes, const stamp& at) = 0;
  // So many bytes of a direction stood here and are not in the capture.
  virtual void on_absent(unsigned from, std::uint64_t bytes, absence why, const stamp& at) = 0;
  // The capture begins within this direction, or jumped: nobody knows where a unit begins.
  virtual void on_middle(unsigned from, const stamp& at) = 0;
};

// For all flows together.
struct held_budget {
  std::size_t bytes = 16u << 20;
};

struct flow_counts {
  std::uint64_t sent_again = 0;    // segments that brought nothing new
  std::uint64_t out_of_order = 0;  // segments that were held
  std::uint64_t given_up = 0;      // holes that were never filled
};

class tcp_flow {
 public:
  static constexpr std::size_t held_segments_max = 1024;
  static constexpr std::size_t held_bytes_max = 4u << 20;
  // Packets of the flow after its receiver has confirmed a hole: capture programs that read several
  // rings put packets out of order, but not by so many.
  static constexpr unsigned patience = 16;

  void take(const segment& s, const stamp& at, held_budget& budget, stream_sink& to);
  // No more packets will come: holes are given up.
  void finish(held_budget& budget, stream_sink& to);
  // Lets go of what is held, silently.
  void clear(held_budget& budget);

  // A SYN that begins another connection between the same ends.
  bool is_new(const segment& s) const;
  // Is something waited for, or, as `s` says, has an end received what was not seen?
  bool incomplete(const segment& s) const;
  // For what stands before something that has come.
  bool is_waiting() const { return !held_.empty(); }
  bool begun(unsigned from) const { return halves_[from].begun; }
  const flow_counts& counts() const { return counts_; }

 private:
  struct half {
    bool begun = false;
    bool acknowledging = false;
    std::uint32_t first = 0;  // sequence number of the SYN
    bool has_first = false;
    bool fin = false;
    std::uint32_t fin_at = 0;        // its sequence number
    std::uint32_t next = 0;          // sequence number of the byte that is due
    std::uint32_t acknowledged = 0;  // by the other end, of this direction
  };
  struct held {
    std::uint8_t from;
    std::uint32_t sequence;
    std::uint32_t bytes;  // on the wire
    std::size_t charged;  // to the budget
    stamp at;
    std::vector<std::byte> captured;
  };

  void begin(const segment& s, const stamp& at, stream_sink& to);
  void pass(unsigned from, std::uint32_t sequence, byte_span captured, std::uint32_t bytes,
            const stamp& at, stream_sink& to);
  void hold(const segment& s, const stamp& at, held_budget& budget);
  bool drain_one(stream_sink& to, held_budget& budget);
  void drain(stream_sink& to, held_budget& budget);
  void give_up(stream_sink& to, held_budget& budget);
  bool confirmed() const;
  held let_go(std::size_t index, held_budget& budget);

  std::array<half, 2> halves_;
  std::vector<held> held_;  // in the order of arrival
  std::size_t held_bytes_ = 0;
  unsigned since_confirmed_ = 0;
  flow_counts counts_;
};

}  // namespace nvmf::trace
