// SPDX-License-Identifier: BSD-2-Clause
#include "world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nvmf/target.hpp>

#include "backend.hpp"
#include "host.hpp"
#include "plans.hpp"
#include "wire.hpp"

namespace nvmf::sim {
namespace {

using std::chrono::milliseconds;

class world {
 public:
  world(std::uint64_t seed, const run_options& options)
      : luck_(seed),
        options_(options),
        log_(time_, options.narrate),
        sabotage_(options.sabotage),
        net_(time_, luck_, log_, watch_, sabotage_, choose_network()),
        // Crimes are to be seen for themselves.
        texts_(options.sabotage == crime::none ? choose_plans(seed) : plan_texts{}),
        plans_(net_, transport_, texts_, seed) {}
  outcome run();

 private:
  network_shape choose_network();
  association_options choose_options(std::size_t number);
  void set_up_target();
  transport_options choose_target_settings();
  void set_up_hosts();
  void on_notice(std::string_view text);
  void change_namespaces();
  bool wait(std::string_view what, auto done);
  void check_all();
  void shut_down();
  void look_at_memory();

  chance luck_;
  run_options options_;
  test::virtual_time time_;
  journal log_;
  saboteur sabotage_;
  wire_watch watch_{time_, log_};
  test::virtual_executor first_{time_}, second_{time_};
  std::deque<test::virtual_executor> host_executors_;
  network net_;
  transport_registry registry_;
  std::shared_ptr<sim_transport> transport_ = std::make_shared<sim_transport>(net_);
  plan_texts texts_;
  plans plans_;
  block_model model_{device_blocks};
  std::deque<user_memory> memory_;
  std::uint64_t last_id_ = 0;
  scene scene_{net_, model_, registry_, memory_, last_id_};
  std::unique_ptr<target> target_;
  std::deque<sim_host> hosts_;
  bool header_digest_ = false, data_digest_ = false;
  bool second_namespace_ = false;
  std::string shape_;
};

network_shape world::choose_network() {
  network_shape s;
  s.delay_most = luck_.any_of<duration>(
      {duration{0}, std::chrono::microseconds(50), milliseconds(1), milliseconds(20)});
  s.window = luck_.any_of<std::size_t>({65'536, 100'000, 1 << 20});
  s.bytewise = luck_.one_in(2);
  if (!luck_.one_in(3)) {
    s.faults.pdus_per_fault = luck_.any_of<std::uint64_t>({20, 100, 500});
    s.faults.most = luck_.between(1, 8);
  }
  return s;
}

association_options world::choose_options(std::size_t number) {
  association_options o;
  o.transport = "sim";
  o.to = {"target", 4420};
  o.subsystem_nqn = subsystem_nqn;
  o.host_nqn = fmt::format("nqn.2026-11.io.example:sim-host-{}", number);
  if (plans_.any()) o.watched_by = &plans_;
  o.host_id[0] = static_cast<std::byte>(number + 1);
  o.keep_alive = luck_.any_of<milliseconds>(
      {milliseconds(0), milliseconds(2000), milliseconds(2050), milliseconds(5000)});
  o.io_queues = static_cast<std::uint32_t>(luck_.between(1, 4));
  o.io_queue_size = luck_.any_of<std::uint32_t>({2, 3, 8, 32, 128});
  o.disable_sq_flow_control = luck_.one_in(2);
  o.timeout = milliseconds(luck_.between(1'000, 10'000));
  auto& t = o.transport_settings;
  t.header_digest = header_digest_;
  t.data_digest = data_digest_;
  t.alignment = static_cast<std::uint32_t>(4 * luck_.between(1, 32));
  t.max_r2t = static_cast<std::uint32_t>(luck_.between(1, 4));
  return o;
}

transport_options world::choose_target_settings() {
  transport_options s;
  s.header_digest = header_digest_;
  s.data_digest = data_digest_;
  s.alignment = static_cast<std::uint32_t>(4 * luck_.between(1, 32));
  s.max_h2c_data = luck_.any_of<std::uint32_t>({4096, 8192, 30'000});
  s.max_in_capsule = luck_.any_of<std::uint32_t>({0, 4096, 8192});
  s.ic_timeout = milliseconds(5'000);
  return s;
}

// "HOST left SUBSYSTEM, controller 7: keep alive timeout"
void world::on_notice(std::string_view text) {
  log_.say(fmt::format("target: {}", text));
  constexpr std::string_view before = ", controller ", why = ": keep alive timeout";
  const auto at = text.find(before);
  if (at == text.npos || text.find(why) == text.npos) return;
  const std::string number(text.substr(at + before.size()));
  watch_.expired(static_cast<std::uint16_t>(std::stoul(number)));
}

void world::set_up_target() {
  registry_.add(plans_.any() ? plans_.wrapped() : transport_);
  target_ = target::make(registry_, {&first_, &second_}, {.connect_timeout = milliseconds(5'000)},
                         plans_.any() ? &plans_ : nullptr,
                         {.on_notice = [this](std::string_view n) { on_notice(n); }});
  subsystem_options options{.nqn = std::string(subsystem_nqn)};
  options.max_io_queues = static_cast<std::uint32_t>(luck_.between(1, 4));
  if (!target_->add_subsystem(options)) log_.wrong("the subsystem is refused");
  auto ram = make_ram_backend(device_blocks * block_model::block_bytes);
  const duration disk =
      luck_.any_of<duration>({duration{0}, std::chrono::microseconds(100), milliseconds(10)});
  const auto store = std::make_shared<slow_backend>(*ram, luck_, sabotage_, disk);
  if (!target_->add_namespace(subsystem_nqn, {.nsid = 1, .store = store}))
    log_.wrong("the namespace is refused");
  const transport_options settings = choose_target_settings();
  if (!target_->listen({.transport = "sim", .at = {"target", 4420}, .settings = settings}))
    log_.wrong("the target does not listen");
  shape_ = fmt::format(
      "CPDA {}, MAXH2CDATA {}, in-capsule {}, digests {}{}, delay up to {} us, window {}, disk up "
      "to {} us, at most {} faults, one in {} PDUs",
      settings.alignment, settings.max_h2c_data, settings.max_in_capsule, header_digest_ ? "h" : "",
      data_digest_ ? "d" : "", net_.shape.delay_most / std::chrono::microseconds(1),
      net_.shape.window, disk / std::chrono::microseconds(1), net_.shape.faults.most,
      net_.shape.faults.pdus_per_fault);
}

void world::set_up_hosts() {
  const std::uint64_t count = luck_.any_of<std::uint64_t>({1, 1, 2, 3});
  // Crimes are to be seen for themselves.
  const bool quiet = sabotage_.what() != crime::none || luck_.one_in(3);
  for (std::size_t i = 0; i < count; ++i) {
    host_shape s;
    s.options = choose_options(i);
    s.depth = static_cast<std::uint32_t>(luck_.between(1, 40));
    s.commands = options_.commands / count;
    s.mischief_every = quiet ? 0 : luck_.between(20, 100);
    s.planned = plans_.any();
    shape_ += fmt::format(
        "\n  host {}: {} queue(s) of {}, depth {}, KATO {} ms, timeout {} ms, HPDA {}, MAXR2T {}, "
        "flow control {}, lets go once in {} commands",
        i, s.options.io_queues, s.options.io_queue_size, s.depth, s.options.keep_alive.count(),
        s.options.timeout.count(), s.options.transport_settings.alignment,
        s.options.transport_settings.max_r2t, s.options.disable_sq_flow_control ? "off" : "on",
        s.mischief_every);
    hosts_.emplace_back(scene_, host_executors_.emplace_back(time_), i, std::move(s));
  }
  if (!texts_.host.empty()) shape_ += "\n  plan of the hosts: " + texts_.host;
  if (!texts_.controller.empty()) shape_ += "\n  plan of the target: " + texts_.controller;
  log_.say(shape_);
  for (sim_host& h : hosts_) h.start();
}

// Now and then a second namespace comes or goes: events for every host.
void world::change_namespaces() {
  first_.start_timer(time_.now() + milliseconds(luck_.between(1, 2'000)), [this] {
    if (target_ == nullptr || net_.faults.calm) return;
    if (std::exchange(second_namespace_, !second_namespace_)) {
      if (!target_->remove_namespace(subsystem_nqn, 2)) log_.wrong("a namespace cannot be removed");
    } else if (!target_->add_namespace(subsystem_nqn,
                                       {.nsid = 2, .store = *make_null_backend(1 << 20)})) {
      log_.wrong("a namespace cannot be added");
    }
    change_namespaces();
  });
}

bool world::wait(std::string_view what, auto done) {
  const auto well = [&] { return log_.what_is_wrong().empty(); };
  if (time_.run_until([&] { return !well() || done(); }, std::chrono::hours(2))) return well();
  log_.wrong(fmt::format("waited in vain until {}", what));
  return false;
}

// Every block once more, without faults, over a connection that has seen none.
void world::check_all() {
  net_.faults.calm = true;
  for (sim_host& h : hosts_) h.settle_down();
  const auto all_up = [&] { return std::ranges::all_of(hosts_, &sim_host::up); };
  if (!wait("every host is up again", all_up)) return;
  sim_host& reader = hosts_.front();
  for (std::uint32_t first = 0; first < device_blocks; first += largest_command) {
    const auto failed = reader.failed();
    reader.read(first, largest_command);
    if (!wait("a block is read again", [&] { return !reader.busy(); })) return;
    if (reader.failed() != failed) return log_.wrong("a read failed after the last fault");
  }
}

void world::shut_down() {
  std::size_t down = 0;
  for (sim_host& h : hosts_)
    h.shut_down([&](std::error_code error) {
      ++down;
      if (error) log_.wrong("the shutdown failed: " + error.message());
    });
  if (!wait("the shutdown is done", [&] { return down == hosts_.size(); })) return;
  for (sim_host& h : hosts_) h.let_go();
  const auto alone = [&] { return target_->controllers().empty() && transport_->qpairs() == 0; };
  const bool by_itself = !net_.deaf_controllers;
  if (by_itself && !wait("the target has let go of every controller", alone)) return;
  bool stopped = false;
  target_->stop([&] { stopped = true; });
  if (!wait("the target has stopped", [&] { return stopped; })) return;
  if (!wait("the target has let go of every controller", alone)) return;
  target_.reset();
  // Whatever may still be under way comes now, and finds nobody.
  time_.advance(std::chrono::minutes(3));
  watch_.at_the_end();
}

void world::look_at_memory() {
  for (user_memory& m : memory_)
    if (std::string touched = m.check(); !touched.empty()) return log_.wrong(touched);
}

outcome world::run() {
  header_digest_ = luck_.one_in(2);
  data_digest_ = luck_.one_in(2) || (header_digest_ && luck_.one_in(2));
  set_up_target();
  set_up_hosts();
  change_namespaces();
  const auto finished = [&] { return std::ranges::all_of(hosts_, &sim_host::finished); };
  if (wait("every command has ended", finished)) check_all();
  if (log_.what_is_wrong().empty()) shut_down();
  for (sim_host& h : hosts_) h.let_go();
  if (log_.what_is_wrong().empty()) look_at_memory();
  outcome o;
  for (const sim_host& h : hosts_) {
    o.commands += h.commands();
    o.failed += h.failed();
    o.associations += h.associations();
  }
  o.counts = log_.counts();
  o.hash = log_.hash();
  o.shape = shape_;
  o.wrong = log_.what_is_wrong();
  return o;
}

constexpr std::string_view occurrences[] = {"delay",
                                            "split",
                                            "merge",
                                            "full window",
                                            "reset",
                                            "cut",
                                            "stall",
                                            "silence",
                                            "duplicate",
                                            "wrong CID",
                                            "header flip",
                                            "data flip",
                                            "freed in the middle",
                                            "freed in a callback",
                                            "shutdown",
                                            "disconnect",
                                            "pause",
                                            "association lost",
                                            "bring-up failed",
                                            "async event",
                                            "keep alive",
                                            "host given up",
                                            "controller given up"};

}  // namespace

std::span<const std::string_view> must_occur() {
  static const std::vector<std::string_view> all = [] {
    std::vector<std::string_view> made(std::begin(occurrences), std::end(occurrences));
    made.insert(made.end(), plan_actions().begin(), plan_actions().end());
    return made;
  }();
  return all;
}

outcome run_seed(std::uint64_t seed, const run_options& options) {
  return world(seed, options).run();
}

}  // namespace nvmf::sim
