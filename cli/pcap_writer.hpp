// SPDX-License-Identifier: BSD-2-Clause
// Writes the PDUs that events show to a file for wireshark and tshark: a classic capture of raw
// IPv4 packets (link type 101) with nanoseconds, in which each qpair is a TCP connection to port
// 4420 of its own. Headers are the ones that were there; digests are computed.
#pragma once

#include <chrono>
#include <cstdio>
#include <expected>
#include <map>
#include <memory>
#include <nvmf/event.hpp>
#include <string>
#include <vector>

#include "trace/capture/packet_maker.hpp"

namespace nvmf::cli {

class pcap_writer final : public observer, private trace::made_packet_sink {
 public:
  // The error is a sentence.
  static std::expected<std::unique_ptr<pcap_writer>, std::string> open(const std::string& path);
  ~pcap_writer() override = default;

  void on_event(const event& e) noexcept override;
  // What was written, in a sentence, or what went wrong.
  std::expected<std::string, std::string> finish();

 private:
  struct closer {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  // A header that has come, whose data has not.
  struct arriving {
    std::vector<std::byte> header;
    std::size_t data = 0;
  };
  struct flow {
    trace::packet_maker packets;  // the host is end 0
    bool host_here = true;        // the host's end is the one that emits events
    arriving waits{};
  };

  pcap_writer(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}
  flow& flow_of(const event& e, bool from_host, bool leaves);
  void add_pdu(const event& e, flow& f, bool from_host, std::span<const std::byte> header,
               std::span<const segment> data, std::size_t size, bool digest_good);
  void complete(const event& e, flow& f);
  void on_made(const trace::made_packet& p) override;
  std::int64_t time_of(const event& e) const;
  void write(std::span<const std::byte> bytes);

  std::string path_;
  std::unique_ptr<std::FILE, closer> file_;
  std::chrono::nanoseconds to_wall_{};   // from the clock of events
  std::map<std::uint32_t, flow> flows_;  // by qpair
  std::uint64_t pdus_ = 0;
  int error_ = 0;
};

}  // namespace nvmf::cli
