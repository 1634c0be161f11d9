// SPDX-License-Identifier: BSD-2-Clause
// What a page of `trace --html` is made from: plain records, in the order of what happened.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trace/conversation/connection.hpp"
#include "wire/layout.hpp"

namespace nvmf::cli {

// Texts that many PDUs share, each kept once.
class text_pool {
 public:
  std::uint32_t add(std::string_view text);
  std::string_view operator[](std::uint32_t number) const;
  std::size_t size() const { return ends_.size(); }
  std::size_t bytes() const { return bytes_.size(); }

 private:
  void grow();
  std::size_t home(std::string_view text) const;

  static constexpr std::uint32_t none = ~std::uint32_t{0};
  std::string bytes_;
  std::vector<std::size_t> ends_;
  std::vector<std::uint32_t> index_ = std::vector<std::uint32_t>(1024, none);
};

struct html_pdu {
  std::uint64_t sequence = 0;  // among all that was seen, from 1
  std::int64_t ns = 0;         // its last byte
  float took_ns = 0;           // from its first byte
  std::uint32_t command = 0;   // an index and one; 0: none
  std::uint32_t text = 0;
  std::uint32_t frame = 0;
  std::uint32_t plen = 0;
  std::uint32_t data_bytes = 0;
  std::uint16_t connection = 0;  // an index
  std::uint8_t type = 0;
  std::uint8_t to_host = 0;
  std::uint8_t digests = 0;  // trace::digest_state of the header, and four bits up of the data
};

// Times that a command does not have are not numbers.
struct html_command {
  static constexpr float no_time = std::numeric_limits<float>::quiet_NaN();
  std::int64_t sent_ns = 0;
  float latency_ns = no_time, to_r2t_ns = no_time, to_data_ns = no_time, data_ns = no_time,
        to_end_ns = no_time;
  std::uint32_t status = 0;  // a text
  std::uint32_t name = 0;    // a text
  std::uint32_t form = 0;    // of its SQE, an index of `forms`
  std::uint64_t bytes = 0;
  std::uint16_t connection = 0;
  std::uint16_t cid = 0;
  std::uint8_t fate = static_cast<std::uint8_t>(trace::fate::left);
  std::uint8_t failed = 0;
};

struct html_connection {
  std::uint32_t number = 0;
  std::string host = {}, controller = {};
  std::optional<std::uint16_t> qid = {};
  trace::agreement agreed = {};
  trace::connection_counts counts = {};
  std::size_t depth = 0;
  bool closed = false;
};

// A broken rule, or what a trace has to say besides.
struct html_finding {
  std::string severity = {}, rule = {}, by = {}, text = {}, section = {};
  std::uint16_t connection = 0;
  std::optional<std::uint16_t> cid = {};
  std::uint64_t sequence = 0;  // of the PDU that shows it; 0: none
  std::int64_t ns = 0;
  std::uint64_t frame = 0;
};

struct html_records {
  std::vector<html_pdu> pdus;  // by sequence
  std::vector<html_command> commands;
  std::vector<html_connection> connections;
  std::vector<html_finding> findings;
  std::vector<const wire::layout*> forms;
  text_pool texts;
  // Of what a page has room for no more.
  std::uint64_t pdus_left_out = 0, findings_left_out = 0, connections_left_out = 0;
};

// What is missing from the page, as a sentence; empty when nothing is.
std::string left_out_text(const html_records& records);

}  // namespace nvmf::cli
