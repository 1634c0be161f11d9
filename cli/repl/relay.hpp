// SPDX-License-Identifier: BSD-2-Clause
// Hands an accepted queue to the built-in target, with the commands that wait on it: a qpair over
// the one that a person had, and a transport whose only listener takes such qpairs in.
#pragma once

#include <nvmf/transport.hpp>

namespace nvmf::cli::repl {

// The target's view of the queue. Calls go to the queue as they are.
class relay final : public transport_qpair, public std::enable_shared_from_this<relay> {
 public:
  // `waiting`: commands that have been received and not been answered.
  relay(qpair inner, std::vector<capsule> waiting);
  ~relay() override { close(false); }

  // From the callbacks of the queue.
  void take(capsule c);
  void lose(const qpair_error& why);

  void start(qpair_callbacks callbacks) override;
  void set_queue(std::uint16_t qid, std::uint32_t size, bool flow) override {
    in().set_queue(qid, size, flow);
  }
  void set_max_in_capsule(std::uint32_t bytes) override { in().set_max_in_capsule(bytes); }
  qpair_limits limits() const override { return in().limits(); }
  capsule_slot* allocate(bool command) override;
  void release(capsule_slot* slot) noexcept override { in().release(slot); }
  std::error_code transmit(capsule_slot* slot) override { return in().transmit(slot); }
  std::error_code withdraw_data(capsule_slot* slot, std::error_code error) override {
    return in().withdraw_data(slot, error);
  }
  nvme_status validate_command(const capsule_slot* slot) const override {
    return in().validate_command(slot);
  }
  std::span<const std::byte> in_capsule_data(const capsule_slot* slot) const override {
    return in().in_capsule_data(slot);
  }
  std::error_code receive_controller_data(capsule_slot* slot, std::uint32_t offset,
                                          const memdesc& mem, std::uint32_t length,
                                          data_callback done) override {
    return in().receive_controller_data(slot, offset, mem, length, std::move(done));
  }
  send_answer send_controller_data(capsule_slot* slot, std::uint32_t offset, buffer data,
                                   bool last) override {
    return in().send_controller_data(slot, offset, std::move(data), last);
  }
  void close(bool clean) override;
  void defer(task t) override { in().defer(std::move(t)); }

 private:
  transport_qpair& in() const { return *inner_.implementation(); }

  qpair inner_;
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
