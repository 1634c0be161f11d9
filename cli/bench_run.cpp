// SPDX-License-Identifier: BSD-2-Clause
#include "bench_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <ostream>

#include "context.hpp"
#include "failure.hpp"
#include "load.hpp"
#include "loop_target.hpp"
#include "render/text.hpp"
#include "session_loop.hpp"
#include "wire/numbers.hpp"

namespace nvmf::cli {
namespace {

constexpr auto read_opcode = static_cast<std::uint8_t>(wire::nvm_opcode::read);

struct totals {
  histogram times;
  duration elapsed{};
  double cpu_seconds = 0;

  void add(const load_report& r) {
    times.merge(r.times);
    elapsed = std::max(elapsed, r.elapsed);
    cpu_seconds += r.cpu_seconds;
  }
  double seconds() const { return std::chrono::duration<double>(elapsed).count(); }
  double iops() const { return seconds() > 0 ? static_cast<double>(times.count()) / seconds() : 0; }
};

// What one reactor does; all of it runs on that reactor.
class worker {
 public:
  worker(const transport_registry& transports, const host_plan& to, const bench_shape& shape,
         reactor& on, std::size_t index, std::move_only_function<void(result)> ended)
      : transports_(transports),
        to_(to),
        shape_(shape),
        on_(on),
        index_(index),
        ended_(std::move(ended)) {}

  void start() {
    if (to_.uri.transport == wire::uri_transport::loop && index_ == 0) {
      auto made = make_loop_target(transports_, on_, to_);
      if (!made) return end(result::fail(exit_status::usage, "loop: " + made.error()));
      loop_target_ = std::move(*made);
    }
    association::callbacks on;
    on.on_up = [this](std::expected<void, host_failure> up) {
      if (up) return begin();
      end(result::fail(status_of(up.error()), explained(up.error(), to_.options, false)));
    };
    on.on_lost = [this](const host_failure& f) {
      end(result::fail(status_of(f), explained(f, to_.options, true)));
    };
    association_ = association::start(transports_, on_, to_.options, std::move(on));
  }
  // From an interrupt: what is in flight is waited for, then the controller is shut down.
  void stop() {
    interrupted_ = true;
    if (load_ != nullptr && !loaded_) return load_->stop();
    if (load_ == nullptr) end(result::fail(exit_status::interrupted, "bench: interrupted"));
  }
  // The loop does not run any more.
  void clear() { association_.reset(); }
  const load_report* report() const { return load_ != nullptr ? &load_->report() : nullptr; }

 private:
  void begin() {
    const std::uint32_t nsid = to_.uri.nsid != 0 ? to_.uri.nsid : 1;
    const auto& spaces = association_->namespaces();
    const auto space = std::ranges::find(spaces, nsid, &namespace_info::nsid);
    if (space == spaces.end())
      return finish(result::fail(exit_status::usage,
                                 fmt::format("bench: the controller has no namespace {}", nsid)));
    if (auto problem = unfit(*space); !problem.empty())
      return finish(result::fail(exit_status::usage, "bench: " + problem));
    load_shape shape{
        .write = shape_.write,
        .random = shape_.random,
        .block_size = space->block_size,
        .blocks = space->blocks,
        .nsid = nsid,
        .blocks_per_command = static_cast<std::uint32_t>(shape_.bytes / space->block_size),
        .depth = shape_.depth,
        .queues = shape_.queues,
        .warm_up = shape_.warm_up,
        .measured = shape_.measured,
        .seed = shape_.seed + index_};
    load_ = std::make_unique<load>(*association_, on_, shape);
    load_->start([this] { loaded(); });
  }

  std::string unfit(const namespace_info& space) const {
    if (shape_.bytes % space.block_size != 0)
      return fmt::format("--bs {} is not a multiple of the block size {}",
                         wire::size_text(shape_.bytes), space.block_size);
    if (shape_.bytes / space.block_size > 65536)
      return fmt::format("--bs {} is more than a command's 65536 blocks",
                         wire::size_text(shape_.bytes));
    if (shape_.bytes > space.blocks * space.block_size)
      return fmt::format("--bs {} is more than the namespace holds", wire::size_text(shape_.bytes));
    const std::uint64_t most = association_->max_transfer();
    if (most != 0 && shape_.bytes > most)
      return fmt::format("--bs {} is more than the controller moves at once: {} (MDTS)",
                         wire::size_text(shape_.bytes), wire::size_text(most));
    if (association_->io_queues() < shape_.queues)
      return fmt::format("--queues {}: the controller granted {}", shape_.queues,
                         association_->io_queues());
    const std::uint32_t entries = association_->queue_limits(1).queue_size;
    if (entries <= shape_.depth)
      return fmt::format("--depth {}: the controller's queues have {} entries, which hold {}",
                         shape_.depth, entries, entries - 1);
    return {};
  }

  void loaded() {
    loaded_ = true;
    const load_report& r = load_->report();
    if (r.failed > 0) {
      const exit_status status = r.failure.ok() ? exit_status::protocol_error
                                                : status_of(r.failure, false, read_opcode, 0);
      return finish(result::fail(
          status, fmt::format("bench: a {} failed: {}", shape_.write ? "write" : "read",
                              r.failure.ok() ? "it moved less data than it was asked for"
                                             : sentence(r.failure, read_opcode))));
    }
    if (interrupted_) return finish(result::fail(exit_status::interrupted, "bench: interrupted"));
    finish({});
  }
  void finish(result r) {
    outcome_ = std::move(r);
    association_->shutdown([this](std::error_code) { end(std::move(outcome_)); });
  }
  void end(result r) {
    if (ended_) std::exchange(ended_, nullptr)(std::move(r));
  }

