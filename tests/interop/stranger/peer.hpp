// SPDX-License-Identifier: BSD-2-Clause
// One connection of librdmacm, used as synchronously as can be. Whatever the system refuses ends
// the program with a sentence.
#pragma once

#include <rdma/rdma_cma.h>

#include <cstdint>
#include <string>
#include <vector>

namespace stranger {

using bytes = std::vector<unsigned char>;
bytes from_hex(const char* text);

struct outcome {
  bool established = false;
  rdma_cm_event_type event{};
  int status = 0;
  bytes private_data{};
  void print() const;  // "rejected, status 28, 01000200"
};

class peer {
 public:
  // Active: a way to that address.
  peer(const char* address, const char* port);
  // Passive: a request that has come.
  peer(rdma_event_channel* on, rdma_cm_id* asked);
  peer(peer&&) = delete;
  ~peer();

  unsigned receives = 0;  // posted before it connects, of 64 KiB each

  outcome connect(const bytes& private_data, int reads);
  // With the queue pair in our hands: it can send, and the other end has not been told so.
  bool respond_by_hand(const bytes& private_data);
  void establish();
  bool accept(const bytes& private_data);
  void reject(const bytes& private_data);

  void send(const bytes& message);
  void send_invalidating(const bytes& message, std::uint32_t key);
  void wait_sent(unsigned count);
  // The first bytes of the next message; false: the queue pair has ended.
  bool receive(bytes& message);
  // Prints what comes, CIDs of responses and the end, until there is an end or so many messages.
  void tell_all(unsigned messages);

 private:
  outcome await(rdma_cm_event_type wanted);
  void make_queue(bool by_hand);
  void post(const bytes& message, ibv_wr_opcode how, std::uint32_t key);
  // Of a completion, 10 s at most. False: none came.
  bool next(ibv_wc& wc);

  rdma_event_channel* channel_;
  rdma_cm_id* id_ = nullptr;
  bool owns_channel_ = true;
  ibv_cq* done_ = nullptr;
  ibv_qp* pair_ = nullptr;
  ibv_mr* region_ = nullptr;
  bytes memory_;
  std::vector<ibv_wc> early_;  // messages that came while something else was awaited
  unsigned sent_ = 0, sends_ = 0;
};

class listening {
 public:
  listening(const char* address, const char* port);
  peer next();

 private:
  rdma_event_channel* channel_;
  rdma_cm_id* id_ = nullptr;
};

}  // namespace stranger
