// SPDX-License-Identifier: BSD-2-Clause
// Which layout a command, its completion and its data have, and the list of all layouts. For
// renderers, `describe` and `send-capsule`; code that knows its command names the layout itself.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "../layout.hpp"

namespace nvmf::wire {

// The form of an SQE by its opcode; `fctype` counts for the fabrics opcode only. A command without
// a form of its own is `sqe`, or `fabrics-command`.
const layout& sqe_form(std::uint8_t opcode, bool admin_queue, std::uint8_t fctype = 0);
// The same for the bytes of an SQE, which may be cut short.
const layout& sqe_form(byte_span sqe, bool admin_queue);

// The form of a completion, by the command it answers and its own status: the dwords that a command
// defines are there when it succeeded, and in few cases when it failed. Else it is `cqe`.
const layout& cqe_form(byte_span sqe, bool admin_queue, byte_span cqe);

// The layout of a command's data in either direction, or nullptr when it has none or it is not
// known (user data; a log page read from an offset within its head).
const layout* data_form(byte_span sqe, bool admin_queue);

// Every layout a user may name, each once, in the order of docs/generated. The layouts of bits
// within a word are found through the field that has them.
std::span<const layout* const> all_layouts();

// The layout of that name, or nullptr.
const layout* find_layout(std::string_view name);

}  // namespace nvmf::wire
