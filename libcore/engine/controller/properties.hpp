// SPDX-License-Identifier: BSD-2-Clause
// The properties of a controller and what a host may write to them (Base 2.0, 3.1.3, 3.5, 3.6).
// CSTS follows CC once the I/O queues have ended: settle() is told when.
#pragma once

#include <cstdint>
#include <expected>
#include <span>

#include "refusal.hpp"

namespace nvmf::engine {

inline constexpr std::uint32_t version_2_0 = 0x0002'0000;
inline constexpr std::uint8_t ready_timeout = 15;  // CAP.TO, 500 ms units
inline constexpr std::uint32_t page_size = 4096;   // bytes: CAP.MPSMIN and MPSMAX are 0

class properties {
 public:
  // What a write asks for beyond the new value.
  enum class effect : std::uint8_t { none, enable, reset, shutdown };

  // `io`: of an I/O controller; a discovery controller has no I/O queues.
  properties(std::uint32_t max_queue_entries, bool io);

  std::expected<std::uint64_t, refusal> get(std::uint32_t offset, std::uint8_t size_code) const;
  // Refused writes change nothing.
  std::expected<effect, refusal> set(std::uint32_t offset, std::uint8_t size_code,
                                     std::uint64_t value);
  // No I/O queue is left: a reset or shutdown under way is complete. True when it was a reset.
  bool settle();
  void fail();  // CSTS.CFS

  bool enabled() const;    // CC.EN, and no shutdown: commands other than Fabrics are allowed
  bool settling() const;   // a reset or shutdown waits for settle()
  bool shut_down() const;  // SHST is not "normal operation"

 private:
  std::expected<effect, refusal> set_cc(std::uint32_t value);

  const bool io_;
  std::uint64_t cap_ = 0;
  std::uint32_t cc_ = 0;
  std::uint32_t csts_ = 0;
  bool resetting_ = false;
};

}  // namespace nvmf::engine
