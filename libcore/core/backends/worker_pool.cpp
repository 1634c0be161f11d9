// SPDX-License-Identifier: BSD-2-Clause
#include "worker_pool.hpp"

#include <csignal>
#include <system_error>

namespace nvmf {

worker_pool::~worker_pool() {
  {
    const std::scoped_lock hold(lock_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& t : threads_) t.join();
}

void worker_pool::submit(worker_job& job) {
  std::unique_lock hold(lock_);
  job.next_ = nullptr;
  (last_ == nullptr ? first_ : last_->next_) = &job;
  last_ = &job;
  ++queued_;
  if (queued_ <= idle_ || threads_.size() == threads_max_) return wake_.notify_one();
  // Signals are for the program's own threads. SIGXFSZ, which a file size limit raises in the
  // thread that writes, is held back too: the call then fails with EFBIG, as it should.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  try {
    threads_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
    // No room for a thread. Those that are there come to it; without any it is done here and now,
    // which may hold the caller up, and is better than never.
    if (threads_.empty()) run_queued(hold);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void worker_pool::run_queued(std::unique_lock<std::mutex>& hold) {
  while (worker_job* job = first_) {
    first_ = job->next_;
    if (first_ == nullptr) last_ = nullptr;
    --queued_;
    hold.unlock();
    job->run();
    hold.lock();
  }
}

void worker_pool::work() {
  std::unique_lock hold(lock_);
  for (;;) {
    run_queued(hold);
    if (stopping_) return;
    ++idle_;
    wake_.wait(hold);
    --idle_;
  }
}

}  // namespace nvmf
