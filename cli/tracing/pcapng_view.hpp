// SPDX-License-Identifier: BSD-2-Clause
// `--pcapng FILE`: the packets of NVMe connections, with what was understood of them as comments:
// commands, completions, what does not fit together, broken rules.
//
// What is in a packet is told before the packet itself: tracers do that, and whoever makes packets
// (made_packet_sink) gives the connection its bytes first.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "capsule_text.hpp"
#include "line_buffer.hpp"
#include "packet_choice.hpp"
#include "pcapng_file.hpp"
#include "trace/capture/packet_maker.hpp"
#include "trace/rules/violation.hpp"
#include "trace/tracer.hpp"

namespace nvmf::cli {

class pcapng_view final : public trace::listener,
                          public trace::violation_sink,
                          public trace::packet_sink,
                          public trace::made_packet_sink {
 public:
  // Of packets whose flow is not decided yet, of all flows together and of one.
  static constexpr std::size_t held_bytes_max = 4u << 20, held_flows_max = 1024;
  static constexpr std::size_t held_of_flow_max = 64;
  // Of the comments on one packet; what is beyond is counted.
  static constexpr std::size_t comment_bytes_max = 64u << 10;

  // The filter outlives the view.
  static std::expected<std::unique_ptr<pcapng_view>, std::string> create(
      const std::string& path, const trace_filter& filter);

  void on_connection(const trace::connection& c) override;
  void on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) override;
  void on_command(const trace::connection& c, const trace::command& k,
                  const trace::pdu& p) override;
  void on_completion(const trace::connection& c, const trace::command& k,
                     const trace::completion& done, const trace::pdu* by) override;
  void on_notice(const trace::connection& c, const trace::notice& n) override;
  void on_end(const trace::connection& c, const trace::stamp& at, bool closed) override;
  void on_violation(const trace::connection& c, const trace::violation& v) override;
  void on_suspension(const trace::connection& c, const trace::suspension& s) override;
  void on_packet(const trace::packet& p, part of, const trace::flow_key* flow,
                 const trace::packet_place& place) override;
  void on_made(const trace::made_packet& p) override;

  // What is whole leaves, for who reads a pipe.
  void flush() { file_.flush(); }
  std::string trouble() const { return file_.trouble(); }
  std::expected<void, std::string> finish();

  std::uint64_t packets() const { return file_.packets(); }
  std::uint64_t comments() const { return file_.comments(); }
  std::uint64_t left_out() const {
    return left_out_ + (choice_ != nullptr ? choice_->left_out() : 0);
  }
  // By a filter that could not be waited for.
  std::uint64_t hurried() const { return choice_ != nullptr ? choice_->hurried() : 0; }
  const std::string& path() const { return file_.path(); }

 private:
  struct held_packet {
    std::uint16_t link;
    std::uint32_t wire_bytes;
    trace::stamp at;
    std::vector<std::byte> bytes;
    std::vector<packet_comment> comments;  // that it came with
  };
  using held_flow = std::vector<held_packet>;

  pcapng_view(pcapng_file&& file, const trace_filter& filter);
  void begin(const trace::connection& c, std::string_view sign);
  void put(std::uint64_t packet);
  void hold(const trace::packet& p, const trace::flow_key& flow);
  void let_go(held_flow& f);
  void take(const trace::packet& p, const trace::packet_place& place,
            std::vector<packet_comment> comments);
  void write(const pcapng_record& r, std::uint64_t number);
  void write(const waiting_packet& p);
  std::vector<packet_comment> take_comments();
  // Those that it came with, and ours behind them.
  std::vector<packet_comment> all_comments(const trace::packet& p);
  void put_comment(const packet_comment& c, std::uint64_t number);
  void put_comments(std::uint64_t number);

  pcapng_file file_;
  style plain_;
  capsule_text words_;
  line_buffer line_;
  std::vector<packet_comment> comments_;
  std::size_t comment_bytes_ = 0;
  std::uint64_t comments_dropped_ = 0;
  trace::flow_table<held_flow> held_;
  std::size_t held_bytes_ = 0;
  std::uint64_t left_out_ = 0;
  // The numbers in the file of the last packets, by those of the source.
  struct numbers {
    std::uint64_t source = 0, written = 0;
  };
  std::array<numbers, 4096> recent_{};
  std::uint64_t last_ = 0;                 // of the source; 0: it was made
  std::unique_ptr<packet_choice> choice_;  // null: all are written
};

}  // namespace nvmf::cli
