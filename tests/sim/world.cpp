// SPDX-License-Identifier: BSD-2-Clause
#include "world.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

#include "support/raw_bytes.hpp"

namespace nvmf::sim {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view subsystem = "nqn.2026-11.io.example:sim";
constexpr std::uint32_t device_blocks = 1024;
constexpr std::uint32_t largest = 64;  // blocks of one command

// CIDs: none is given to a second command of its queue while the first may still be answered.
class cid_watch final : public observer {
 public:
  std::string wrong;
  void on_event(const event& e) noexcept override {
    const std::pair key{e.qpair, e.cid};
    if (e.type == event_type::command_out && !open_.insert(key).second)
      wrong = fmt::format("CID {} of qpair {} was given out twice", e.cid, e.qpair);
    if (e.type == event_type::receive_callback && e.has_cid && open_.erase(key) == 0)
      wrong = fmt::format("CID {} of qpair {} was answered twice", e.cid, e.qpair);
  }

 private:
  std::set<std::pair<std::uint32_t, std::uint16_t>> open_;
};

struct command {
  octets data;  // freed within its callback, so that ASan sees whoever touches it later
  std::uint32_t first = 0, count = 0;
  std::uint64_t id = 0;
  bool write = false, flush = false;
};

class world {
 public:
  world(std::uint64_t seed, const run_options& options)
      : luck_(seed), options_(options), net_(time_, luck_, choose_network()) {}
  outcome run();

 private:
  network_shape choose_network();
  void choose_host();
  void set_up_target();
  void associate();
  void on_up(std::expected<void, host_failure> r);
  void again();
  void replace();
  void pump();
  void send(std::unique_ptr<command> c);
  void ended(std::unique_ptr<command> c, const command_result& r);
  void check_all();
  void shut_down();
  bool wait(std::string_view what, auto done);
  void wrong(std::string what) {
    if (result_.wrong.empty()) result_.wrong = std::move(what);
  }
  void say(std::string_view what) {
    if (options_.narrate)
      fmt::print("{:10} ms  {}\n", (time_.now().time_since_epoch() / milliseconds(1)) - 3'600'000,
                 what);
  }

