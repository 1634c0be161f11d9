// SPDX-License-Identifier: BSD-2-Clause
#include "reactor_pool.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <thread>

namespace nvmf::cli {

reactor_pool::reactor_pool(unsigned count, bool polling, std::vector<unsigned> cpus)
    : cpus_(std::move(cpus)) {
  for (unsigned i = 0; i < count; ++i) reactors_.push_back(std::make_unique<reactor>(polling));
}

std::vector<executor*> reactor_pool::executors() {
  std::vector<executor*> list;
  for (const auto& r : reactors_) list.push_back(r.get());
  return list;
}

void reactor_pool::pin(std::size_t i) const {
  if (cpus_.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpus_[i % cpus_.size()], &set);
  // check_cpus has said that this works; if it does not any more, running unpinned is better.
  static_cast<void>(::pthread_setaffinity_np(::pthread_self(), sizeof set, &set));
}

void reactor_pool::run() {
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < reactors_.size(); ++i)
    threads.emplace_back([this, i] {
      pin(i);
      reactors_[i]->run();
    });
  pin(0);
  reactors_[0]->run();
}

void reactor_pool::stop() {
  for (const auto& r : reactors_) r->stop();
}

std::expected<void, std::string> check_cpus(const std::vector<unsigned>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return {};
  for (const unsigned cpu : cpus)
    if (cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &set))
      return std::unexpected(fmt::format("CPU {} is not there for this process", cpu));
  return {};
}

}  // namespace nvmf::cli
