// SPDX-License-Identifier: BSD-2-Clause
// A host by hand: connects, enables, identifies, prints the model number. host ADDRESS PORT SUBNQN
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nvmf/event_loop.hpp>
#include <nvmf/tcp.hpp>
using namespace nvmf;

struct host {
  event_loop loop;
  qpair queue;
  capsule command;  // keeps its CID until the response has come
  using block = std::vector<std::byte>;
  block connect_data = block(1024), identify = block(4096);
  int step = 0, result = 1;

  using bytes_at = std::initializer_list<std::pair<int, int>>;
  void send(bytes_at sqe_bytes_set, memdesc mem = {}, direction way = direction::none) {
    sqe_bytes sqe{};
    for (const auto& [at, value] : sqe_bytes_set) sqe[std::size_t(at)] = std::byte(value);
    command = *queue.allocate_command(sqe);
    queue.append_data(command, mem, mem.size(), way,
                      [](std::size_t n, std::error_code) { std::printf("%zu bytes moved\n", n); });
    queue.transmit(command);
  }
  void next() {
    const memdesc out = memdesc::of(std::span{connect_data}), in = memdesc::of(std::span{identify});
    if (step == 0) send({{0, 0x7f}, {4, 1}, {44, 31}}, out, direction::send);  // Connect
    if (step == 1) send({{0, 0x7f}, {44, 0x14}, {48, 1}, {50, 0x46}});  // Property Set: CC.EN
    if (step == 2) send({{0, 0x7f}, {4, 4}, {44, 0x1c}});               // Property Get: CSTS
    if (step == 3) send({{0, 6}, {40, 1}}, in, direction::receive);     // Identify Controller
    if (step == 4) end(std::printf("%.40s\n", reinterpret_cast<char*>(&identify[24])) < 0);
  }
  void on_receive(const capsule& response) {
    const auto cqe = response.cqe();
    if ((cqe[14] | cqe[15]) != std::byte{}) return end(1);            // not a success
    if (step != 2 || (cqe[0] & std::byte{1}) != std::byte{}) step++;  // CSTS: until it is ready
    next();
  }
  void end(int how) { result = how, queue.close(), loop.stop(); }
};

int main(int, char** argv) {
  host h;
  for (const auto at : {0u, 16u, 17u}) h.connect_data[at] = std::byte{0xff};  // HOSTID, any CNTLID
  std::strncpy(reinterpret_cast<char*>(&h.connect_data[256]), argv[3], 223);
  std::strcpy(reinterpret_cast<char*>(&h.connect_data[512]), "nqn.2014-08.org.example:by-hand");
  transport_registry transports;
  transports.add(make_tcp_transport());
  const endpoint to{argv[1], std::uint16_t(std::atoi(argv[2]))};
  const auto way = (*transports.find("tcp", {}))->connect(h.loop.on(), to, {}, [&h](auto got) {
    if (!got) return std::puts(got.error().detail.c_str()), h.loop.stop();
    h.queue = std::move(got->queue);
    h.queue.start({[&h](capsule c) { h.on_receive(c); }, [&h](const auto&) { h.end(1); }});
    h.next();
  });
  h.loop.run();
  return h.result;
}
