// SPDX-License-Identifier: BSD-2-Clause
#pragma once

namespace nvmf {

// Gives pages that the heap holds and nobody uses back to the system, as far as the C library can.
// Left to itself it gives back the end of the heap only, and one small thing that lives there keeps
// all that a crowd of connections has left. Other threads that allocate wait meanwhile.
void give_back_spare_memory() noexcept;

}  // namespace nvmf
