// SPDX-License-Identifier: BSD-2-Clause
// Finds the active namespaces and what they are like: Identify CNS 02h in pages of 1024, then
// CNS 00h of each (Base 2.0, 5.17.2.2 and NVM 1.0, 4.1.5.1).
#pragma once

#include <cstdint>
#include <vector>

#include "action.hpp"

namespace nvmf::engine {

// More are left out, and that is remarked upon.
inline constexpr std::size_t namespace_limit = 16'384;
inline constexpr std::size_t nsids_per_page = 1024;

class namespace_scan {
 public:
  // Every active namespace. `highest`: NN; NSIDs beyond it are left out.
  explicit namespace_scan(std::uint32_t highest) : highest_(highest) {}
  // Only these, in this order: those that changed. One that is gone is absent from found().
  namespace_scan(std::uint32_t highest, std::vector<std::uint32_t> only);

  action start();
  action on_reply(const reply& got);

  const std::vector<namespace_info>& found() const { return found_; }
  const std::vector<std::uint32_t>& asked() const { return nsids_; }
  const remarks& notes() const { return notes_; }

 private:
  action ask_list(std::uint32_t after);
  action on_list(std::span<const std::byte> data);
  action on_no_list(const reply& got);
  action end_of_list();
  action ask_next();
  void on_namespace(std::span<const std::byte> data);

  std::uint32_t highest_;
  std::vector<std::uint32_t> nsids_;
  std::size_t next_ = 0;  // of nsids_
  std::uint32_t last_listed_ = 0;
  bool listing_ = true;
  bool quiet_ = false;  // inactive namespaces are expected
  send_command sent_;
  std::vector<namespace_info> found_;
  remarks notes_;
  std::size_t beyond_ = 0;    // NSIDs above NN
  std::size_t left_out_ = 0;  // beyond namespace_limit
};

}  // namespace nvmf::engine
