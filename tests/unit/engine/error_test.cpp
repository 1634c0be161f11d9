// SPDX-License-Identifier: BSD-2-Clause
#include <doctest/doctest.h>

#include <nvmf/error.hpp>
#include <set>
#include <string>

using namespace nvmf;

TEST_CASE("each error of ours has words of its own") {
  std::set<std::string> said;
  for (int e = static_cast<int>(errc::aborted); e <= static_cast<int>(errc::refused); ++e) {
    const std::error_code code = static_cast<errc>(e);
    CAPTURE(e);
    CHECK(code.message() != "unknown error");
    CHECK(said.insert(code.message()).second);
    CHECK(std::string(code.category().name()) == "nvmf");
  }
  CHECK(std::error_code(0, error_category()).message() == "unknown error");
  CHECK(std::error_code(static_cast<int>(errc::refused) + 1, error_category()).message() ==
        "unknown error");
}
