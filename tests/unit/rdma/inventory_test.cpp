// SPDX-License-Identifier: BSD-2-Clause
// What stands in the way of NVMe over Fabrics on a device, each thing alone.
#include "rdma/inventory/inventory.hpp"

#include <doctest/doctest.h>

using namespace nvmf::rdma;

namespace {

// One that can do everything: RoCE on eth0.
device_report good() {
  device_report d{.name = "rxe0",
                  .node_guid = "0000:0000:0000:0001",
                  .kind = fabric_kind::roce,
                  .region_bytes_max = 1u << 30,
                  .queue_pairs_max = 1024,
                  .work_requests_max = 96,
                  .completions_max = 128,
                  .pieces_max = 2,
                  .reads_in_max = 1,
                  .reads_out_max = 1,
                  .windows_max = 16,
                  .shared_queues_max = 0};
  port_report p{.number = 1, .state = "active", .active = true, .mtu = 4096, .mtu_max = 4096};
  gid_report g{.index = 1, .kind = gid_kind::roce_v2, .interface = "eth0"};
  g.value = {};
  g.value[10] = g.value[11] = std::byte{0xff};
  g.value[12] = std::byte{192};
  g.value[14] = std::byte{2};
  g.value[15] = std::byte{1};
  p.gids = {g};
  p.interfaces = {{.name = "eth0", .up = true, .loopback = false, .addresses = {"192.0.2.1"}}};
  d.ports = {p};
  return d;
}

// The one obstacle of a device that lacks one thing.
template <class Spoil>
std::string without(Spoil spoil) {
  device_report d = good();
  spoil(d);
  const auto found = obstacles(d, {});
  REQUIRE(found.size() == 1);
  CHECK(remarks(d, {}).empty());  // of what does not work at all nothing else is told
  return found[0];
}

}  // namespace

TEST_CASE("rdma inventory: a device with what a queue needs, and no more, is usable") {
  CHECK(obstacles(good(), {}).empty());
  CHECK(remarks(good(), {}).empty());
  CHECK(gid_text(good().ports[0].gids[0]) == "::ffff:192.0.2.1");
}

TEST_CASE("rdma inventory: each limit of the device, one too small") {
  CHECK(without([](auto& d) { d.queue_pairs_max = 0; }) == "it has 0 queue pairs; a queue needs 1");
  CHECK(without([](auto& d) { d.work_requests_max = 95; }) ==
        "it has 95 work requests in a queue; a queue needs 96");
  CHECK(without([](auto& d) { d.completions_max = 127; }) ==
        "it has 127 entries in a completion queue; a queue needs 128");
  CHECK(without([](auto& d) { d.pieces_max = 1; }).starts_with("it has 1 scatter/gather entries"));
  CHECK(without([](auto& d) { d.reads_in_max = 0; }).starts_with("it has 0 RDMA READs"));
  CHECK(without([](auto& d) { d.reads_out_max = 0; }).starts_with("it has 0 RDMA READs"));
  CHECK(without([](auto& d) { d.kind = fabric_kind::other; }).starts_with("it has no reliable"));
}

TEST_CASE("rdma inventory: a port that cannot be reached, and what to do") {
  CHECK(without([](auto& d) {
          d.ports[0].active = false;
          d.ports[0].state = "down";
        }) == "port 1 is down: bring its link up (ip link set eth0 up)");
  CHECK(without([](auto& d) { d.ports[0].interfaces[0].addresses.clear(); }) ==
        "port 1: eth0 has no address, or is down (ip address add 192.0.2.1/24 dev eth0)");
  CHECK(without([](auto& d) {
          d.ports[0].interfaces[0].up = false;
        }).starts_with("port 1: eth0 has no address, or is down"));
  CHECK(without([](auto& d) {
          d.ports[0].interfaces[0].name = "lo";
          d.ports[0].interfaces[0].loopback = true;
        }).starts_with("port 1 is on lo, where no route leads to an RDMA device"));
  CHECK(without([](auto& d) {
          d.ports[0].interfaces.clear();
        }).starts_with("port 1 has no network interface"));
  CHECK(without([](auto& d) {
          d.ports[0].gids[0].kind = gid_kind::roce_v1;
        }).starts_with("port 1 has GIDs of RoCE v1 only"));
  CHECK(without([](auto& d) { d.ports[0].gids.clear(); }) ==
        "port 1 has no GID: give eth0 an address");
  CHECK(without([](auto& d) { d.ports.clear(); }) == "it has no port");
}

TEST_CASE("rdma inventory: one good port is enough, and the other is remarked upon") {
  device_report d = good();
  d.ports.push_back(d.ports[0]);
  d.ports[1].number = 2;
  d.ports[1].active = false;
  d.ports[1].state = "down";
  CHECK(obstacles(d, {}).empty());
  REQUIRE(remarks(d, {}).size() == 1);
  CHECK(remarks(d, {})[0].starts_with("port 2 is down"));
}

TEST_CASE("rdma inventory: permission, the connection manager, locked memory") {
  device_report d = good();
  const machine_report no_cm{.trouble = "there is no /dev/infiniband/rdma_cm"};
  CHECK(obstacles(d, no_cm) == std::vector<std::string>{no_cm.trouble});
  d.trouble = "/dev/infiniband/uverbs0 may not be opened: Permission denied";
  CHECK(obstacles(d, {}) == std::vector<std::string>{d.trouble});

  machine_report tight{.memlock_bytes = 65536};
  REQUIRE(remarks(good(), tight).size() == 1);
  CHECK(remarks(good(), tight)[0].starts_with("64 KiB may be registered at most (ulimit -l)"));
  tight.memlock_bytes = 64u << 20;
  CHECK(remarks(good(), tight).empty());
}

TEST_CASE("rdma inventory: what works, but not as well as it could") {
  device_report d = good();
  d.ports[0].mtu = 512;
  REQUIRE(remarks(d, {}).size() == 1);
  CHECK(remarks(d, {})[0].starts_with("port 1 carries 512 bytes in a packet"));
  d.kind = fabric_kind::iwarp;  // TCP makes packets there
  d.windows_max = 0;
  REQUIRE(remarks(d, {}).size() == 1);
  CHECK(remarks(d, {})[0].starts_with("no memory windows"));
}
