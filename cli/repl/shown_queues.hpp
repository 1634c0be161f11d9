// SPDX-License-Identifier: BSD-2-Clause
// A transport over another one, whose accepted queues are somebody else's and can be held up and
// looked into all the same: those of the built-in target.
#pragma once

#include <nvmf/forwarding_qpair.hpp>

namespace nvmf::cli::repl {

class shown_queue final : public forwarding_qpair {
 public:
  using ending = std::function<void(const shown_queue&)>;
  shown_queue(qpair inner, ending gone)
      : forwarding_qpair(std::move(inner)), gone_(std::move(gone)) {}
  ~shown_queue() override { end(); }

  // As for association::queue: to pause, step, tamper with and look inside, and for nothing else.
  qpair& below() { return inner(); }

  void start(qpair_callbacks callbacks) override { in().start(std::move(callbacks)); }
  void close(bool clean) override {
    forwarding_qpair::close(clean);
    end();
  }

 private:
  void end() {
    if (const auto gone = std::exchange(gone_, {})) gone(*this);
  }

  ending gone_;
};

struct queue_shows {
  // Before the owner is given it.
  std::function<void(const std::shared_ptr<shown_queue>&)> came;
  shown_queue::ending gone;  // it has been closed
};
std::shared_ptr<transport> with_shown_queues(std::shared_ptr<transport> inner, queue_shows to);

}  // namespace nvmf::cli::repl
