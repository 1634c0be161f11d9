// SPDX-License-Identifier: BSD-2-Clause
// A few threads for calls that block. Threads start when there is work and none is free.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace nvmf {

// Work is an object of the caller's that is linked into the queue: queueing allocates nothing.
class worker_job {
 public:
  virtual ~worker_job() = default;
  virtual void run() noexcept = 0;

 private:
  friend class worker_pool;
  worker_job* next_ = nullptr;
};

class worker_pool {
 public:
  explicit worker_pool(std::size_t threads_max) : threads_max_(threads_max) {}
  // Finishes what is queued, then joins.
  ~worker_pool();
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;

  // Any thread. Jobs begin in the order of the calls.
  void submit(worker_job& job);

 private:
  void work();
  void run_queued(std::unique_lock<std::mutex>& hold);

  std::mutex lock_;
  std::condition_variable wake_;
  worker_job* first_ = nullptr;
  worker_job* last_ = nullptr;
  std::size_t idle_ = 0;
  std::size_t queued_ = 0;
  bool stopping_ = false;
  std::size_t threads_max_;
  std::vector<std::thread> threads_;
};

}  // namespace nvmf
