// SPDX-License-Identifier: BSD-2-Clause
// Packets of an interface as they pass, by libpcap. A build without it says so (built_in).
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "trace/tracer.hpp"

namespace nvmf::cli {

struct live_options {
  std::string interface;                  // "any": all of them
  std::vector<std::uint16_t> ports;       // of TCP; empty: all TCP, and RoCEv2
  std::uint64_t buffer_bytes = 64 << 20;  // of the kernel, for packets that were not read yet
};

// Since the beginning. What was dropped was not seen, and is not in `received`.
struct live_counts {
  std::uint64_t received = 0;
  std::uint64_t dropped = 0;               // by the kernel: the buffer was full
  std::uint64_t dropped_by_interface = 0;  // before the kernel could look at them

  friend bool operator==(const live_counts&, const live_counts&) = default;
};

class live_capture {
 public:
  static constexpr std::uint64_t buffer_bytes_min = 1u << 20, buffer_bytes_max = 1u << 30;
  // A packet is shown so soon after it came, when it comes alone.
  static constexpr int quiet_ms = 10;

  // "libpcap version 1.10.3", or empty: this build has none.
  static std::string built_in();
  // The error is what to say after the interface's name: what is missing, and what to do.
  static std::expected<live_capture, std::string> open(const live_options& how);
  live_capture(live_capture&& other) noexcept;
  live_capture& operator=(live_capture&&) = delete;
  ~live_capture();

  // Readable when packets are there; stays that of this object.
  int descriptor() const;
  // Gives the tracer what is there, up to some thousands. How many; the error ends the capture.
  std::expected<std::size_t, std::string> take(trace::tracer& to);
  live_counts counts() const;
  std::string link() const;  // "Ethernet"

 private:
  struct handle;
  explicit live_capture(std::unique_ptr<handle> h);
  std::unique_ptr<handle> handle_;
};

// What of the packets is asked for, in libpcap's language. `vlan`: look into VLANs as well.
std::string live_filter(const std::vector<std::uint16_t>& ports, bool vlan);

}  // namespace nvmf::cli
