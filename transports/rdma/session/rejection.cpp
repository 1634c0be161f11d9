// SPDX-License-Identifier: BSD-2-Clause
#include "rejection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace nvmf::rdma {
namespace {

// Reasons of a REJ message (InfiniBand Architecture Specification 1.4, 12.6.7.2).
constexpr int invalid_service_id = 8, consumer_reject = 28;

std::string_view reason_name(int reason) {
  switch (reason) {
    case 1:
      return "no queue pair available";
    case 3:
      return "no resources available";
    case 4:
      return "it waited too long for an answer";
    case 5:
      return "unsupported request";
    case 9:
      return "invalid transport service type";
    case 10:
      return "stale connection: it has not forgotten one from before";
    case 12:
    case 13:
      return "the address is none of its own";
    case 24:
    case 25:
      return "redirected";
    case 26:
      return "invalid path MTU";
    case 27:
      return "insufficient responder resources";
    case 29:
      return "receiver not ready, too often";
    case 30:
      return "duplicate local communication ID";
    default:
      return "the request cannot be taken";
  }
}

class rejection_texts final : public std::error_category {
 public:
  const char* name() const noexcept override { return "rdma"; }
  std::string message(int status) const override {
    if (status < 0) return "the peer refused without saying why, or broke off while connecting";
    return fmt::format("the connection manager there refuses: {} (reason {})", reason_name(status),
                       status);
  }
};

}  // namespace

std::error_code rejection_error(int status) {
  static const rejection_texts texts;
  return {status, texts};
}

rejection read_rejection(int status, std::span<const std::byte> private_data) {
  // InfiniBand's message has room for private data whether somebody gave any or not.
  const bool blank =
      std::ranges::all_of(private_data, [](std::byte b) { return b == std::byte{}; });
  if (status < 0) {
    if (!private_data.empty()) return {.by = cm_refusal::listener, .private_data = private_data};
    if (status == -ECONNREFUSED) return {.by = cm_refusal::nobody};
    // A refusal without private data and a connection that breaks have the same number.
    return {.by = cm_refusal::way, .error = rejection_error(status)};
  }
  if (status == invalid_service_id) return {.by = cm_refusal::nobody};
  if (status != consumer_reject) return {.by = cm_refusal::way, .error = rejection_error(status)};
  return {.by = cm_refusal::listener,
          .private_data = blank ? std::span<const std::byte>{} : private_data};
}

}  // namespace nvmf::rdma