  chance luck_;
  run_options options_;
  outcome result_;
  test::virtual_time time_;
  test::virtual_executor host_on_{time_}, first_{time_}, second_{time_};
  network net_;
  cid_watch cids_;
  transport_registry registry_;
  std::shared_ptr<sim_transport> transport_ = std::make_shared<sim_transport>(net_);
  std::unique_ptr<target> target_;
  association_options host_;
  std::uint32_t depth_ = 1;
  block_model model_{device_blocks};
  std::unique_ptr<association> association_;
  std::uint64_t sent_ = 0, in_flight_ = 0, last_id_ = 0;
  bool working_ = true;  // commands are still to be sent
  bool reconnecting_ = false;
};

network_shape world::choose_network() {
  network_shape s;
  s.delay_most = luck_.any_of<duration>(
      {duration{0}, std::chrono::microseconds(50), milliseconds(1), milliseconds(20)});
  s.window = luck_.any_of<std::size_t>({65'536, 100'000, 1 << 20});
  s.bytewise = luck_.one_in(2);
  s.header_digest = luck_.one_in(2);
  s.data_digest = luck_.one_in(2) || (s.header_digest && luck_.one_in(2));
  if (!luck_.one_in(3)) {
    s.pdus_per_fault = luck_.any_of<std::uint64_t>({20, 100, 500});
    s.faults_most = luck_.between(1, 8);
  }
  return s;
}

void world::choose_host() {
  host_.transport = "sim";
  host_.to = {"target", 4420};
  host_.subsystem_nqn = subsystem;
  host_.host_nqn = "nqn.2026-11.io.example:sim-host";
  host_.host_id[0] = std::byte{1};
  host_.keep_alive =
      luck_.any_of<milliseconds>({milliseconds(0), milliseconds(2000), milliseconds(5000)});
  host_.io_queues = static_cast<std::uint32_t>(luck_.between(1, 4));
  host_.io_queue_size = luck_.any_of<std::uint32_t>({2, 3, 8, 32, 128});
  host_.disable_sq_flow_control = luck_.one_in(2);
  host_.timeout = milliseconds(luck_.between(1'000, 10'000));
  host_.watched_by = &cids_;
  auto& t = host_.transport_settings;
  t.header_digest = net_.shape.header_digest;
  t.data_digest = net_.shape.data_digest;
  t.alignment = static_cast<std::uint32_t>(4 * luck_.between(1, 32));
  t.max_r2t = static_cast<std::uint32_t>(luck_.between(1, 4));
  depth_ = static_cast<std::uint32_t>(luck_.between(1, 40));
}

void world::set_up_target() {
  registry_.add(transport_);
  target_ = target::make(registry_, {&first_, &second_}, {.connect_timeout = milliseconds(5'000)},
                         nullptr, {.on_notice = [this](std::string_view n) { say(n); }});
  subsystem_options options{.nqn = std::string(subsystem)};
  options.max_io_queues = static_cast<std::uint32_t>(luck_.between(1, 4));
  if (!target_->add_subsystem(options)) wrong("the subsystem is refused");
  auto store = make_ram_backend(device_blocks * block_model::block_bytes);
  if (!store || !target_->add_namespace(subsystem, {.store = *store}))
    wrong("the namespace is refused");
  transport_options settings;
  settings.header_digest = net_.shape.header_digest;
  settings.data_digest = net_.shape.data_digest;
  settings.alignment = static_cast<std::uint32_t>(4 * luck_.between(1, 32));
  settings.max_h2c_data = luck_.any_of<std::uint32_t>({4096, 8192, 30'000});
  settings.max_in_capsule = luck_.any_of<std::uint32_t>({0, 4096, 8192});
  settings.ic_timeout = milliseconds(5'000);
  if (!target_->listen({.transport = "sim", .at = {"target", 4420}, .settings = settings}))
    wrong("the target does not listen");
  result_.shape = fmt::format(
      "{} queue(s) of {}, depth {}, HPDA {} CPDA {}, MAXR2T {}, MAXH2CDATA {}, in-capsule {}, "
      "digests {}{}, flow control {}, delay up to {} us, one fault in {} PDUs",
      host_.io_queues, host_.io_queue_size, depth_, host_.transport_settings.alignment,
      settings.alignment, host_.transport_settings.max_r2t, settings.max_h2c_data,
      settings.max_in_capsule, settings.header_digest ? "h" : "", settings.data_digest ? "d" : "",
      host_.disable_sq_flow_control ? "off" : "on",
      net_.shape.delay_most / std::chrono::microseconds(1), net_.shape.pdus_per_fault);
}

void world::associate() {
  reconnecting_ = false;
  net_.doubtful = false;
  ++result_.associations;
  association_ = association::start(
      registry_, host_on_, host_,
      {.on_stage = {},
       .on_up = [this](std::expected<void, host_failure> r) { on_up(std::move(r)); },
       .on_lost =
           [this](const host_failure& f) {
             say(fmt::format("the host lost its association: {}", f.detail));
             if (net_.happened.empty())
               wrong("an association was lost without a fault: " + f.detail);
             again();
           },
       .on_async_event = {}});
}

void world::on_up(std::expected<void, host_failure> r) {
  if (r) {
    say("the host is up");
    return pump();
  }
  say(fmt::format("bring-up failed: {}", r.error().detail));
  if (net_.happened.empty()) wrong("a bring-up failed without a fault: " + r.error().detail);
  again();
}

// A new association, a moment later and outside of the old one's callbacks.
void world::again() {
  if (std::exchange(reconnecting_, true)) return;
  host_on_.start_timer(time_.now() + milliseconds(100), [this, given_up = result_.associations] {
    if (result_.associations == given_up) replace();
  });
}

void world::replace() {
  reconnecting_ = true;  // what the old one says on its way out asks for nothing
  association_.reset();
  if (in_flight_ != 0) wrong(fmt::format("{} commands outlive their association", in_flight_));
  associate();
}

void world::pump() {
  while (working_ && association_->up() && !reconnecting_ && in_flight_ < depth_ &&
         sent_ < options_.commands) {
    auto c = std::make_unique<command>();
    c->id = ++last_id_;
    c->flush = luck_.one_in(20);
    c->write = !c->flush && luck_.one_in(2);
    c->count = static_cast<std::uint32_t>(luck_.one_in(3) ? luck_.between(1, largest)
                                                          : luck_.between(1, 8));
    c->first = static_cast<std::uint32_t>(luck_.between(0, device_blocks - c->count));
    if (c->write && model_.busy(c->first, c->count)) {
      c->write = false;
      c->flush = true;
    }
    ++sent_;
    send(std::move(c));
  }
}

void world::send(std::unique_ptr<command> c) {
  constexpr std::uint8_t flush = 0x00, write = 0x01, read = 0x02;
  test::raw_sqe s = test::sqe(flush, 0, 1);
  auto way = direction::none;
  if (!c->flush) {
    s = test::block_sqe(c->write ? write : read, 0, 1, c->first, c->count, 0);
    way = c->write ? direction::send : direction::receive;
    if (c->write)
      c->data = model_.begin_write(c->first, c->count, c->id);
    else {
      c->data.assign(c->count * block_model::block_bytes, std::byte{0xee});
      model_.begin_read(c->first, c->count, c->id);
    }
  }
  ++in_flight_;
  ++result_.commands;
  const auto qid = static_cast<std::uint16_t>(luck_.between(1, association_->io_queues()));
  const memdesc mem = c->flush ? memdesc{} : memdesc::of(std::span{c->data});
  sqe_bytes bytes{};
  std::memcpy(bytes.data(), s.data(), bytes.size());
  association_->submit(qid, bytes, mem, way, {},
                       [this, c = std::move(c)](const command_result& r) mutable {
                         if (c == nullptr) return wrong("a command ended twice");
                         ended(std::move(c), r);
                       });
}

void world::ended(std::unique_ptr<command> c, const command_result& r) {
  --in_flight_;
  if (!r.ok()) {
    ++result_.failed;
    if (net_.happened.empty())
      wrong(fmt::format("command {} failed without a fault: {} {:#x}", c->id, r.error.message(),
                        r.status.field()));
  }
  const bool good = r.ok() && !net_.doubtful;
  if (c->write) model_.end_write(c->first, c->count, c->id, good);
  if (c->write && net_.doubtful) model_.forget(c->first, c->count);
  if (!c->write && !c->flush) {
    if (std::string bad = model_.end_read(c->id, c->data, good); !bad.empty()) wrong(bad);
  }
  if (r.ok() && !net_.doubtful && r.bytes != c->data.size())
    wrong(fmt::format("command {} succeeded with {} of {} bytes", c->id, r.bytes, c->data.size()));
  if (association_ != nullptr && association_->up()) pump();
}

bool world::wait(std::string_view what, auto done) {
  if (time_.run_until([&] { return !result_.wrong.empty() || done(); }, std::chrono::hours(2)))
    return result_.wrong.empty();
  wrong(fmt::format("waited in vain until {}", what));
  return false;
}

// Every block once more, without faults, over a connection that has seen none.
void world::check_all() {
  net_.calm = true;
  working_ = false;
  if (!net_.happened.empty()) {
    say("the faults are over: a fresh association");
    replace();
  }
  if (!wait("the association is up again", [&] { return association_->up(); })) return;
  for (std::uint32_t first = 0; first < device_blocks; first += largest) {
    auto c = std::make_unique<command>();
    c->id = ++last_id_;
    c->first = first;
    c->count = largest;
    const auto failed = result_.failed;
    send(std::move(c));
    if (!wait("a block is read again", [&] { return in_flight_ == 0; })) return;
    if (result_.failed != failed) return wrong("a read failed after the last fault");
  }
}

void world::shut_down() {
  bool down = false;
  association_->shutdown([&](std::error_code error) {
    down = true;
    if (error) wrong("the shutdown failed: " + error.message());
  });
  if (!wait("the shutdown is done", [&] { return down; })) return;
  association_.reset();
  const auto alone = [&] { return target_->controllers().empty() && transport_->qpairs() == 0; };
  if (!wait("the target has let go of every controller", alone)) return;
  bool stopped = false;
  target_->stop([&] { stopped = true; });
  if (!wait("the target has stopped", [&] { return stopped; })) return;
  target_.reset();
}

outcome world::run() {
  choose_host();
  set_up_target();
  host_on_.post([this] { associate(); });
  const auto finished = [&] { return sent_ == options_.commands && in_flight_ == 0; };
  if (wait("every command has ended", finished)) check_all();
  if (result_.wrong.empty()) shut_down();
  if (!cids_.wrong.empty()) wrong(cids_.wrong);
  result_.faults = net_.happened;
  association_.reset();
  return result_;
}

}  // namespace

outcome run_seed(std::uint64_t seed, const run_options& options) {
  return world(seed, options).run();
}

}  // namespace nvmf::sim
