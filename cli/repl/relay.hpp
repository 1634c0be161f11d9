// SPDX-License-Identifier: BSD-2-Clause
// Hands an accepted queue to the built-in target, with the commands that wait on it: a qpair over
// the one that a person had, and a transport whose only listener takes such qpairs in.
#pragma once

#include <nvmf/forwarding_qpair.hpp>

namespace nvmf::cli::repl {

// The target's view of the queue.
class relay final : public forwarding_qpair, public std::enable_shared_from_this<relay> {
 public:
  // `waiting`: commands that have been received and not been answered.
  relay(qpair inner, std::vector<capsule> waiting);
  ~relay() override { close(false); }

  // From the callbacks of the queue.
  void take(capsule c);
  void lose(const qpair_error& why);

  void start(qpair_callbacks callbacks) override;
  void close(bool clean) override;

 private:
  std::vector<capsule> waiting_;
  qpair_callbacks callbacks_{};
  bool closed_ = false;
};

// Where the callbacks of an accepted queue go.
struct destination {
  std::weak_ptr<relay> target{};  // once it has been handed over
};

// A transport of type "by-hand". Who listens on it is given qpairs by `enter`.
std::shared_ptr<transport> make_door(accept_callback& enter);

}  // namespace nvmf::cli::repl
