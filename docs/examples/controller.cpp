// SPDX-License-Identifier: BSD-2-Clause
// A controller by hand: is connected to, enabled and identified. controller PORT (0 picks one)
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nvmf/event_loop.hpp>
#include <nvmf/tcp.hpp>
using namespace nvmf;
struct controller {
  event_loop loop;
  qpair queue;
  capsule connect;  // while its data is fetched
  std::vector<std::byte> connect_data = std::vector<std::byte>(1024);
  std::byte cc{};  // first byte of the property CC
  void respond(const capsule& c, std::byte dw0 = {}, nvme_status status = {}) {
    cqe_bytes cqe{dw0};
    cqe[12] = std::byte(c.cid() & 0xff), cqe[13] = std::byte(c.cid() >> 8);
    cqe[14] = std::byte(status.cqe_word() & 0xff), cqe[15] = std::byte(status.cqe_word() >> 8);
    queue.transmit_response(*queue.allocate_response(cqe));
  }
  void on_command(capsule c) {
    const auto sqe = c.sqe();
    const auto what = sqe[0] == std::byte{0x7f} ? int(sqe[4]) : 0x100 | int(sqe[0]);
    if (const nvme_status bad = queue.validate_command(c); !bad.ok()) return respond(c, {}, bad);
    if (what == 1) return on_connect(std::move(c));
    if (what == 0) return cc = sqe[48], respond(c);       // Property Set: CC
    if (what == 4) return respond(c, cc & std::byte{1});  // Property Get: CSTS.RDY follows CC.EN
    if (what != 0x106) return respond(c, {}, status_code::invalid_opcode);
    std::array<std::byte, 4096> identify{};
    std::memcpy(&identify[24], "Made by hand                            ", 40);
    const auto sent = queue.send_controller_data(c, 0, buffer::copy_of(identify));
    if (sent.result != send_result::success_sent) respond(c, {}, sent.status);
  }
  void on_connect(capsule c) {  // its data in two pieces, wherever it is
    connect = std::move(c);
    const memdesc mem = memdesc::of(std::span{connect_data});
    queue.receive_controller_data(connect, 0, mem, 512, [](std::size_t, std::error_code) {});
    queue.receive_controller_data(
        connect, 512, mem.window(512, 512), 512, [this](std::size_t, auto error) {
          if (error) return;  // the connection is lost
          std::printf("connected by %.223s\n", reinterpret_cast<char*>(&connect_data[512]));
          queue.set_queue(0, 32, true), respond(connect, std::byte{1});  // CNTLID 1
        });
  }
};

int main(int, char** argv) {
  controller it;
  const auto on_host = [&it](qpair q) {
    it.queue = std::move(q);
    it.queue.start({[&it](capsule c) { it.on_command(std::move(c)); },
                    [&it](const auto&) { it.queue.close(), it.loop.stop(); }});
  };
  const endpoint at{"127.0.0.1", std::uint16_t(std::atoi(argv[1]))};
  const auto choose = [&it]() -> executor& { return it.loop.on(); };
  const qpair_params as{.side = role::controller};
  const auto made = make_tcp_transport()->listen(it.loop.on(), at, as, choose, on_host);
  std::printf("listening on %d\n", made.value()->where().port), std::fflush(stdout);
  it.loop.run();
}
