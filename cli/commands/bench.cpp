// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <array>
#include <ostream>

#include "bench_run.hpp"
#include "context.hpp"
#include "reactor_pool.hpp"
#include "tracing/inside_trace.hpp"
#include "values.hpp"

namespace nvmf::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 4> kinds{"read", "write", "randread", "randwrite"};
constexpr unsigned cpu_max = 1023;

class bench_command final : public command {
 public:
  const command_info& info() const override {
    static constexpr std::array<example, 3> examples{{
        {"bench $URI --rw randread --bs 4K --depth 32", "ten seconds of random reads"},
        {"bench $URI --rw read --bs 128K --depth 8 --time 30 --json", "for scripts"},
        {"bench $URI --rw randread --depth 1 --poll --cpus 1", "latency, without sleeping"},
    }};
    static constexpr std::array<json_key, 13> keys{{
        {"iops", "commands completed in a second"},
        {"uri", "the address"},
        {"rw", "read, write, randread or randwrite"},
        {"bs", "bytes of a command"},
        {"depth", "commands in flight on each queue"},
        {"queues", "I/O queues of each reactor"},
        {"reactors", "threads, each with its association"},
        {"seconds", "how long was measured"},
        {"operations", "commands completed in that time"},
        {"mib_per_s", "data moved, MiB a second"},
        {"latency_us",
         "\"min\", \"mean\", \"p50\", \"p90\", \"p99\", \"p99_9\" and \"max\", microseconds"},
        {"cpu_seconds", "CPU time of the reactors"},
        {"cpu_us_per_operation", "the same for each command, microseconds"},
    }};
    static constexpr command_info about{
        .name = "bench",
        .summary = "measure IOPS and latency of a namespace",
        .usage = "[URI]",
        .details =
            "Keeps a fixed number of commands in flight on every queue and submits the next from "
            "the completion of the one before. After a warm-up it measures: IOPS, MiB/s, the "
            "latency of each command from submit to callback, and the CPU time of the reactors. "
            "Every status is checked; the first failure ends it. --rw write and randwrite "
            "overwrite what is in the namespace.",
        .examples = examples,
        .statuses = io_statuses,
        .keys = keys,
    };
    return about;
  }
  void add_options(option_table& table) override {
    host_.add_address(table);
    table.choice("--rw", "KIND", kind_, kinds, "what to do");
    table.size("--bs", "SIZE", shape_.bytes, "bytes of a command", {.min = 512, .max = 1u << 30});
    table.number("--depth", "N", shape_.depth, "commands in flight on each queue", 1, 65535);
    table.number("--queues", "N", shape_.queues, "I/O queues of each reactor", 1, 65535);
    table.duration("--time", "SECONDS", shape_.measured, 1s, "how long to measure");
    table.duration("--warm-up", "SECONDS", shape_.warm_up, 1s, "how long to run before");
    table.number("--reactors", "N", reactors_, "threads, each with an association of its own", 1,
                 256);
    table.flag("--poll", poll_, "never sleep");
    table.custom("--cpus", "LIST", "CPUs to pin the reactors to, such as 0,2-3",
                 [this](std::string_view text) -> std::expected<void, std::string> {
                   auto list = parse_list(text, cpu_max);
                   if (!list) return std::unexpected(to_text(list.error()));
                   cpus_ = std::move(*list);
                   return check_cpus(cpus_);
                 });
    table.number("--seed", "N", shape_.seed, "of the random places");
    host_.add_connection(table);
    host_.add_queue_options(table);
    trace_.add(table);
  }
  result run(context& ctx) override {
    host_.set_default_uri(ctx.default_uri);
    auto to = host_.plan(false);
    if (!to) return result::fail(exit_status::usage, "bench: " + to.error());
    shape_.write = kind_ == 1 || kind_ == 3;
    shape_.random = kind_ >= 2;
    shape_.kind = kinds[kind_];
    to->options.io_queues = shape_.queues;
    // A queue of N entries holds N - 1 commands.
    if (to->options.io_queue_size <= shape_.depth) to->options.io_queue_size = shape_.depth + 1;
    const auto shown = inside_trace::start(trace_, ctx);
    if (!shown) return result::fail(exit_status::usage, "bench: " + shown.error());
    if (*shown != nullptr) to->options.watched_by = (*shown)->before(nullptr);
    reactor_pool pool{reactors_, poll_, cpus_};
    result r = run_bench(ctx, *to, shape_, pool);
    inside_trace::end(*shown, ctx, "bench", r);
    return r;
  }

 private:
  host_options host_;
  trace_choice trace_;
  std::size_t kind_ = 2;
  bench_shape shape_;
  unsigned reactors_ = 1;
  bool poll_ = false;
  std::vector<unsigned> cpus_;
};

}  // namespace

std::unique_ptr<command> make_bench() { return std::make_unique<bench_command>(); }

}  // namespace nvmf::cli
