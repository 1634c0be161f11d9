// SPDX-License-Identifier: BSD-2-Clause
// A benchmark from the first connect to the report: one association and one load on each reactor.
#pragma once

#include <string_view>

#include "command.hpp"
#include "host_options.hpp"
#include "reactor_pool.hpp"

namespace nvmf::cli {

struct context;

struct bench_shape {
  std::string_view kind;
  bool write = false, random = false;
  std::uint64_t bytes = 4096;  // of a command
  std::uint32_t depth = 1, queues = 1;
  std::chrono::milliseconds measured{10'000}, warm_up{1'000};
  std::uint64_t seed = 1;
};

result run_bench(context& ctx, const host_plan& to, const bench_shape& shape, reactor_pool& pool);

}  // namespace nvmf::cli
