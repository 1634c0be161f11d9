// SPDX-License-Identifier: BSD-2-Clause
// Which PDU suffers which fault: the one place where the simulation decides. How a fault is done to
// the bytes is in network.cpp.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <string_view>

namespace nvmf::sim {

// All chance of one run comes from here, so a seed is a run.
class chance {
 public:
  explicit chance(std::uint64_t seed) : engine_(seed) {}
  // [low, high]
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + engine_() % (high - low + 1);
  }
  bool one_in(std::uint64_t n) { return engine_() % n == 0; }
  template <class T>
  T any_of(std::initializer_list<T> list) {
    return *(list.begin() + between(0, list.size() - 1));
  }

 private:
  std::mt19937_64 engine_;
};

enum class fault : std::uint8_t {
  none,
  reset,        // both ends lose the connection, and what is under way
  cut,          // the stream ends in the middle of the PDU
  stall,        // this direction stops for a while, maybe longer than any time limit
  silence,      // nothing more arrives in this direction, and nobody is told
  duplicate,    // the PDU comes twice
  wrong_cid,    // the PDU names a command that does not exist
  header_flip,  // one bit is another; only where a digest covers it
  data_flip,
};
inline constexpr fault all_faults[] = {fault::reset,       fault::cut,       fault::stall,
                                       fault::silence,     fault::duplicate, fault::wrong_cid,
                                       fault::header_flip, fault::data_flip};
std::string_view fault_name(fault f);

// What a fault is chosen for.
struct passing_pdu {
  std::uint8_t type = 0;
  bool to_host = false;
  bool header_digest = false;  // of this PDU
  bool data_digest = false;
};

struct fault_plan {
  std::uint64_t pdus_per_fault = 0;  // one in so many PDUs suffers; 0: none
  std::uint64_t most = 0;
};

class fault_source {
 public:
  fault_source(chance& luck, fault_plan plan) : luck_(luck), plan_(plan) {}
  bool calm = false;  // no more faults
  // What becomes of this PDU.
  fault next(const passing_pdu& pdu);

 private:
  chance& luck_;
  fault_plan plan_;
  std::uint64_t happened_ = 0;
};

}  // namespace nvmf::sim