  const transport_registry& transports_;
  const host_plan& to_;
  const bench_shape& shape_;
  reactor& on_;
  std::size_t index_;
  std::move_only_function<void(result)> ended_;
  std::unique_ptr<load> load_;
  std::unique_ptr<target> loop_target_;  // for nvme+loop:// only
  // Destroyed first: what it still has in flight borrows the load's memory.
  std::unique_ptr<association> association_;
  result outcome_;
  bool interrupted_ = false, loaded_ = false;
};

double us(double nanoseconds) { return std::round(nanoseconds / 100) / 10; }
double us(std::uint64_t nanoseconds) { return us(static_cast<double>(nanoseconds)); }

boost::json::object report_json(const host_plan& to, const bench_shape& shape, std::size_t reactors,
                                const totals& t) {
  const double ops = static_cast<double>(t.times.count());
  return {{"iops", std::round(t.iops())},
          {"schema", "nvmfctl.bench/1"},
          {"uri", to_text(to.uri)},
          {"rw", shape.kind},
          {"bs", shape.bytes},
          {"depth", shape.depth},
          {"queues", shape.queues},
          {"reactors", reactors},
          {"seconds", t.seconds()},
          {"operations", t.times.count()},
          {"mib_per_s", std::round(t.iops() * static_cast<double>(shape.bytes) / 10485.76) / 100},
          {"latency_us",
           {{"min", us(t.times.least())},
            {"mean", us(t.times.mean())},
            {"p50", us(t.times.percentile(0.50))},
            {"p90", us(t.times.percentile(0.90))},
            {"p99", us(t.times.percentile(0.99))},
            {"p99_9", us(t.times.percentile(0.999))},
            {"max", us(t.times.most())}}},
          {"cpu_seconds", t.cpu_seconds},
          {"cpu_us_per_operation", ops > 0 ? std::round(t.cpu_seconds * 1e9 / ops) / 1000 : 0.0}};
}

std::string report_text(const bench_shape& shape, std::size_t reactors, const totals& t,
                        const style& look) {
  const double ops = static_cast<double>(t.times.count());
  std::string out =
      fmt::format("{} of {}, depth {}, {} queue{}, {} reactor{}, {:.2f} s\n", shape.kind,
                  wire::size_text(shape.bytes), shape.depth, shape.queues,
                  shape.queues == 1 ? "" : "s", reactors, reactors == 1 ? "" : "s", t.seconds());
  text_table rows{2};
  rows.add({"IOPS", look(tone::strong, fmt::format("{:.0f}", t.iops()))});
  rows.add({"throughput",
            fmt::format("{:.1f} MiB/s", t.iops() * static_cast<double>(shape.bytes) / 1048576)});
  rows.add({"latency", fmt::format("mean {:.1f} us, p50 {:.1f} us, p99 {:.1f} us, p99.9 {:.1f} us, "
                                   "max {:.1f} us",
                                   us(t.times.mean()), us(t.times.percentile(0.50)),
                                   us(t.times.percentile(0.99)), us(t.times.percentile(0.999)),
                                   us(t.times.most()))});
  rows.add({"CPU", fmt::format("{:.3f} us per operation, {:.0f} % of {} reactor{}",
                               ops > 0 ? t.cpu_seconds * 1e6 / ops : 0.0,
                               t.seconds() > 0 ? t.cpu_seconds * 100 / t.seconds() : 0.0, reactors,
                               reactors == 1 ? "" : "s")});
  return out + rows.str();
}

}  // namespace

result run_bench(context& ctx, const host_plan& to, const bench_shape& shape, reactor_pool& pool) {
  const auto transports = faulty_transports::for_host(
      ctx.transports, to.faults, to.target_faults, to.uri.transport == wire::uri_transport::loop);
  if (!transports) return result::fail(exit_status::usage, transports.error());
  std::mutex guard;  // results come from several threads
  result outcome;
  std::size_t left = pool.size();
  std::vector<std::unique_ptr<worker>> workers;
  for (std::size_t i = 0; i < pool.size(); ++i)
    workers.push_back(
        std::make_unique<worker>(transports->registry(), to, shape, pool.at(i), i, [&](result r) {
          const std::scoped_lock lock{guard};
          if (outcome.status == exit_status::ok) outcome = std::move(r);
          if (--left == 0) pool.stop();
        }));
  for (std::size_t i = 0; i < pool.size(); ++i) pool.at(i).post([&, i] { workers[i]->start(); });
  const interrupts on_signal{pool.at(0), [&](int) {
                               for (std::size_t i = 0; i < pool.size(); ++i)
                                 pool.at(i).post([&, i] { workers[i]->stop(); });
                             }};
  pool.run();
  totals all;
  for (const auto& w : workers) {
    w->clear();
    if (w->report() != nullptr) all.add(*w->report());
  }
  transports->report(ctx);
  if (outcome.status != exit_status::ok) return outcome;
  if (ctx.json())
    outcome.document = report_json(to, shape, pool.size(), all);
  else
    ctx.out << report_text(shape, pool.size(), all, ctx.out_style);
  return outcome;
}

}  // namespace nvmf::cli
