// SPDX-License-Identifier: BSD-2-Clause
// The rules of one connection, which is one queue: a state machine beside that of the conversation,
// which follows everybody, while this one knows what everybody may do.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "controller_facts.hpp"
#include "rdma_ledger.hpp"
#include "trace/conversation/connection.hpp"
#include "transfers.hpp"
#include "violation.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/tables.hpp"

namespace nvmf::trace {

inline bool is_fabrics(const command& k) { return k.opcode() == wire::fabrics_opcode; }
inline bool is_fabrics(const command& k, wire::fabrics_type type) {
  return is_fabrics(k) && k.fctype() == static_cast<std::uint8_t>(type);
}
inline wire::byte_span sgl1_of(const command& k) {
  return wire::bytes_of<wire::sqe_layout, "sgl1">(wire::byte_span{k.sqe});
}

class queue_checker {
 public:
  queue_checker(controllers& all, violation_sink& to) : controllers_(all), to_(to) {}

  // As listener is told.
  void on_pdu(const connection& c, const pdu& p, const command* of);
  void on_completion(const connection& c, const command& k, const completion& done);
  void on_notice(const connection& c, const notice& n);
  void on_end(const connection& c, const stamp& at, bool closed);

  std::size_t open_r2ts() const { return r2ts_.size(); }

 private:
  // Of one direction.
  struct half {
    std::uint64_t pdus = 0;
    bool termreq = false;
    std::uint32_t doubtful =
        0;  // PDUs that have to look right before one that does not is believed
    bool begins_within = false;
    std::uint32_t broken = 0;      // rules, notes aside
    std::uint32_t broken_fes = 0;  // what a TermReq for one of them may say
    // The last that it broke, and how many PDUs had come from the other side by then.
    std::optional<rule> last_broken;
    std::uint64_t answered = 0;
    // Common headers that were found right: what is said of them stays so.
    std::array<std::uint64_t, 8> right = {};
  };
  // What judged a PDU: where it is reported.
  struct place {
    const connection& on;
    const pdu& p;
    std::optional<std::uint16_t> cid = std::nullopt;
  };
  half& half_of(way w) { return halves_[static_cast<std::size_t>(w)]; }

  void report(const place& at, rule id, std::string_view field, std::optional<std::uint64_t> seen,
              const bound& allowed);
  void report(const connection& c, violation v);
  void suspend(const connection& c, gap why, way w, const stamp& at);
  bool whole() const { return whole_; }  // all of the connection was seen
  bool knows(const command* of) const {
    return of == nullptr ? whole_ : transfer_of(*of) != nullptr;
  }
  const transfer* transfer_of(const command& k) const;
  transfer* transfer_of(const command& k) {
    return const_cast<transfer*>(std::as_const(*this).transfer_of(k));
  }

  void judge(const connection& c, const pdu& p, const command* of);
  // Order and header. False when what the PDU says cannot be believed.
  bool check_frame(const place& at);

  // pdu_rules.cpp: false when what the PDU says cannot be believed.
  bool check_header(const place& at);
  bool check_lengths(const place& at, std::uint32_t form_bytes);
  void check_data_offset(const place& at);
  void check_digest_use(const place& at);
  void check_reserved(const place& at);
  void check_private_reserved(const place& at);
  bool check_digests(const place& at);
  // setup_rules.cpp
  void check_order(const place& at);
  void take_icreq(const place& at);
  void take_icresp(const place& at);
  void take_termreq(const place& at);
  // command_rules.cpp
  void take_command(const place& at, const command& k);
  void check_queue(const place& at, const command& k);
  void check_sgl(const place& at, const command& k, const transfer& t);
  void check_sgl_length(const place& at, const command& k, const transfer& t);
  void check_limits(const place& at, const command& k, const transfer& t);
  void check_alive(const connection& c, const stamp& at, const pdu* p, const command* k);
  // connect_rules.cpp
  void take_connect(const place& at, const command& k);
  void take_connect_data(const place& at);
  void check_connect_data(const place& at);
  void join_controller(const place& at);
  void take_connect_response(const place& at, const command& k);
  void learn(const connection& c, const command& k, const completion& done);
  // transfer_rules.cpp
  void take_r2t(const place& at, const command* of);
  void check_r2t_range(const place& at, transfer& t, std::uint64_t begin, std::uint64_t end);
  void take_h2c(const place& at, const command* of);
  void take_c2h(const place& at, const command* of);
  void learn_data(const place& at, const command& k);
  void check_datal(const place& at);
  void check_ending(const connection& c, const stamp& at);
  // response_rules.cpp
  void take_response(const place& at, const command* of);
  void check_data_sent(const place& at, const command& k, const transfer& t);
  void check_unknown_response(const place& at);
  void check_entry(const place& at, const command* of);
  void check_sqhd(const place& at, const command& k, const transfer& t);
  // rdma_rules.cpp: what is told by capsules and data; PDUs are made up.
  void judge_capsules(const place& at, const command* of);
  void flush_waiting(const connection& c, side by);
  void take_private_data(const place& at);
  void take_cm_request(const place& at);
  void take_reject(const place& at);
  void check_private_data(const place& at);
  void check_private_cntlid(const place& at);
  void take_keys(const place& at, const command& k, transfer& t);
  void check_rdma_sgl(const place& at, const command& k, const transfer& t);
  void check_rdma_capsule(const place& at, const command& k);
  // rdma_data_rules.cpp
  void take_write(const place& at, const command* of);
  void take_read(const place& at, const command* of);
  void take_read_answer(const place& at, const command* of);
  void check_key(const place& at);
  void check_memory(const place& at, const command& k, std::uint64_t bytes);
  void check_rdma_response(const place& at, const command& k, const transfer& t);
  void finish_rdma(const command& k, const completion& done);

  controllers& controllers_;
  violation_sink& to_;
  std::array<half, 2> halves_;
  bool whole_ = true;
  bool suspended_ = false;
  bool doubted_ = false;       // by the PDU that is judged
  std::uint64_t reports_ = 0;  // also those that were not believed
  std::uint32_t epoch_ = 0;

  struct setup {
    bool request = false, response = false;
    std::uint8_t alignment[2] = {};  // of PDUs to the controller (CPDA), to the host (HPDA)
    std::uint8_t asked = 0, granted = 0;
    std::uint32_t maxr2t = 0, maxh2cdata = 0;
  } setup_;

  struct queue {
    bool asked = false, connected = false;
    std::uint16_t qid = 0, sqsize = 0;
    bool no_flow_control_asked = false, flow_control = true;
    bool counted = false;  // Connect was its first command
  } queue_;
  std::uint64_t sent_ = 0, completed_ = 0;
  std::uint32_t aers_ = 0;
  std::shared_ptr<controller_facts> facts_;

  std::vector<transfer> transfers_;  // by slot
  r2t_ledger r2ts_;
  finished_cids finished_;
  std::unique_ptr<rdma_ledger> rdma_;  // over RDMA only
};

}  // namespace nvmf::trace
