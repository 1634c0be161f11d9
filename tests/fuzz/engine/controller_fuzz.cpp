// SPDX-License-Identifier: BSD-2-Clause
// A controller, and a host that sends any command at any time: Connects, admin commands and I/O
// commands with fields from the input, while namespaces come and go, queues end and time passes.
// Whatever comes: what is answered fits what was asked for, each Asynchronous Event Request is
// answered at most once and only one that is out, queues stay within the grant, no command reaches
// beyond its namespace, and the timer never asks for the past. seeds.py writes such scripts.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <vector>

#include "engine/controller/controller.hpp"
#include "engine/controller/io_command.hpp"
#include "fuzz/input.hpp"

using namespace nvmf;
using namespace nvmf::engine;
using nvmf::fuzz::input;
using nvmf::fuzz::require;

namespace {

void put(std::span<std::byte> b, std::size_t at, std::size_t size, std::uint64_t v) {
  for (std::size_t i = 0; i < size && at + i < b.size(); ++i)
    b[at + i] = static_cast<std::byte>(v >> (8 * i));
}
void put_text(std::span<std::byte> b, std::size_t at, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) b[at + i] = static_cast<std::byte>(text[i]);
}

constexpr std::string_view subsystem = "nqn.2026-11.io.example:one";
constexpr std::string_view host = "nqn.2026-11.io.example:host";

controller_config config_of(std::uint8_t o) {
  controller_config k;
  k.kind = (o & 1) != 0 ? controller_kind::discovery : controller_kind::io;
  k.cntlid = 7;
  k.subsystem_nqn = (o & 1) != 0 ? "nqn.2014-08.org.nvmexpress.discovery" : subsystem;
  k.host_nqn = host;
  k.host.fill(std::byte{0x11});
  k.serial = "SN1";
  k.model = "Model";
  k.firmware = "1.2";
  k.static_model = (o & 2) != 0;
  k.io_queues_max = 4;
  k.io_queue_entries_max = 128;
  k.mdts = (o & 4) != 0 ? 0 : 5;
  k.in_capsule_bytes = 8192;
  k.keyed_sgl = (o & 8) != 0;
  k.offset_sgl = (o & 16) != 0;
  k.kato_ms = (o & 32) != 0 ? 5000 : 0;
  k.kato_max_ms = 60'000;
  k.trtype = 3;
  return k;
}

class world final : surroundings {
 public:
  explicit world(input& in) : in_(in), config_(config_of(in.byte())), c_(config_, *this, now_) {}

  // False: the association has ended.
  bool step() {
    switch (in_.byte() % 8) {
      case 0:
      case 1:
        admin_command();
        break;
      case 2:
        connect();
        break;
      case 3:
        io_command();
        break;
      case 4:
        if (!queues_.empty()) queue_gone(*queues_.begin());
        break;
      case 5:
        time_passes();
        break;
      case 6:
        change_namespaces();
        break;
      case 7:
        if (in_.byte() % 16 == 0) c_.on_fatal("the peer broke the protocol");
        c_.on_discovery_changed();
        break;
    }
    return settle();
  }

 private:
  std::span<const namespace_view> namespaces() const override { return all_; }
  io_counters counters() const override { return {.read_bytes = ~0ull, .read_commands = 1}; }
  bool io_traffic() override { return in_.byte() % 2 == 0; }
  std::vector<std::byte> discovery_log() const override {
    static const discovery_source source{
        .generation = 3,
        .ports = {{3, "127.0.0.1", 4420, 1}, {254, "here", 0, 2}},
        .subsystems = {{std::string(subsystem), {}, false}, {"nqn.x", {"nqn.y"}, true}}};
    return discovery_page(source, host, "127.0.0.1");
  }

