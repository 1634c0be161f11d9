// SPDX-License-Identifier: BSD-2-Clause
// A build without libpcap: what can be asked of it, and nothing that could be opened.
#include "tracing/live_capture.hpp"

namespace nvmf::cli {

struct live_capture::handle {};

live_capture::live_capture(std::unique_ptr<handle> h) : handle_(std::move(h)) {}
live_capture::live_capture(live_capture&& other) noexcept = default;
live_capture::~live_capture() = default;

std::string live_capture::built_in() { return {}; }
std::expected<live_capture, std::string> live_capture::open(const live_options&) {
  return std::unexpected(std::string{
      "cannot be captured from: this nvmfctl was built without libpcap. tcpdump -i IFACE "
      "-U -w - | nvmfctl trace - does the same"});
}
int live_capture::descriptor() const { return -1; }
std::string live_capture::link() const { return {}; }
std::expected<std::size_t, std::string> live_capture::take(trace::tracer&) { return 0; }
live_counts live_capture::counts() const { return {}; }

}  // namespace nvmf::cli
