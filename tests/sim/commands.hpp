// SPDX-License-Identifier: BSD-2-Clause
// What the hosts of the simulation send, and what a right answer to it is.
#pragma once

#include "host.hpp"

namespace nvmf::sim {

// Of one association: what was told of it, and whether anything may still be.
struct epoch {
  std::uint64_t in_flight = 0;
  bool deliberate = false;  // its user has begun to end it
  bool up_told = false, lost_told = false;
  bool gone = false;  // nothing of it may run any more
};

enum class deed : std::uint8_t {
  read,
  write,
  write_zeroes,
  compare,
  flush,
  disconnect,
  identify_controller,
  identify_namespace,
  get_log_page,
  get_features,
  set_features,
  abort,
};
std::string_view deed_name(deed d);

struct command {
  deed what = deed::flush;
  std::uint64_t id = 0;
  std::shared_ptr<epoch> of;
  std::uint16_t qid = 0;
  test::raw_sqe sqe{};
  direction way = direction::none;
  user_memory* memory = nullptr;  // lives to the end of the run
  std::uint32_t first = 0, count = 0;
  std::vector<std::uint64_t> versions{};  // Compare: of each block

  std::span<std::byte> data() const {
    return memory == nullptr ? std::span<std::byte>{} : memory->data();
  }
};

// The model knows of it from now on; it is to be sent.
std::unique_ptr<command> block_command(scene& in, deed what, std::uint32_t first,
                                       std::uint32_t count);
std::unique_ptr<command> any_block_command(scene& in);
std::unique_ptr<command> any_admin_command(scene& in);
std::unique_ptr<command> disconnect_command(scene& in, std::uint32_t io_queues);

// Tells the model how it ended. Says what is wrong with the answer, if anything. `trusted`: the
// association may be believed.
std::string judge_block_command(scene& in, command& c, const command_result& r, bool trusted);
std::string judge_admin_command(const command& c, const command_result& r,
                                std::span<const std::byte> identify_controller);
// Compare that finds a difference has not failed.
bool found_different(const command& c, const command_result& r);

}  // namespace nvmf::sim
