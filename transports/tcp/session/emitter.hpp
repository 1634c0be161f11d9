// SPDX-License-Identifier: BSD-2-Clause
// Tells the observer of a connection what happens on it. Without one each call costs a branch.
#pragma once

#include <nvmf/event.hpp>

#include "memory.hpp"
#include "pdu_check.hpp"

namespace nvmf::tcp {

class emitter {
 public:
  emitter() = default;
  emitter(observer* to, const executor* on, std::uint32_t qpair) : on_(on), qpair_(qpair) {
    redirect(to);
  }

  bool on() const { return to_ != nullptr; }
  bool on(event_type type) const { return (wanted_ & set_of(type)) != 0; }
  void redirect(observer* to) {
    to_ = to;
    wanted_ = to != nullptr ? to->wanted_with_pdus() : 0;
  }
  // When the last event was told; asking the clock costs as much as all the rest.
  time_point last() const { return last_; }
  void set_qid(std::uint16_t qid) { qid_ = qid; }

  void pdu_out(const tx_pdu& pdu) {
    if (on(event_type::pdu_out)) tell_pdu_out(pdu);
  }
  void pdu_in(const pdu_shape& shape, std::span<const std::byte> header) {
    if (on(event_type::pdu_in)) tell_header(event_type::pdu_in, header, shape.data);
  }
  void pdu_in_data(const pdu_shape& shape, std::span<const std::byte> header, const memdesc& data,
                   bool digest_good) {
    if (on(event_type::pdu_in_data)) tell_data_in(shape, header, data, digest_good);
  }
  // SQE or CQE going by.
  void entry(event_type type, std::uint16_t cid, std::span<const std::byte> entry,
             std::uint64_t a = 0, std::uint64_t b = 0) {
    if (on(type))
      tell({.type = type, .cid = cid, .has_cid = true, .header = entry, .a = a, .b = b});
  }
  void data_callback(std::uint16_t cid, std::size_t bytes, std::error_code error) {
    if (on(event_type::data_callback))
      tell({.type = event_type::data_callback,
            .cid = cid,
            .has_cid = true,
            .a = bytes,
            .error = error});
  }
  void count(event_type type, std::uint64_t a) {
    if (on(type)) tell({.type = type, .a = a});
  }
  void text(event_type type, std::string_view text, std::uint64_t a = 0, std::uint64_t b = 0,
            std::error_code error = {}) {
    if (on(type)) tell({.type = type, .a = a, .b = b, .error = error, .text = text});
  }
  void raw_out(std::span<const segment> data, std::uint64_t size) {
    if (on(event_type::raw_out)) tell({.type = event_type::raw_out, .data = data, .a = size});
  }
  void violation(const protocol_error& error, std::span<const std::byte> header) {
    if (on(event_type::violation))
      tell({.type = event_type::violation,
            .header = header,
            .a = error.fes,
            .b = error.fei,
            .text = error.reason});
  }

 private:
  void tell(event e) {
    e.at = last_ = on_->now();
    e.qpair = qpair_;
    e.qid = qid_;
    to_->on_event(e);
  }
  void tell_pdu_out(const tx_pdu& pdu);
  void tell_header(event_type type, std::span<const std::byte> header, std::uint64_t data);
  void tell_data_in(const pdu_shape& shape, std::span<const std::byte> header, const memdesc& data,
                    bool digest_good);

  observer* to_ = nullptr;
  const executor* on_ = nullptr;
  std::uint32_t qpair_ = 0;
  std::uint16_t qid_ = 0;
  event_set wanted_ = 0;
  time_point last_{};
};

}  // namespace nvmf::tcp