  // Opcode, NSID and dwords 10 to 15 from the input, as many as its next byte says.
  std::array<std::byte, 64> sqe() {
    std::array<std::byte, 64> s{};
    put(s, 0, 1, in_.byte());
    put(s, 1, 1, 0x40);
    put(s, 2, 2, cid_++);
    const std::uint8_t which = in_.byte();
    if ((which & 1) != 0) put(s, 4, 4, in_.number(4));
    for (std::size_t i = 0; i < 6; ++i)
      if ((which >> (i + 1) & 1) != 0) put(s, 40 + 4 * i, 4, in_.number(4));
    // Any byte but those of the CID: transports let none through that is taken.
    if (const auto at = (which & 0x80) != 0 ? in_.byte() % 64u : 2u; at / 2 != 1)
      put(s, at, 1, in_.byte());
    return s;
  }
  std::uint32_t length() {
    static constexpr std::uint32_t some[] = {0, 4, 16, 512, 1024, 4096, 131'072, 0xffff'ffff};
    return some[in_.byte() % std::size(some)];
  }

  void admin_command() {
    const auto s = sqe();
    const std::uint32_t data_length = length();
    const answer a = c_.on_command(s, data_length, now_);
    require(a.data.size() <= data_length);
    if (!a.status.ok()) {
      require(a.data.empty() && !a.held && a.status.more);
      require(a.location == no_location || a.location < 64);
    }
    if (!a.held) return;
    require(std::to_integer<unsigned>(s[0]) == 0x0c && a.data.empty());
    requests_.push_back(static_cast<std::uint16_t>(cid_ - 1));
  }

  // A good Connect for an I/O queue, but for what the input changes.
  void connect() {
    std::array<std::byte, 64> s{};
    put(s, 0, 1, 0x7f);
    put(s, 4, 1, 1);
    put(s, 42, 2, 1 + in_.byte() % 6);
    put(s, 44, 2, 127);
    std::vector<std::byte> data(1024);
    std::ranges::fill(std::span(data).first(16), std::byte{0x11});
    put(data, 16, 2, 7);
    put_text(data, 256, subsystem);
    put_text(data, 512, host);
    for (std::uint8_t n = in_.byte() % 4; n > 0; --n) {
      const auto at = static_cast<std::size_t>(in_.number(2));
      if (at % 2 == 0)
        put(s, at / 2 % 64, 1, in_.byte());
      else
        put(data, at / 2 % 1024, 1, in_.byte());
    }
    if (in_.byte() % 16 == 0) data.resize(in_.number(2) % 1100);
    const auto data_length = static_cast<std::uint32_t>(data.size());
    if (!expect_connect(s) || !check_connect_sqe(s, data_length)) return;
    const auto asked = read_connect(s, data);
    if (!asked) return check_refusal(asked.error());
    require(asked->subsystem_nqn.size() <= 223 && asked->host_nqn.size() <= 223);
    const connect_rules rules{.discovery = config_.kind == controller_kind::discovery,
                              .static_model = config_.static_model,
                              .static_controllers = 8,
                              .io_queue_entries_max = config_.io_queue_entries_max,
                              .kato_max_ms = config_.kato_max_ms};
    if (const auto fits = check_against(*asked, rules); !fits) return check_refusal(fits.error());
    require(asked->queue_size >= 2);
    if (asked->qid == 0) return;
    require(asked->queue_size <= config_.io_queue_entries_max);
    if (const auto joined = c_.on_io_connect(*asked); !joined) return check_refusal(joined.error());
    require(queues_.insert(asked->qid).second);
    require(asked->qid <= config_.io_queues_max && asked->host_nqn == host);
  }
  void check_refusal(const refusal& r) {
    require(!r.status.ok() && !r.why.empty());
    require((r.dw0 & 0xffff) < 1024 && r.dw0 >> 17 == 0);
  }

