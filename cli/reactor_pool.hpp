// SPDX-License-Identifier: BSD-2-Clause
// Several reactors, one thread each; the first runs on the thread that calls run().
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "core/reactor.hpp"

namespace nvmf::cli {

class reactor_pool {
 public:
  // `cpus`: reactor i is pinned to cpus[i % size]; empty: not pinned.
  reactor_pool(unsigned count, bool polling, std::vector<unsigned> cpus);

  reactor& at(std::size_t i) { return *reactors_[i]; }
  std::size_t size() const { return reactors_.size(); }
  std::vector<executor*> executors();

  // Until stop(); all threads have ended then.
  void run();
  // Any thread.
  void stop();

 private:
  void pin(std::size_t i) const;

  std::vector<std::unique_ptr<reactor>> reactors_;
  std::vector<unsigned> cpus_;
};

// Says which of these CPUs this process may not run on, if any.
std::expected<void, std::string> check_cpus(const std::vector<unsigned>& cpus);

}  // namespace nvmf::cli
