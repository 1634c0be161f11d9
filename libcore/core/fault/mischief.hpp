// SPDX-License-Identifier: BSD-2-Clause
// What a plan does to the units that one command sends, from the decision on until the command has
// ended.
#pragma once

#include <nvmf/qpair.hpp>

#include "engine/fault/injector.hpp"

namespace nvmf {

class mischief {
 public:
  // `bytes`: of the command's data. The decision's rules must outlive this.
  mischief(const engine::fault_decision& of, role side, std::uint16_t cid, std::uint32_t bytes);

  std::uint16_t cid() const { return cid_; }
  // Nothing of it concerns what is sent.
  bool empty() const;
  // Changes what leaves of the command. True: the command has ended by it.
  bool apply(outgoing& o);

 private:
  bool answers(const outgoing& o) const;  // it is the response, or stands for it
  void apply_drop(outgoing& o) const;
  void cut(outgoing& o) const;
  void flip(outgoing& o);

  role side_;
  std::uint16_t cid_;
  std::uint32_t bytes_;
  bool drop_, duplicate_, early_success_;
  const engine::fault_step* wrong_cid_;
  const engine::fault_step* wrong_length_;  // of the first unit
  const engine::fault_step* short_data_;
  const engine::fault_step* flip_;  // of the first unit that has such a digest
};

}  // namespace nvmf
