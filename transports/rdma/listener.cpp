// SPDX-License-Identifier: BSD-2-Clause
#include "listener.hpp"

#include <algorithm>

#include "session/controller_session.hpp"
#include "session/private_data.hpp"

namespace nvmf::rdma {
namespace {

using wire::rdma_cm_status;

// Connections that have been accepted and are not established yet. Each holds a queue pair and its
// receives, for connect_timeout at most; those beyond are told No Resources.
constexpr std::size_t most_pending = 64;

}  // namespace

// Lives as long as the listener or one of its pending connections does.
class rdma_listener::acceptor : public std::enable_shared_from_this<acceptor> {
 public:
  acceptor(const session_limits& limits, std::shared_ptr<std::atomic<std::size_t>> alive,
           const qpair_params& params, executor_chooser choose, accept_callback accept)
      : limits_(limits),
        alive_(std::move(alive)),
        params_(params),
        choose_(std::move(choose)),
        accept_(std::move(accept)) {
    params_.side = role::controller;
  }
  void stop() { stopped_ = true; }

  // On the listener's executor.
  void on_request(cm_request_event e) {
    if (stopped_) return;
    executor& target = choose_();
    e.from->move_to(target);
    target.post([self = shared_from_this(), &target, from = std::move(e.from),
                 data = std::vector(e.terms.private_data.begin(), e.terms.private_data.end()),
                 reads_in = e.terms.reads_in]() mutable {
      self->begin(target, std::move(from), data, reads_in);
    });
  }

 private:
  // One that is not established yet; its session's greeter keeps it.
  struct pending {
    pending(std::shared_ptr<acceptor> by, executor& lives_on) : of(std::move(by)), on(lives_on) {
      of->pending_.fetch_add(1);
    }
    pending(const pending&) = delete;
    pending& operator=(const pending&) = delete;
    ~pending() {
      if (timer != 0) on.cancel_timer(timer);
      of->pending_.fetch_sub(1);
    }
    std::shared_ptr<acceptor> of;
    executor& on;
    std::shared_ptr<controller_session> queue;
    std::uint16_t qid = 0;
    timer_id timer = 0;
  };

  void begin(executor& target, std::unique_ptr<link> from, std::span<const std::byte> data,
             std::uint8_t reads_in) {
    if (stopped_) return;
    const auto say = [&](rdma_cm_status why) { from->reject(encode_reject(why)); };
    const auto asked = parse_request(data, {.max_sends_admin = limits_.admin_queue_max,
                                            .max_sends = limits_.queue_max,
                                            .max_qid = limits_.qid_max});
    if (!asked) return say(asked.error());
    const device_limits device = from->limits();
    const auto reads = std::min<std::uint32_t>(
        {device.max_reads_out, std::uint32_t{reads_in}, std::uint32_t{limits_.reads_out}});
    // Without RDMA READs no data of the host's could be fetched.
    if (reads == 0) return say(rdma_cm_status::invalid_ird);
    if (pending_ >= most_pending || asked->sends > device.max_work_requests ||
        asked->sends > device.max_completions)
      return say(rdma_cm_status::no_resources);

    qpair_params params = params_;
    params.qid = asked->qid;
    params.admin = asked->qid == 0;
    if (params.admin) params.options.max_in_capsule = 0;
    const auto p = std::make_shared<pending>(shared_from_this(), target);
    p->qid = asked->qid;
    p->queue = std::make_shared<controller_session>(session_setup{.on = &target,
                                                                  .wire = std::move(from),
                                                                  .alive = alive_,
                                                                  .params = params,
                                                                  .limits = limits_,
                                                                  .id = next_qpair_id(),
                                                                  .receives = asked->sends,
                                                                  .peer_receives = asked->receives,
                                                                  .reads_out = reads});
    if (p->queue->prepare()) {
      p->queue->wire().reject(encode_reject(rdma_cm_status::no_resources));
      return p->queue->close(false);
    }
    p->timer = target.start_timer(target.now() + params_.options.connect_timeout, [p] {
      p->timer = 0;
      drop(p);
    });
    p->queue->greet([p](const cm_event& e) { on_event(p, e); });
    const auto terms = encode_accept(asked->sends);
    if (p->queue->wire().accept(
            {.private_data = terms, .reads_out = static_cast<std::uint8_t>(reads)}))
      drop(p);
  }

  static void on_event(const std::shared_ptr<pending>& p, const cm_event& e) {
    if (p->queue == nullptr) return;
    if (e.kind != cm_event_kind::established || p->of->stopped_) return drop(p);
    if (p->timer != 0) p->on.cancel_timer(std::exchange(p->timer, 0));
    const auto queue = std::exchange(p->queue, nullptr);
    queue->up();
    qpair made(queue);
    if (observer* by = p->of->params_.watched_by)
      by->on_event({.type = event_type::connected,
                    .at = p->on.now(),
                    .qpair = made.id(),
                    .qid = p->qid,
                    .text = made.peer()});
    p->of->accept_(std::move(made));
  }

  static void drop(const std::shared_ptr<pending>& p) {
    if (p->timer != 0) p->on.cancel_timer(std::exchange(p->timer, 0));
    if (const auto queue = std::exchange(p->queue, nullptr)) {
      queue->greet({});
      queue->close(false);
    }
  }

  session_limits limits_;
  std::shared_ptr<std::atomic<std::size_t>> alive_;
  qpair_params params_;
  executor_chooser choose_;
  accept_callback accept_;
  std::atomic<std::size_t> pending_ = 0;  // on the executors of their connections
  std::atomic<bool> stopped_ = false;
};

rdma_listener::rdma_listener(std::shared_ptr<acceptor> running, std::unique_ptr<port> at)
    : running_(std::move(running)), port_(std::move(at)), where_(port_->where()) {}

rdma_listener::~rdma_listener() { running_->stop(); }

std::expected<std::unique_ptr<listener>, std::error_code> rdma_listener::open(
    const std::shared_ptr<verbs>& device, const session_limits& limits,
    std::shared_ptr<std::atomic<std::size_t>> alive, executor& on, const endpoint& at,
    const qpair_params& params, executor_chooser choose, accept_callback accept) {
  if (at.host.empty() || !check(params))
    return std::unexpected(make_error_code(errc::invalid_argument));
  const auto running = std::make_shared<acceptor>(limits, std::move(alive), params,
                                                  std::move(choose), std::move(accept));
  auto made =
      device->listen(on, at, [running](cm_request_event e) { running->on_request(std::move(e)); });
  if (!made) return std::unexpected(made.error());
  return std::unique_ptr<listener>{new rdma_listener(running, std::move(*made))};
}

}  // namespace nvmf::rdma
