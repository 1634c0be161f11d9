// SPDX-License-Identifier: BSD-2-Clause
#include "shutdown.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "commands.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/properties.hpp"

namespace nvmf::engine {

shutdown_machine::shutdown_machine(std::uint32_t cc, time_point deadline)
    : cc_(cc), deadline_(deadline) {}

action shutdown_machine::start() {
  std::array<std::byte, 4> word{};
  wire::store_le(word, 0, 4, cc_);
  wire::set<wire::cc_layout, "shn">(word, 1);
  cc_ = static_cast<std::uint32_t>(wire::load_le(word, 0, 4));
  sent_ = property_set(wire::property::cc, cc_);
  return sent_;
}

action shutdown_machine::on_time(time_point) {
  sent_ = property_get(wire::property::csts);
  return sent_;
}

action shutdown_machine::on_reply(const reply& got, time_point now) {
  if (!got.result.ok()) return failed{refused(host_stage::shutdown, sent_, got)};
  if (!std::exchange(told_, true)) return on_time(now);
  const wire::byte_span value =
      wire::bytes_of<wire::property_get_response, "value">(wire::byte_span{got.result.cqe});
  csts_ = static_cast<std::uint32_t>(wire::load_le(value, 0, 4));
  constexpr std::uint64_t complete = 2;
  if (wire::get<wire::csts_layout, "shst">(value) == complete) return finished{};
  host_failure f;
  f.stage = host_stage::shutdown;
  if (wire::get<wire::csts_layout, "cfs">(value) != 0) {
    f.code = errc::controller_fatal;
    f.detail = fmt::format("{} during shutdown; CSTS is {:08X}h", f.code.message(), csts_);
    return failed{std::move(f)};
  }
  if (now >= deadline_) {
    f.code = errc::timed_out;
    f.detail = fmt::format("CSTS.SHST did not say complete in time; CSTS is {:08X}h", csts_);
    return failed{std::move(f)};
  }
  const wait_for pause{std::min<duration>(pause_, deadline_ - now)};
  pause_ = std::min(pause_ * 2, last_poll);
  return pause;
}

}  // namespace nvmf::engine
