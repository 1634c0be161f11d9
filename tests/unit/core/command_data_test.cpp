// SPDX-License-Identifier: BSD-2-Clause
// Bytes by hand: SGL 1 is bytes 24 to 39 of the SQE, its last byte is type (high) and sub type.
#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "core/command_data.hpp"

using namespace nvmf;

namespace {

sqe_bytes filled() {
  sqe_bytes sqe;
  sqe.fill(std::byte{0xcc});
  return sqe;
}

std::vector<int> sgl_of(const sqe_bytes& sqe) {
  std::vector<int> v;
  for (std::size_t i = 24; i < 40; ++i) v.push_back(std::to_integer<int>(sqe[i]));
  return v;
}

sqe_bytes with_sgl(std::initializer_list<int> bytes, int flags = 0x40) {
  sqe_bytes sqe{};
  sqe[1] = static_cast<std::byte>(flags);
  std::size_t i = 24;
  for (int b : bytes) sqe[i++] = static_cast<std::byte>(b);
  return sqe;
}

}  // namespace

TEST_CASE("SGL 1 as the host writes it, whatever stood there") {
  sqe_bytes sqe = filled();
  write_sgl(sqe, data_place::none, 77);
  CHECK(sgl_of(sqe) == std::vector{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x5a});
  CHECK(sqe[1] == std::byte{0x4c});  // PSDT 01b in bits 7:6, the others as they were
  sqe = filled();
  write_sgl(sqe, data_place::in_capsule, 0x00012345);
  CHECK(sgl_of(sqe) == std::vector{0, 0, 0, 0, 0, 0, 0, 0, 0x45, 0x23, 1, 0, 0, 0, 0, 0x01});
  sqe = filled();
  write_sgl(sqe, data_place::transport, 0x80000001);
  CHECK(sgl_of(sqe) == std::vector{0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0x80, 0, 0, 0, 0x5a});
  sqe = filled();
  write_sgl(sqe, data_place::keyed, 0x010203, 0x1122334455667788, 0xa1b2c3d4);
  CHECK(sgl_of(sqe) == std::vector{0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 3, 2, 1, 0xd4,
                                   0xc3, 0xb2, 0xa1, 0x40});
  CHECK(sqe[23] == std::byte{0xcc});
  CHECK(sqe[40] == std::byte{0xcc});
}

TEST_CASE("SGL 1 as the controller checks it") {
  const capsule_limits tcp{.keyed = false, .max_in_capsule = 4096};
  const capsule_limits rdma{.keyed = true, .max_in_capsule = 4096};
  const auto check = [](const sqe_bytes& sqe, std::uint32_t carried, const capsule_limits& l) {
    return check_sgl(sqe, carried, l).raw_code();
  };
  const auto in_capsule = with_sgl({0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0x01});  // 512
  CHECK(check(in_capsule, 512, tcp) == 0);
  CHECK(check(in_capsule, 512, rdma) == 0);
  CHECK(check(in_capsule, 511, tcp) == 0x0f);
  CHECK(check(in_capsule, 0, tcp) == 0x0f);
  CHECK(check(in_capsule, 512, {.keyed = false, .max_in_capsule = 511}) == 0x0f);
  CHECK(check(with_sgl({4, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0x01}), 512, tcp) == 0x16);

  const auto transport = with_sgl({0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0x5a});
  CHECK(check(transport, 0, tcp) == 0);
  CHECK(check(transport, 512, tcp) == 0x02);
  CHECK(check(transport, 0, rdma) == 0x11);
  CHECK(check(with_sgl({0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0x5a}), 0, tcp) == 0x16);
  const auto no_data = with_sgl({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x5a});
  CHECK(check(no_data, 0, tcp) == 0);
  CHECK(check(no_data, 0, rdma) == 0);

  for (int subtype : {0x40, 0x4f}) {
    const auto keyed = with_sgl({1, 2, 3, 4, 5, 6, 7, 8, 0, 2, 0, 9, 9, 9, 9, subtype});
    CHECK(check(keyed, 0, rdma) == 0);
    CHECK(check(keyed, 0, tcp) == 0x11);
    CHECK(check(keyed, 1, rdma) == 0x02);
  }
  for (int identifier : {0x00, 0x10, 0x20, 0x30, 0x50, 0x5b, 0x02, 0xf0})
    CHECK(check(with_sgl({0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, identifier}), 0, tcp) ==
          0x11);
  CHECK(check(with_sgl({}), 0, tcp) == 0);  // all zero: nothing to move
  CHECK(check(with_sgl({}), 8, tcp) == 0x02);
  CHECK(check(with_sgl({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x5a}, 0x00), 0, tcp) == 0x02);
  CHECK(check(with_sgl({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x5a}, 0x80), 0, tcp) == 0x02);
  CHECK(check(with_sgl({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x5a}, 0xc0), 0, tcp) == 0x02);
}

TEST_CASE("the length and the place that SGL 1 gives") {
  const auto keyed = with_sgl({1, 2, 3, 4, 5, 6, 7, 8, 0, 2, 1, 9, 9, 9, 9, 0x40});
  CHECK(sgl_length(keyed) == 0x10200);
  CHECK_FALSE(sgl_in_capsule(keyed));
  const auto transport = with_sgl({0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 9, 0, 0, 0, 0x5a});
  CHECK(sgl_length(transport) == 0x09010200);
  CHECK_FALSE(sgl_in_capsule(transport));
  const auto in_capsule = with_sgl({0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 9, 0, 0, 0, 0x01});
  CHECK(sgl_length(in_capsule) == 0x09010200);
  CHECK(sgl_in_capsule(in_capsule));
  CHECK_FALSE(sgl_in_capsule(with_sgl({})));
}

TEST_CASE("SQHD counts responses modulo the queue size, or says that it does not") {
  sq_head head;
  CHECK(head.next() == 0);
  head.settle(3, true);
  for (int expected : {1, 2, 0, 1, 2, 0}) CHECK(head.next() == expected);
  head.settle(3, false);
  for (int expected : {0xffff, 0, 0}) CHECK(head.next() == expected);
  head.settle(65536, true);
  for (int i = 0; i < 65535; ++i) head.next();
  CHECK(head.next() == 0);
}
