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
#include "trace/conversation/connection.hpp"
#include "transfers.hpp"
#include "violation.hpp"

namespace nvmf::trace {

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

  // pdu_rules.cpp: false when what the PDU says cannot be believed.
  bool check_header(const place& at);
  bool check_lengths(const place& at, std::uint32_t form_bytes);
  void check_data_offset(const place& at);
  void check_digest_use(const place& at);
  void check_reserved(const place& at);
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
  void check_limits(const place& at, const command& k, const transfer& t);
  void check_alive(const connection& c, const stamp& at, const pdu* p, const command* k);
  // connect_rules.cpp
  void take_connect(const place& at, const command& k);
  void check_connect_data(const place& at, const command& k);
  void join_controller(const place& at);
  void take_connect_response(const place& at, const command& k);
  void learn(const connection& c, const command& k, const completion& done);
  // transfer_rules.cpp
  void take_r2t(const place& at, const command* of);
  void check_r2t_range(const place& at, transfer& t, std::uint64_t begin, std::uint64_t end);
  void take_h2c(const place& at, const command* of);
  void take_c2h(const place& at, const command* of);
  void check_datal(const place& at);
  void check_ending(const connection& c, const stamp& at);
  // response_rules.cpp
  void take_response(const place& at, const command* of);
  void check_unknown_response(const place& at);
  void check_sqhd(const place& at, const command& k, const transfer& t);

  controllers& controllers_;
  violation_sink& to_;
  std::array<half, 2> halves_;
  bool whole_ = true;
  bool suspended_ = false;
  bool doubted_ = false;  // by the PDU that is judged
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
};

}  // namespace nvmf::trace
