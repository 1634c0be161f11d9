// SPDX-License-Identifier: BSD-2-Clause
// Who may use how much of the reserve. A sanitizer's operator new asks no new handler, so these
// tests are its operator new.
#include <doctest/doctest.h>

#include <new>

#include "core/memory_reserve.hpp"

using namespace nvmf;

namespace {

// How often an allocation may fail before it throws.
std::size_t pieces_given() {
  std::size_t n = 0;
  try {
    for (;; ++n) std::get_new_handler()();
  } catch (const std::bad_alloc&) {
    return n;
  }
}

}  // namespace

TEST_CASE("reserve: all of it, half of it, none of it; then it is filled again") {
  const memory_reserve reserve;
  CHECK(memory_reserve::whole());
  {
    const reserve_scope data(reserve_share::none);
    CHECK(pieces_given() == 0);
  }
  {
    const reserve_scope connection(reserve_share::half);
    CHECK(pieces_given() == memory_reserve::pieces / 2);
    CHECK(pieces_given() == 0);
    const reserve_scope inner(reserve_share::all);  // the smaller one holds
    CHECK(pieces_given() == 0);
  }
  CHECK(pieces_given() == memory_reserve::pieces / 2);
  CHECK(memory_reserve::whole());
  CHECK(pieces_given() == memory_reserve::pieces);
}

TEST_CASE("reserve: it goes with its owner") {
  {
    const memory_reserve reserve;
  }
  const bool none = std::get_new_handler() == nullptr;
  CHECK(none);
}
