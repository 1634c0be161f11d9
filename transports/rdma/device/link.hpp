// SPDX-License-Identifier: BSD-2-Clause
// A connection of librdmacm and its queue pair, on a reactor. It has an event channel of its own,
// so that it can live where its qpair does, and a completion channel for its completion queues.
#pragma once

#include <optional>
#include <vector>

#include "channel.hpp"
#include "completion_queue.hpp"
#include "memory.hpp"
#include "names/lookup.hpp"
#include "watch.hpp"

namespace nvmf::rdma {

class device_link final : public link, poller {
 public:
  // Active.
  device_link(reactor& on, std::shared_ptr<adapters> known, channel events);
  // Passive: a request that has come.
  device_link(reactor& on, std::shared_ptr<adapters> known, channel events, identifier asked,
              std::shared_ptr<adapter> device);
  device_link(const device_link&) = delete;
  device_link& operator=(const device_link&) = delete;
  ~device_link() override;

  void tell(link_events* who) override;
  void move_to(executor& on) override;
  void resolve(const endpoint& to, const std::string& source,
               std::chrono::milliseconds timeout) override;
  std::error_code connect(const cm_terms& terms) override;
  std::error_code accept(const cm_terms& terms) override;
  void reject(std::span<const std::byte> private_data) override;
  void disconnect() override;
  std::string peer() const override;
  std::string local() const override;
  endpoint reached() const override;

  const device_limits& limits() const override;
  std::error_code make_queue(const queue_shape& shape) override;
  std::expected<std::unique_ptr<region>, std::error_code> allocate(std::size_t bytes,
                                                                   access rights) override;
  std::expected<std::uint32_t, std::error_code> make_window() override;
  posting post_all(std::span<const work_request> chain) override;
  std::error_code post_receive(std::uint64_t id, const piece& into) override;
  std::size_t poll(std::span<completion> into) override;
  void arm() override { arm(received_); }
  void arm_sends() override { arm(sent_); }
  void fail() override;

 private:
  // An event, and what it points at.
  struct mail {
    cm_event_kind kind{};
    std::vector<std::byte> data{};
    std::uint8_t reads_out = 0, reads_in = 0;
    cm_refusal refused_by = cm_refusal::nobody;
    std::error_code error{};
    bool name = false;
  };

  // --- The connection manager: link.cpp, link_events.cpp ---
  void on_addresses(std::error_code error, std::vector<internet_address> found);
  void try_next_address();
  void watch_events();
  void read_events();
  void on_news(const cm_news& news);
  void on_resolved();
  void on_route();
  void on_established(const cm_news& news);
  void on_rejected(const cm_news& news);
  void not_resolved(const cm_news& news);
  // Never from within a call of ours.
  void say(mail m);
  void say_failed(std::error_code why, bool name = false);
  // From an event of the reactor's; false: nothing of this is there any more.
  bool tell_now(const mail& m);

  // --- The queue pair: link_queue.cpp ---
  // What a work request of the device points at.
  struct request_form;
  std::error_code describe(const work_request& work, request_form& into) const;
  void arm(completion_queue& queue);
  void watch_completions();
  void on_completion_channel();
  bool poll() noexcept override;  // of a polling reactor
  void into_error();
  void end_queue();

  reactor* on_;
  std::shared_ptr<adapters> known_;
  channel events_;
  identifier id_;
  std::shared_ptr<registrations> memory_;
  std::optional<watch> events_watch_;
  link_events* who_ = nullptr;
  std::vector<mail> untold_;

  std::optional<lookup> names_;
  std::vector<internet_address> to_;  // not tried yet, the next one last
  std::optional<internet_address> source_;
  std::error_code last_failure_;
  int timeout_ms_ = 0;

  ibv_comp_channel* completions_ = nullptr;
  completion_queue received_, sent_;
  ibv_qp* pair_ = nullptr;
  std::optional<watch> completions_watch_;
  bool asked_ = false;  // by a polling reactor

  bool passive_ = false;
  bool accepted_ = false;     // or connect called: there is something to disconnect
  bool established_ = false;  // told
  bool notified_ = false;     // a capsule came before that
  bool disconnecting_ = false;
  // What the reactor still holds goes nowhere once this is gone.
  std::shared_ptr<device_link*> self_ = std::make_shared<device_link*>(this);
};

}  // namespace nvmf::rdma
