// SPDX-License-Identifier: BSD-2-Clause
// What a connection manager says of a rejection. Reasons: InfiniBand Architecture
// Specification 1.4, 12.6.7.2, whose REJ has 148 bytes of private data, given or not. iWARP: errnos
// of Linux.
#include "rdma/session/rejection.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace nvmf::rdma;

namespace {

constexpr std::array<std::byte, 148> nothing{};
constexpr std::array<std::byte, 148> no_resources{std::byte{}, std::byte{}, std::byte{6}};

}  // namespace

TEST_CASE("rdma: who rejected a request over InfiniBand and RoCE") {
  CHECK(read_rejection(8, nothing).by == cm_refusal::nobody);
  const rejection mute = read_rejection(28, nothing);
  CHECK(mute.by == cm_refusal::listener);
  CHECK(mute.private_data.empty());
  CHECK_FALSE(mute.error);
  const rejection said = read_rejection(28, no_resources);
  CHECK(said.by == cm_refusal::listener);
  CHECK(said.private_data.size() == 148);
  // Others than who listens, whose private data nobody has given.
  for (const int reason : {1, 3, 4, 10, 12, 24, 26, 33, 200}) {
    CAPTURE(reason);
    const rejection other = read_rejection(reason, no_resources);
    CHECK(other.by == cm_refusal::way);
    CHECK(other.private_data.empty());
    CHECK(std::string_view{other.error.category().name()} == "rdma");
    CHECK(other.error.message().ends_with(" (reason " + std::to_string(reason) + ")"));
  }
  CHECK(rejection_error(10).message() ==
        "the connection manager there refuses: stale connection: it has not forgotten one from "
        "before (reason 10)");
}

TEST_CASE("rdma: who rejected a request over iWARP") {
  constexpr int refused = -111, reset = -104;  // ECONNREFUSED, ECONNRESET
  CHECK(read_rejection(refused, {}).by == cm_refusal::nobody);
  const rejection said = read_rejection(reset, std::span{no_resources}.first(4));
  CHECK(said.by == cm_refusal::listener);
  CHECK(said.private_data.size() == 4);
  CHECK(read_rejection(refused, std::span{no_resources}.first(4)).by == cm_refusal::listener);
  const rejection mute = read_rejection(reset, {});
  CHECK(mute.by == cm_refusal::way);
  CHECK(mute.error.message() ==
        "the peer refused without saying why, or broke off while connecting");
}
