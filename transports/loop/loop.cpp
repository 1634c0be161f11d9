// SPDX-License-Identifier: BSD-2-Clause
// Finding each other: listeners by name, and the way from connect() to two ends.
#include "loop.hpp"

#include <map>

#include "controller_end.hpp"
#include "host_end.hpp"

namespace nvmf {
namespace loop {
namespace {

// A listener as connects see it. It may be stopped while one is under way.
struct listening {
  executor* on;
  endpoint at;
  qpair_params params;
  executor_chooser choose;
  accept_callback accept;
  std::atomic<bool> stopped{false};
};

// What the transport, its listeners and its connects share; they may be on several threads.
struct house {
  std::shared_ptr<const loop_options> options;
  std::shared_ptr<std::atomic<std::size_t>> alive = std::make_shared<std::atomic<std::size_t>>(0);
  std::mutex lock;
  std::map<std::string, std::shared_ptr<listening>> names;
  std::uint64_t connections = 0;

  std::shared_ptr<listening> find(const std::string& name) {
    const std::scoped_lock hold(lock);
    const auto found = names.find(name);
    return found == names.end() ? nullptr : found->second;
  }
  std::uint64_t next_seed() {
    const std::scoped_lock hold(lock);
    return lots(options->seed + connections++).next();
  }
};

class loop_listener final : public listener {
 public:
  loop_listener(std::shared_ptr<house> of, std::shared_ptr<listening> what)
      : of_(std::move(of)), what_(std::move(what)) {}
  ~loop_listener() override {
    what_->stopped = true;
    const std::scoped_lock hold(of_->lock);
    of_->names.erase(what_->at.host);
  }
  endpoint where() const override { return what_->at; }

 private:
  std::shared_ptr<house> of_;
  std::shared_ptr<listening> what_;
};

std::pair<qpair, qpair> make_ends(house& of, executor& host_on, executor& controller_on,
                                  const listening& at, const qpair_params& host_params) {
  const auto wire = std::make_shared<link>();
  const std::uint64_t seed = of.next_seed();
  const std::uint32_t host_id = next_qpair_id(), controller_id = next_qpair_id();
  const std::string host_name = "loop:host-" + std::to_string(host_id);
  const std::string controller_name = "loop:" + at.at.host;

  end_setup host{.wire = wire,
                 .options = of.options,
                 .alive = of.alive,
                 .who = {.id = host_id,
                         .side = role::host,
                         .caps = of.options->caps,
                         .peer = controller_name,
                         .local = host_name,
                         .runs_on = &host_on,
                         .watched_by = host_params.watched_by},
                 .params = host_params,
                 .seed = seed};
  end_setup controller{.wire = wire,
                       .options = of.options,
                       .alive = of.alive,
                       .who = {.id = controller_id,
                               .side = role::controller,
                               .caps = of.options->caps,
                               .peer = host_name,
                               .local = controller_name,
                               .runs_on = &controller_on,
                               .watched_by = at.params.watched_by},
                       .params = at.params,
                       .seed = seed + 2};
  // The host says how many transfers of a command it takes at a time.
  controller.params.options.max_r2t = host_params.options.max_r2t;

  auto left = std::make_shared<host_end>(std::move(host));
  auto right = std::make_shared<controller_end>(std::move(controller));
  wire->attach(role::host, left);
  wire->attach(role::controller, right);
  return {qpair(std::move(left)), qpair(std::move(right))};
}

class attempt final : public connect_attempt, public std::enable_shared_from_this<attempt> {
 public:
  attempt(std::shared_ptr<house> of, executor& on, endpoint to, qpair_params params,
          connect_callback done)
      : of_(std::move(of)),
        on_(on),
        to_(std::move(to)),
        params_(std::move(params)),
        done_(std::move(done)),
        began_(on.now()) {}

