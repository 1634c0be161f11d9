// SPDX-License-Identifier: BSD-2-Clause
// Get Features and Set Features (Base 2.0, 5.15, 5.27): the features a controller has, their values
// and which of them may change. No feature is saveable.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <map>
#include <span>
#include <vector>

#include "identify.hpp"
#include "refusal.hpp"

namespace nvmf::engine {

struct feature_row {
  std::uint8_t fid;
  bool changeable;
  bool per_namespace;
  bool on_discovery;
  std::uint32_t initial;
};
// The features that a controller of that kind has.
const feature_row* find_feature(std::uint8_t fid, controller_kind kind);

class features {
 public:
  explicit features(const controller_config& config);

  struct answer {
    std::uint32_t dw0 = 0;
    std::vector<std::byte> data{};  // to the host
  };
  std::expected<answer, refusal> get(std::span<const std::byte, 64> sqe,
                                     std::span<const namespace_view> namespaces) const;
  // What a Set Features asks the controller to do beyond remembering the value.
  struct change {
    std::uint8_t fid = 0;
    std::uint32_t value = 0;  // as it now stands
    std::uint32_t dw0 = 0;
  };
  // `io_queues`: how many I/O queues exist. Refused commands change nothing.
  std::expected<change, refusal> set(std::span<const std::byte, 64> sqe,
                                     std::span<const namespace_view> namespaces,
                                     std::uint32_t io_queues);
  // All back to their initial values, but for KATO, which belongs to the association.
  void reset();

  std::uint32_t queues_granted() const { return queues_granted_; }  // 0: not asked yet
  std::uint32_t kato_ms() const { return kato_ms_; }
  bool write_cache() const;

 private:
  std::expected<std::uint32_t, refusal> checked(std::uint8_t fid, std::uint32_t cdw11,
                                                std::uint32_t io_queues);
  std::uint32_t value_of(const feature_row& row, std::uint32_t nsid, std::uint32_t cdw11) const;

  const controller_config& config_;
  std::array<std::uint32_t, 16> plain_{};       // features 00h to 0Fh that are one dword
  std::array<std::uint32_t, 2> temperature_{};  // over and under, of the composite temperature
  std::map<std::uint32_t, std::uint32_t> error_recovery_;  // by NSID, those that were set
  std::uint32_t queues_granted_ = 0;
  std::uint32_t kato_ms_ = 0;
};

// KATO as it is granted: rounded up to the granularity that Identify tells (KAS).
std::uint32_t round_kato(std::uint32_t kato_ms);

}  // namespace nvmf::engine
