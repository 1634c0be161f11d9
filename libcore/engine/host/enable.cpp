// SPDX-License-Identifier: BSD-2-Clause
#include "enable.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/properties.hpp"

namespace nvmf::engine {

using std::chrono::milliseconds;
using wire::get;

namespace {

// Fields of a property that is held as a number.
template <const wire::layout& L, wire::fixed_name Name>
std::uint64_t bits_of(std::uint64_t value) {
  std::array<std::byte, 8> b{};
  wire::store_le(b, 0, 8, value);
  return get<L, Name>(wire::byte_span{b}.first(L.size));
}

template <wire::fixed_name Name>
std::uint64_t cap(const controller_properties& p) {
  return bits_of<wire::cap_layout, Name>(p.cap);
}

std::uint64_t value_of(const reply& got) {
  return get<wire::property_get_response, "value">(got.result.cqe);
}

}  // namespace

std::uint32_t controller_properties::max_queue_entries() const {
  return static_cast<std::uint32_t>(bits_of<wire::cap_layout, "mqes">(cap)) + 1;
}

std::uint64_t controller_properties::page_size() const {
  return std::uint64_t{4096} << bits_of<wire::cap_layout, "mpsmin">(cap);
}

std::string controller_properties::version() const {
  return fmt::format("{}.{}.{}", bits_of<wire::vs_layout, "mjr">(vs),
                     bits_of<wire::vs_layout, "mnr">(vs), bits_of<wire::vs_layout, "ter">(vs));
}

bool controller_properties::admin_only() const {
  return bits_of<wire::cap_layout, "css_noio">(cap) != 0 &&
         bits_of<wire::cap_layout, "css_nvm">(cap) == 0 &&
         bits_of<wire::cap_layout, "css_iocs">(cap) == 0;
}

action read_properties::ask(wire::property which) {
  asking_ = which;
  sent_ = property_get(which);
  return sent_;
}

action read_properties::start() { return ask(wire::property::cap); }

action read_properties::on_reply(const reply& got) {
  // CRTO came with Base 2.0; who claims it and does not have it is held to CAP.TO.
  if (asking_ == wire::property::crto) {
    if (got.result.error) return failed{refused(host_stage::properties, sent_, got)};
    if (got.result.status.ok()) {
      const auto crwmt = bits_of<wire::crto_layout, "crwmt">(value_of(got));
      found_.ready_timeout = std::max(found_.ready_timeout, milliseconds(crwmt * 500));
    }
    return finished{};
  }
  if (!got.result.ok()) {
    auto why = refused(host_stage::properties, sent_, got);
    why.detail = fmt::format("{} ({})", why.detail, property_abbreviation(asking_));
    return failed{std::move(why)};
  }
  if (asking_ == wire::property::cap) {
    found_.cap = value_of(got);
    return ask(wire::property::vs);
  }
  found_.vs = static_cast<std::uint32_t>(value_of(got));
  return check();
}

action read_properties::check() {
  const auto illegal = [&](std::string_view field, std::uint64_t value, std::uint64_t limit,
                           std::string_view reason) {
    return failed{bad_value(host_stage::properties, wire::cap_layout, field, value, limit, reason)};
  };
  if (found_.max_queue_entries() < 2)
    return illegal("mqes", 0, 1, "a queue has at least two entries");
  if (cap<"mpsmin">(found_) > cap<"mpsmax">(found_))
    return illegal("mpsmin", cap<"mpsmin">(found_), cap<"mpsmax">(found_),
                   "the smallest page is larger than the largest (MPSMAX)");
  // 0 is no time at all; take it as the smallest.
  found_.ready_timeout = milliseconds(std::max<std::uint64_t>(cap<"to">(found_), 1) * 500);
  if (cap<"crwms">(found_) != 0) return ask(wire::property::crto);
  return finished{};
}

bool controller_properties::no_command_set() const {
  return bits_of<wire::cap_layout, "css_noio">(cap) == 0 &&
         bits_of<wire::cap_layout, "css_nvm">(cap) == 0 &&
         bits_of<wire::cap_layout, "css_iocs">(cap) == 0;
}

std::uint32_t enabled_cc(const controller_properties& p) {
  std::array<std::byte, 4> cc{};
  const wire::mutable_byte_span b{cc};
  wire::set<wire::cc_layout, "en">(b, 1);
  // The NVM set where it is one of those offered, all that are offered else, none if there is none.
  // An old discovery controller may name nothing at all: it gets 0.
  const bool nvm = cap<"css_nvm">(p) != 0;
  const bool several = cap<"css_iocs">(p) != 0;
  wire::set<wire::cc_layout, "css">(b, p.admin_only() ? 7 : !nvm && several ? 6 : 0);
  wire::set<wire::cc_layout, "mps">(b, cap<"mpsmin">(p));
  // Discovery controllers have these two reserved, yet Linux before 5.13 demands them there too,
  // and no other was seen to mind.
  wire::set<wire::cc_layout, "iosqes">(b, 6);
  wire::set<wire::cc_layout, "iocqes">(b, 4);
  return static_cast<std::uint32_t>(wire::load_le(cc, 0, 4));
}

action enable_machine::ask(step next, send_command c) {
  step_ = next;
  sent_ = std::move(c);
  return sent_;
}

action enable_machine::set_cc(step next, std::uint32_t value) {
  found_.cc = value;
  return ask(next, property_set(wire::property::cc, value));
}

action enable_machine::start() { return ask(step::read_cc, property_get(wire::property::cc)); }

action enable_machine::on_reply(const reply& got, time_point now) {
  if (!got.result.ok()) {
    auto why = refused(host_stage::enable, sent_, got);
    const bool polls = step_ == step::wait_disabled || step_ == step::wait_ready;
    why.detail += polls ? " (CSTS)" : " (CC)";
    return failed{std::move(why)};
  }
  switch (step_) {
    case step::read_cc: {
      const auto cc = static_cast<std::uint32_t>(value_of(got));
      if (bits_of<wire::cc_layout, "en">(cc) == 0) return set_cc(step::enable, enabled_cc(found_));
      return set_cc(step::disable, cc & ~std::uint32_t{1});
    }
    case step::disable:
    case step::enable:
      step_ = step_ == step::enable ? step::wait_ready : step::wait_disabled;
      deadline_ = now + found_.ready_timeout;
      pause_ = first_poll;
      return on_time(now);
    case step::wait_disabled:
    case step::wait_ready:
      ++polls_;
      found_.csts = static_cast<std::uint32_t>(value_of(got));
      return poll(now);
  }
  return finished{};
}

action enable_machine::on_time(time_point) {
  sent_ = property_get(wire::property::csts);
  return sent_;
}

action enable_machine::poll(time_point now) {
  const bool want = step_ == step::wait_ready;
  if (want && bits_of<wire::csts_layout, "cfs">(found_.csts) != 0) {
    host_failure f;
    f.stage = host_stage::enable;
    f.code = errc::controller_fatal;
    f.detail =
        fmt::format("{} while it is being enabled; CSTS is {:08X}h", f.code.message(), found_.csts);
    return failed{std::move(f)};
  }
  if ((bits_of<wire::csts_layout, "rdy">(found_.csts) != 0) == want)
    return want ? action{finished{}} : set_cc(step::enable, enabled_cc(found_));
  if (now >= deadline_) {
    host_failure f;
    f.stage = host_stage::enable;
    f.code = errc::timed_out;
    f.detail = fmt::format(
        "CSTS.RDY did not become {} within {} ms, the time that the controller asks for (CAP.TO); "
        "CSTS is {:08X}h",
        want ? 1 : 0, found_.ready_timeout.count(), found_.csts);
    return failed{std::move(f)};
  }
  const wait_for pause{std::min<duration>(pause_, deadline_ - now)};
  pause_ = std::min(pause_ * 2, last_poll);
  return pause;
}

}  // namespace nvmf::engine