  void begin() {
    if (!done_) return;
    if (const auto good = check(params_); !good)
      return fail(errc::invalid_argument, std::string(good.error()));
    const auto fate = of_->options->on_connect ? of_->options->on_connect(to_, params_)
                                               : loop_connect_fate::accept;
    if (const auto limit = params_.options.connect_timeout; limit.count() > 0)
      timer_ = on_.start_timer(on_.now() + limit, [self = shared_from_this()] {
        self->timer_ = 0;
        self->fail(errc::timed_out, "loop:" + self->to_.host + " does not answer");
      });
    if (fate == loop_connect_fate::silence) return;
    const auto at = of_->find(to_.host);
    if (at == nullptr || fate == loop_connect_fate::refuse) return refused();
    at->on->post([self = shared_from_this(), at] { self->arrive(at); });
  }

  void cancel() override {
    if (!done_) return;
    // Not from within this call.
    on_.post([self = shared_from_this()] { self->fail(errc::aborted, "cancelled"); });
  }

 private:
  // On the listener's executor.
  void arrive(const std::shared_ptr<listening>& at) {
    if (at->stopped) return on_.post([self = shared_from_this()] { self->refused(); });
    executor& controller_on = at->choose();
    auto [host, controller] = make_ends(*of_, on_, controller_on, *at, params_);
    controller_on.post([at, queue = std::move(controller)]() mutable {
      if (!at->stopped) at->accept(std::move(queue));
    });
    on_.post([self = shared_from_this(), queue = std::move(host)]() mutable {
      self->succeed(std::move(queue));
    });
  }

  void succeed(qpair queue) {
    if (!done_) return;
    connect_step step{"loop", on_.now() - began_, {}};
    step.values.emplace_back("peer", queue.peer());
    if (auto* by = params_.watched_by)
      by->on_event({.type = event_type::connected,
                    .at = on_.now(),
                    .qpair = queue.id(),
                    .qid = params_.qid,
                    .text = step.values.front().second});
    connected result{std::move(queue), {}};
    result.steps.push_back(std::move(step));
    finish(std::move(result));
  }

  void refused() {
    fail(make_error_code(std::errc::connection_refused), "nobody listens at loop:" + to_.host);
  }
  void fail(std::error_code code, std::string why) {
    finish(std::unexpected(connect_error{connect_stage::connect, code, {}, std::move(why)}));
  }
  void finish(std::expected<connected, connect_error> result) {
    if (!done_) return;
    if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
    std::exchange(done_, {})(std::move(result));
  }

  std::shared_ptr<house> of_;
  executor& on_;
  endpoint to_;
  qpair_params params_;
  connect_callback done_;
  time_point began_;
  timer_id timer_ = 0;
};

class loop_transport final : public transport {
 public:
  explicit loop_transport(loop_options options) {
    house_->options = std::make_shared<const loop_options>(std::move(options));
  }

  std::string_view type() const override { return "loop"; }
  int priority() const override { return 0; }
  bool accepts(const qpair_params&) const override { return true; }

  std::shared_ptr<connect_attempt> connect(executor& on, const endpoint& to,
                                           const qpair_params& params,
                                           connect_callback done) override {
    auto made = std::make_shared<attempt>(house_, on, to, params, std::move(done));
    on.post([made] { made->begin(); });
    return made;
  }

  std::expected<std::unique_ptr<listener>, std::error_code> listen(
      executor& on, const endpoint& at, const qpair_params& params, executor_chooser choose,
      accept_callback accept) override {
    if (at.host.empty() || !check(params))
      return std::unexpected(make_error_code(errc::invalid_argument));
    auto what = std::make_shared<listening>();
    what->on = &on;
    what->at = at;
    what->params = params;
    what->params.side = role::controller;
    what->choose = std::move(choose);
    what->accept = std::move(accept);
    const std::scoped_lock hold(house_->lock);
    if (!house_->names.emplace(at.host, what).second)
      return std::unexpected(make_error_code(std::errc::address_in_use));
    return std::make_unique<loop_listener>(house_, std::move(what));
  }

  std::size_t qpairs() const override { return house_->alive->load(); }

 private:
  std::shared_ptr<house> house_ = std::make_shared<house>();
};

}  // namespace
}  // namespace loop

loop_options rdma_like(loop_options options) {
  options.caps.keyed_sgl = true;
  options.caps.unordered_data = true;
  options.caps.always_needs_response = true;
  return options;
}

std::shared_ptr<transport> make_loop_transport(loop_options options) {
  return std::make_shared<loop::loop_transport>(std::move(options));
}

}  // namespace nvmf
