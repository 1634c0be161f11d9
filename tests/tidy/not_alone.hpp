// SPDX-License-Identifier: BSD-2-Clause
// Must not compile alone: proves that the check of the public headers can fail.
#pragma once

inline std::size_t needs_an_include() { return 0; }
