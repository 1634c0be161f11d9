// SPDX-License-Identifier: BSD-2-Clause
// A controller that answers the bring-up, the reading of the discovery log and the shutdown as the
// input says: decently where it says nothing, else with any status, any completion, any bytes in
// any place of its data. Whatever comes, the machines end, keep their bounds, and what they say of
// it can be shown.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "engine/host/bring_up.hpp"
#include "engine/host/discovery.hpp"
#include "engine/host/explain.hpp"
#include "engine/host/shutdown.hpp"
#include "fuzz/input.hpp"

using namespace nvmf;
using namespace nvmf::engine;
using nvmf::fuzz::input;
using nvmf::fuzz::require;

namespace {

void require_text(const std::string& text) {
  require(!text.empty());
  require(std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; }));
}

void put(std::vector<std::byte>& b, std::size_t at, std::size_t size, std::uint64_t v) {
  for (std::size_t i = 0; i < size && at + i < b.size(); ++i)
    b[at + i] = static_cast<std::byte>(v >> (8 * i));
}

// By hand, as everything here: what a decent I/O controller returns.
std::vector<std::byte> identify_controller() {
  std::vector<std::byte> b(4096);
  put(b, 78, 2, 1);
  put(b, 80, 4, 0x0001'0400);
  put(b, 92, 4, 0x100);
  put(b, 111, 1, 1);
  put(b, 320, 2, 10);
  put(b, 512, 2, 0x4466);
  put(b, 514, 2, 64);
  put(b, 516, 4, 8);
  put(b, 536, 4, 0x0010'0001);
  put(b, 1792, 4, 260);
  put(b, 1796, 4, 1);
  return b;
}

class controller {
 public:
  explicit controller(input& in) : in_(in) {}

  // The answer to a command, and its data.
  reply answer(const send_command& c) {
    data_.assign(c.receive, std::byte{0});
    std::vector<std::byte> cqe(16);
    decent(c, cqe);
    spoil(cqe);
    reply r;
    r.sqe = c.sqe;
    std::memcpy(r.result.cqe.data(), cqe.data(), 16);
    r.result.has_cqe = true;
    r.result.sqhd_valid = true;
    r.result.status = nvme_status::from_cqe_word(static_cast<std::uint16_t>(
        std::to_integer<unsigned>(cqe[14]) | std::to_integer<unsigned>(cqe[15]) << 8));
    if (lost_) {
      r.result = {};
      r.result.error = errc::reset;
    }
    r.result.bytes = data_.size();
    r.data = data_;
    return r;
  }

 private:
  void decent(const send_command& c, std::vector<std::byte>& cqe) {
    const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(c.sqe[i]); };
    if (byte(0) == 0x7f) {
      if (byte(4) == 1) put(cqe, 0, 2, 1);
      if (byte(4) == 0) cc_ = byte(48) | byte(49) << 8;
      if (byte(4) == 4 && byte(44) == 0x00) put(cqe, 0, 8, 0x0000'0020'0f01'003f);
      if (byte(4) == 4 && byte(44) == 0x1c)
        put(cqe, 0, 4, (cc_ & 1) | ((cc_ & 0xc000) != 0 ? 8u : 0u));
    } else if (byte(0) == 0x06 && byte(40) == 1) {
      data_ = identify_controller();
    } else if (byte(0) == 0x06 && byte(40) == 2) {
      put(data_, 0, 4, 1);
      put(data_, 4, 4, 2);
    } else if (byte(0) == 0x06) {
      put(data_, 0, 8, 1000);
      put(data_, 130, 1, 9);
    } else if (byte(0) == 0x09) {
      put(cqe, 0, 4, 0x0001'0001);
    } else if (byte(0) == 0x02) {
      put(data_, 0, 8, 1);  // GENCTR
      put(data_, 8, 8, 3);  // NUMREC
    }
  }
  // Up to three changes to the completion and to the data.
  void spoil(std::vector<std::byte>& cqe) {
    for (int i = 0; i < 3; ++i) {
      const std::uint8_t what = in_.byte();
      if (what < 0xc0) return;
      if (what < 0xfe) {
        const bool completion = what < 0xd0;
        const std::size_t at = completion ? in_.byte() % 16 : in_.number(2);
        const std::uint64_t value = in_.number(4);
        if (completion)
          put(cqe, at, 1 + what % 4, value);
        else
          put(data_, at, 1 + what % 8, value);
      }
      if (what == 0xfe) std::ranges::fill(data_, static_cast<std::byte>(in_.byte()));
      if (what == 0xff) lost_ = true;
    }
  }

  input& in_;
  unsigned cc_ = 0;
  bool lost_ = false;
  std::vector<std::byte> data_;
};

// Runs a machine to its end; every path through it must end.
template <class Machine, class Other>
bool run(Machine& m, action next, controller& peer, time_point& now,
         const association_options& options, Other other) {
  for (int steps = 0;; ++steps) {
    require(steps < 100'000);
    if (auto* c = std::get_if<send_command>(&next)) {
      const reply r = peer.answer(*c);
      now += std::chrono::microseconds(100);
      if constexpr (requires { m.on_reply(r, now); })
        next = m.on_reply(r, now);
      else
        next = m.on_reply(r);
    } else if (auto* w = std::get_if<wait_for>(&next)) {
      require(w->time.count() >= 0);
      now += w->time;
      if constexpr (requires { m.on_time(now); }) next = m.on_time(now);
    } else if (auto* q = std::get_if<open_queue>(&next)) {
      next = other(*q);
    } else if (auto* f = std::get_if<failed>(&next)) {
      require(f->why.code || !f->why.status.ok());
      require_text(f->why.detail);
      const explanation e = explain(f->why, options);
      require_text(e.what);
      require_text(e.cause);
      require_text(e.advice);
      return false;
    } else {
      return true;
    }
  }
}

void check_facts(const bring_up& m, const association_options& o) {
  const bring_up_facts& f = m.facts();
  require(f.namespaces.size() <= namespace_limit);
  for (const namespace_info& n : f.namespaces) {
    require(n.nsid >= 1 && n.nsid <= f.controller.namespaces);
    require(n.block_size >= 512 && n.blocks > 0);
  }
  require(f.queues_granted <= o.io_queues && f.io.size() <= f.queues_granted);
  for (const queue_facts& q : f.io) require(q.entries >= 2 && q.entries <= o.io_queue_size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  input in{data, size};
  controller peer(in);
  association_options o;
  const std::uint8_t wish = in.byte();
  o.host_nqn = "nqn.2026-01.io.example:host";
  o.subsystem_nqn =
      (wish & 1) != 0 ? "nqn.2014-08.org.nvmexpress.discovery" : "nqn.2026-01.io.example:sub";
  o.io_queues = 2;
  o.disable_sq_flow_control = (wish & 2) != 0;
  const capabilities caps{.keyed_sgl = (wish & 4) != 0};
  time_point now{std::chrono::hours(1)};

  bring_up m(o, caps, nullptr);
  const bool up =
      run(m, m.start(now), peer, now, o, [&](const open_queue&) { return m.on_queue(now); });
  check_facts(m, o);
  for (const stage_report& r : m.take_reports()) require_text(r.verdict);
  if (!up) return 0;
  const auto none = [](const open_queue&) -> action { std::abort(); };
  discovery_reader reader(
      m.facts().controller.max_transfer == 0 ? 0xffff'ffff : m.facts().controller.max_transfer);
  run(reader, reader.start(), peer, now, o, none);
  require(reader.log().entries.size() <= discovery_entry_limit);
  shutdown_machine down(m.facts().properties.cc, now + std::chrono::seconds(10));
  run(down, down.start(), peer, now, o, none);
  return 0;
}
