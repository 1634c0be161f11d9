// SPDX-License-Identifier: BSD-2-Clause
#include "spare_memory.hpp"

#include <cstdlib>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace nvmf {

void give_back_spare_memory() noexcept {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace nvmf
