// SPDX-License-Identifier: BSD-2-Clause
// Ends that break the rules on purpose: each check of the simulation is shown to fail by one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "pdu.hpp"

namespace nvmf::sim {

enum class crime : std::uint8_t {
  none,
  lose_command,        // a command never ends
  end_twice,           // one ends two times
  write_late,          // memory is written after its callback
  write_beyond,        // beside the memory of a command
  read_wrong,          // other bytes than were written
  lose_write,          // acknowledged and not stored
  equal_anyway,        // Compare says equal whatever is stored
  after_teardown,      // a callback after its association has gone
  outlive,             // a command that its association's end does not end
  double_cid,          // a CID that is in use, on the wire
  reuse_aborted,       // one that an Abort still names
  silent_host,         // sends nothing for longer than KATO
  patient_host,        // does not give up a controller that does not answer Keep Alive
  hasty_controller,    // gives a host up before KATO is over
  patient_controller,  // keeps a silent host longer than two KATO
  harm_neighbour,      // a fault of one host's network fails another's command
};

class saboteur {
 public:
  explicit saboteur(crime what) : what_(what) {}
  crime what() const { return what_; }
  bool commits(crime c) const { return what_ == c; }
  // True once, at the `nth` time that it is asked.
  bool now(crime c, int nth) { return what_ == c && ++asked_ == nth; }

  // On the wire, before and after the watch has seen a PDU; an empty one is not sent at all.
  void before_watch(octets& pdu, std::size_t connection, bool to_host);
  void after_watch(octets& pdu);
  // The watch does not learn that this end has closed, as if it waited for ever.
  bool hides_close(bool controller) const {
    return what_ == (controller ? crime::patient_controller : crime::patient_host);
  }

 private:
  crime what_;
  int asked_ = 0;
  int commands_ = 0;
  bool silent_ = false;
  std::optional<std::uint16_t> aborted_;
  std::map<std::size_t, std::uint16_t> last_cid_;  // by connection
};

}  // namespace nvmf::sim
