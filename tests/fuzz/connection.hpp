// SPDX-License-Identifier: BSD-2-Clause
// A whole connection from the IC exchange to the end, in virtual time: our host and our target with
// the TCP sessions between them, and an input that has one of the two ends in its hands. What that
// end says becomes what the input wants: PDUs with other fields (with digests made right again, or
// not), raw bytes before, instead of or after them, PDUs twice, held back, cut short, left out, the
// end of the stream, a reset. The user of the host meanwhile does what the input says: commands,
// shutdown, letting go, beginning again; and time moves on.
//
// Whatever happens, the other end keeps its promises: every command ends exactly once and within
// its memory, on_up and on_lost are told once, nothing comes after the end, and when all is over no
// timer, no connection and no controller is left.
//
// An input: a byte of choices, number of steps, the steps, and then what becomes of each PDU of the
// end in its hands. seeds.py writes such inputs. NVMF_FUZZ_TRACE=1 makes a run say how far it came.
#pragma once

#include <nvmf/host.hpp>
#include <nvmf/target.hpp>

#include "fuzz/input.hpp"
#include "sim/wire.hpp"
#include "wire/crc32c.hpp"

namespace nvmf::fuzz {

inline constexpr std::string_view subsystem_nqn = "nqn.2026-11.io.example:fuzz";
inline constexpr std::size_t disk_bytes = std::size_t{64} * 1024;

// What the input makes of the PDUs of one end.
class meddler {
 public:
  meddler(bool to_host, input script) : to_host_(to_host), script_(script) {}
  void operator()(sim::pipe& through, sim::octets pdu);

 private:
  void alter(sim::octets& pdu);
  void set_field(sim::octets& pdu);
  sim::octets raw() {
    const auto bytes = script_.take(script_.byte());
    return {bytes.begin(), bytes.end()};
  }

  const bool to_host_;
  input script_;
  std::size_t untouched_ = 0;  // PDUs that still pass as they are
  bool only_raw_ = false;      // the end says nothing of its own any more
  sim::octets held_;
};

class connection {
 public:
  // `hostile`: the end that the input has.
  connection(role hostile, input& in);
  ~connection();
  void run(input& steps);

 private:
  struct command {
    std::vector<std::byte> memory;
    bool ended = false;
  };
  void set_up_target();
  void associate();
  void let_go();
  void step(std::uint8_t what, input& steps);
  void submit_io(input& steps);
  void submit_admin(input& steps);
  void submit(std::uint16_t qid, const std::array<std::byte, 64>& sqe, std::size_t size,
              direction way);
  void shut_down();
  void at_the_end();

  const std::uint8_t choices_;
  test::virtual_time time_;
  test::virtual_executor host_on_{time_}, target_on_{time_};
  sim::chance luck_{1};
  sim::journal log_{time_, false};
  sim::wire_watch watch_{time_, log_};
  sim::saboteur honest_{sim::crime::none};
  sim::network net_;
  std::shared_ptr<sim::sim_transport> transport_;
  transport_registry registry_;
  std::unique_ptr<target> target_;
  std::unique_ptr<association> host_;
  bool in_callback_ = false, gone_ = true, up_told_ = false, lost_told_ = false;
  bool let_go_in_callback_ = false;
  std::size_t given_ = 0, ended_ = 0, succeeded_ = 0, ups_ = 0, shutdowns_ = 0;
  int lives_ = 0;
};

// One input, from beginning to end.
int play(role hostile, const std::uint8_t* data, std::size_t size);

}  // namespace nvmf::fuzz
