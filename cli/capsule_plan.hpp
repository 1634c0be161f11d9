// SPDX-License-Identifier: BSD-2-Clause
// From words to a command: its SQE, the queue it goes to, the data that goes with it. Any opcode
// and any field value can be sent; what is not said gets the value that makes the command work.
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <functional>
#include <iosfwd>
#include <nvmf/qpair.hpp>
#include <optional>
#include <string>
#include <vector>

#include "wire/commands.hpp"
#include "wire/layout.hpp"

namespace nvmf::cli {

// What the person typed.
struct capsule_request {
  std::string command;              // may be empty when `sqe` is given
  std::vector<std::string> fields;  // "slba=0x1000", "data.subnqn=..."
  std::string sqe;                  // 64 bytes in hexadecimal to begin with, or empty
  std::optional<std::uint16_t> qid;
  std::string send;                                 // FILE, "-", "hex:0011", "fill:0xab", or empty
  std::optional<std::vector<std::byte>> content{};  // to send, in place of `send`
  std::optional<std::uint64_t> receive;             // bytes
  std::uint32_t nsid = 0;                           // of the address; 0: not told
  // What Connect says of itself where data.FIELD does not: "subnqn=nqn...", "hostid=..."
  std::vector<std::string> connect_data;
};

// The block size of a namespace that is there. An empty function: there is no connection to ask.
using block_size_of = std::function<std::optional<std::uint32_t>(std::uint32_t nsid)>;

struct capsule_plan {
  std::array<std::byte, 64> sqe{};
  wire::command_info command;
  bool admin = true;  // an admin or Fabrics command of the admin queue
  std::uint16_t qid = 0;
  direction way = direction::none;
  std::vector<std::byte> data;  // to send; or room to receive into
  bool length_known = true;     // false: without a connection blocks have no size

  const wire::layout& form() const;       // of the SQE
  const wire::layout* data_form() const;  // nullptr: user data, or none
};

inline constexpr std::uint64_t capsule_data_max = std::uint64_t{1} << 30;  // bytes

// The error is a sentence that names the field, option or file. `in` is read for "--send -".
std::expected<capsule_plan, std::string> plan_capsule(const capsule_request& request,
                                                      const block_size_of& block_size,
                                                      std::istream& in);

}  // namespace nvmf::cli
