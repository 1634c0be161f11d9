// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstddef>

namespace nvmf {

// Gives pages that the heap holds and nobody uses back to the system, as far as the C library can.
// Left to itself it gives back the end of the heap only, and one small thing that lives there keeps
// all that a crowd of connections has left. Other threads that allocate wait meanwhile.
void give_back_spare_memory() noexcept;

// What a queue has taken while it was busy and has not used for this long, or up to twice as long,
// is given back. Taking it again costs a few allocations.
inline constexpr std::chrono::seconds rest_after{1};

// `bytes` have been freed because nobody used them. Every 1 MiB of them goes back to the system.
// Any thread.
void note_spare_memory(std::size_t bytes) noexcept;

}  // namespace nvmf