  void io_command() {
    const auto s = sqe();
    const std::uint32_t data_length = length();
    const auto found = std::ranges::find(all_, io_nsid(s), &namespace_view::nsid);
    const namespace_view* ns = found == all_.end() ? nullptr : &*found;
    const io_limits limits{.transfer_max = config_.mdts == 0 ? 0u : 131'072u};
    const auto r = read_io_command(s, data_length, ns, limits);
    if (!r) {
      check_refusal(r.error());
      return c_.on_io_error({.sqid = 1, .status = r.error().status, .lba = io_lba(s)}, 0);
    }
    require(r->bytes <= data_length);
    if (r->kind == io_kind::flush || r->kind == io_kind::hint) return;
    require(ns != nullptr && r->nsid == ns->nsid);
    if (r->kind == io_kind::deallocate) return ranges(*r, *ns);
    require(r->lba < ns->blocks && r->blocks <= ns->blocks - r->lba);
    require(limits.transfer_max == 0 || r->bytes <= limits.transfer_max);
    const bool writes = r->kind == io_kind::write || r->kind == io_kind::write_zeroes;
    require(!writes || !ns->read_only);
  }
  void ranges(const io_request& r, const namespace_view& ns) {
    require(r.ranges >= 1 && r.ranges <= 256 && r.bytes == r.ranges * dsm_range_bytes);
    std::vector<std::byte> data(r.bytes);
    for (std::size_t i = 0; i < r.ranges && !in_.done(); ++i) {
      put(data, i * 16 + 4, 4, in_.number(4));
      put(data, i * 16 + 8, 8, in_.number(8));
    }
    for (std::size_t i = 0; i < r.ranges; ++i)
      if (const auto range = read_range(data, i, ns); range && range->blocks > 0)
        require(range->lba < ns.blocks && range->blocks <= ns.blocks - range->lba);
  }

  void queue_gone(std::uint16_t qid) {
    queues_.erase(qid);
    c_.on_io_queue_gone(qid, now_);
  }
  void time_passes() {
    now_ += std::chrono::milliseconds(in_.number(3));
    c_.on_time(now_);
  }
  void change_namespaces() {
    const std::uint32_t nsid = 1 + in_.byte() % 8;
    const auto at = std::ranges::lower_bound(all_, nsid, {}, &namespace_view::nsid);
    if (at != all_.end() && at->nsid == nsid)
      all_.erase(at);
    else
      all_.insert(at, {.nsid = nsid,
                       .blocks = 1 + in_.number(2),
                       .block_size = 512u << nsid % 4,
                       .read_only = nsid % 3 == 0,
                       .deallocates = nsid % 2 == 0});
    c_.on_namespaces_changed({&nsid, 1});
  }

  // What is due after every call.
  bool settle() {
    for (int wishes = 0;; ++wishes) {
      require(wishes < 1000);
      const auto w = c_.next_wish();
      if (!w) break;
      if (w->what == wish::kind::end_association) {
        require(c_.ended() && !c_.deadline() && !w->why.empty());
        return false;
      }
      if (w->what == wish::kind::complete) require(std::erase(requests_, w->cid) == 1);
      if (w->what == wish::kind::end_io_queues)
        while (!queues_.empty()) queue_gone(*queues_.begin());
    }
    require(!c_.ended() && requests_.size() <= async_event_limit + 1u);
    require(c_.io_queues() == queues_.size() && queues_.size() <= config_.io_queues_max);
    if (const auto due = c_.deadline(); due && *due <= now_) {
      c_.on_time(now_);
      const auto next = c_.deadline();
      require(!next || *next > now_);
      return settle();
    }
    return true;
  }

  input& in_;
  time_point now_{std::chrono::hours(1)};
  std::vector<namespace_view> all_{{1, 2048, 512, false, true}, {3, 64, 4096, true, false}};
  controller_config config_;
  controller c_;
  std::uint16_t cid_ = 1;
  std::vector<std::uint16_t> requests_;  // AERs that are out
  std::set<std::uint16_t> queues_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  input in{data, size};
  world w(in);
  for (int steps = 0; !in.done() && steps < 500; ++steps)
    if (!w.step()) return 0;
  return 0;
}
