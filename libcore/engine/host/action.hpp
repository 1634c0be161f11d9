// SPDX-License-Identifier: BSD-2-Clause
// What the machines of the host ask for, and what they are told in return. A machine does no I/O:
// each call answers with the one thing to do next; its owner does it and comes back with the
// matching call (on_reply, on_time, on_queue). `finished` and `failed` are the last answers.
#pragma once

#include <cstdint>
#include <nvmf/host.hpp>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "wire/layout.hpp"

namespace nvmf::engine {

struct send_command {
  std::uint16_t qid = 0;
  sqe_bytes sqe{};              // without CID and SGL, which the transport fills in
  std::vector<std::byte> send;  // data for the controller
  std::uint32_t receive = 0;    // bytes of data expected from it
};
struct wait_for {
  duration time{};  // then on_time
};
// A transport connection for I/O queue `qid`; then on_queue.
struct open_queue {
  std::uint16_t qid = 0;
  std::uint32_t entries = 0;
};
struct finished {};
struct failed {
  host_failure why;
};
using action = std::variant<finished, send_command, wait_for, open_queue, failed>;

// The end of a command that was asked for.
struct reply {
  command_result result;
  std::span<const std::byte> data;  // what was received; valid during the call
  sqe_bytes sqe{};                  // as it went out
};

// "Connect", "Property Get", "Identify": the name of what an SQE asks for.
std::string_view command_title(std::span<const std::byte, 64> sqe);

// The command ended with an error status, or without any answer.
host_failure refused(host_stage stage, const send_command& sent, const reply& got);
// A value in an answer that nothing sensible can be done with: names the structure and the field.
host_failure bad_value(host_stage stage, const wire::layout& structure, std::string_view field,
                       std::uint64_t value, std::uint64_t limit, std::string_view reason);

// Gathers remarks; their text is "ok" when there are none.
class remarks {
 public:
  void add(std::string text);
  bool empty() const { return text_.empty(); }
  std::string verdict() const { return text_.empty() ? "ok" : text_; }

 private:
  std::string text_;
};

}  // namespace nvmf::engine
