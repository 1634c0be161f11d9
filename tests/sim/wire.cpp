// SPDX-License-Identifier: BSD-2-Clause
#include "wire.hpp"

#include "tcp/session/controller_session.hpp"
#include "tcp/session/host_session.hpp"

namespace nvmf::sim {

using standing = tcp::ic_exchange::standing;
using aftermath = tcp::session::aftermath;

wire_end::wire_end(network& of, executor& on, const qpair_params& params, std::size_t& qpairs)
    : of_(of), on_(on), params_(params), qpairs_(qpairs), id_(next_qpair_id()) {
  exchange_.emplace(params.side, params.options, tcp::emitter(params.watched_by, &on, id_));
}

void wire_end::attach(std::shared_ptr<pipe> in, std::shared_ptr<pipe> out) {
  in_ = std::move(in);
  out_ = std::move(out);
  of_.ends[id_] = {params_.side, &in_->host(), in_->connection(), in_, out_};
  in_->on_arrival = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->arrived();
  };
  out_->on_room = [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->room_again();
  };
  out_->on_reset = [there = std::weak_ptr(out_), back = std::weak_ptr(in_)] {
    if (const auto p = there.lock()) p->lose(false);
    if (const auto p = back.lock()) p->lose(false);
  };
}

void wire_end::exchange(ready_callback ready) {
  ready_ = std::move(ready);
  timer_ = on_.start_timer(on_.now() + params_.options.ic_timeout, [self = shared_from_this()] {
    self->timer_ = 0;
    self->close(false);
    if (auto tell = std::exchange(self->ready_, nullptr))
      tell(std::unexpected(qpair_error{.code = errc::timed_out}));
  });
  go_on_with_exchange();
}

void wire_end::give_up() {
  ready_ = nullptr;
  close(false);
}

void wire_end::arrived() {
  if (phase_ == phase::exchanging) return go_on_with_exchange();
  if (phase_ == phase::running) return turn();
  if (phase_ == phase::ending || phase_ == phase::lingering) {
    in_->take(in_->arrived().size());
    if (in_->ended() || in_->was_reset()) close(true);
  }
}

void wire_end::room_again() {
  if ((phase_ == phase::running || phase_ == phase::ending) && !in_turn_) turn();
}

void wire_end::go_on_with_exchange() {
  const auto self = shared_from_this();
  while (exchange_->wanted() > 0 && !in_->arrived().empty()) {
    const auto bytes = in_->arrived().first(std::min(exchange_->wanted(), in_->arrived().size()));
    const octets copy(bytes.begin(), bytes.end());
    in_->take(copy.size());
    exchange_->consume(copy);
  }
  if (in_->was_reset() || in_->ended()) exchange_->end_of_input();
  if (!exchange_->output().empty()) {
    const std::size_t n = exchange_->output().size();
    out_->send(exchange_->output());
    exchange_->sent(n);
  }
  if (exchange_->stands() == standing::waiting) return;
  if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
  if (exchange_->stands() == standing::done) return established();
  const qpair_error why = exchange_->error();
  close(true);
  if (auto tell = std::exchange(ready_, nullptr)) tell(std::unexpected(why));
}

void wire_end::established() {
  tcp::session_setup setup{.on = &on_,
                           .memory = std::make_shared<tcp::memory_pool>(),
                           .params = params_,
                           .agreed = exchange_->agreed(),
                           .id = id_,
                           .peer = "sim",
                           .local = "sim"};
  std::shared_ptr<tcp::session> made;
  if (params_.side == role::host)
    made = std::make_shared<tcp::host_session>(std::move(setup));
  else
    made = std::make_shared<tcp::controller_session>(std::move(setup));
  session_ = made.get();
  phase_ = phase::idle;
  ++qpairs_;
  made->attach(shared_from_this());
  if (auto tell = std::exchange(ready_, nullptr)) tell(qpair{std::move(made)});
}

void wire_end::begin() {
  phase_ = phase::running;
  wake();
}

void wire_end::wake() noexcept {
  if (in_turn_ || wake_posted_ || (phase_ != phase::running && phase_ != phase::ending)) return;
  wake_posted_ = true;
  on_.post([self = shared_from_this()] {
    self->wake_posted_ = false;
    if (self->phase_ == phase::running || self->phase_ == phase::ending) self->turn();
  });
}

void wire_end::turn() {
  const auto self = shared_from_this();
  const auto hold = session_->shared_from_this();
  in_turn_ = true;
  bool more = true;
  while (more) {
    session_->enter_turn();
    more = phase_ == phase::running && session_->wants_input() && move_in();
    session_->leave_turn();
    move_out();
  }
  in_turn_ = false;
  settle();
}

// Some of what has arrived; true when that was not the end of it.
bool wire_end::move_in() {
  const auto all = in_->arrived();
  if (all.empty()) {
    if (told_end_ || !(in_->ended() || in_->was_reset())) return false;
    told_end_ = true;
    if (in_->was_reset())
      session_->broken(errc::reset);
    else
      session_->end_of_input();
    return false;
  }
  std::size_t n = all.size();
  if (of_.luck.one_in(3)) n = of_.luck.between(1, n);
  n = std::min(n, session_->input_room());
  std::array<segment, 4> places;
  std::size_t direct = 0;
  for (const segment& s : std::span{places}.first(session_->direct(places))) {
    const std::size_t part = std::min(s.size, n - direct);
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(direct), part, s.data);
    direct += part;
  }
  session_->took_direct(direct);
  const octets rest(all.begin() + static_cast<std::ptrdiff_t>(direct),
                    all.begin() + static_cast<std::ptrdiff_t>(n));
  in_->take(n);
  if (!rest.empty()) session_->consume(rest);
  return true;
}

wire_end::arrival wire_end::peek(std::span<std::byte> into) {
  const auto all = in_->arrived();
  const std::size_t n = std::min(all.size(), into.size());
  std::ranges::copy(all.first(n), into.begin());
  return {.bytes = n, .ended = n == 0 && (in_->ended() || in_->was_reset())};
}

void wire_end::move_out() {
  while (session_->has_output() && out_->room() > 0 && phase_ != phase::done) {
    std::array<segment, 8> pieces;
    const std::size_t most = of_.luck.one_in(4) ? of_.luck.between(1, out_->room()) : out_->room();
    const std::size_t count = session_->gather(pieces, most);
    std::size_t total = 0;
    for (const segment& s : std::span{pieces}.first(count)) {
      out_->send({s.data, s.size});
      total += s.size;
    }
    if (total == 0) return;
    session_->enter_turn();
    session_->sent(total);
    session_->leave_turn();
  }
}

void wire_end::finish(bool clean) {
  finishing_ = true;
  --qpairs_;
  if (phase_ == phase::done) return;
  if (!clean) return close(false);
  if (phase_ == phase::lingering) return;
  keep_ = session_->shared_from_this();
  if (!in_turn_) turn();
}

void wire_end::reset() {
  out_->lose(true);
  on_.post([self = shared_from_this()] { self->close(false); });
}

void wire_end::settle() {
  if (phase_ == phase::done || phase_ == phase::lingering) return;
  if (phase_ != phase::ending) {
    if (!finishing_ && !session_->over()) return;
    phase_ = phase::ending;
    timer_ = on_.start_timer(on_.now() + params_.options.linger, [self = shared_from_this()] {
      self->timer_ = 0;
      self->close(false);
    });
  }
  if (session_->after() == aftermath::drop) return close(false);
  if (session_->has_queued()) return;  // until the window opens, or the timer runs out
  if (session_->after() == aftermath::flush) {
    if (!finishing_) return;  // whoever has the qpair has yet to close it
    out_->send_end();
  }
  phase_ = phase::lingering;
  keep_.reset();
  if (in_->ended() || in_->was_reset()) close(true);
}

// politely: the peer reads an end, not a reset.
void wire_end::close(bool politely) {
  if (phase_ == phase::done) return;
  const auto self = shared_from_this();
  phase_ = phase::done;
  if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
  if (politely)
    out_->send_end();
  else
    out_->lose(true);
  in_->on_arrival = nullptr;
  keep_.reset();
}

// --- The transport --------------------------------------------------------------------------

struct sim_transport::place {
  qpair_params params;
  executor_chooser choose;
  accept_callback accept;
  bool open = true;
};

struct sim_transport::attempt final : connect_attempt {
  executor& on;
  std::shared_ptr<wire_end> host;
  std::shared_ptr<connect_callback> done;
  attempt(executor& o, std::shared_ptr<wire_end> h, std::shared_ptr<connect_callback> d)
      : on(o), host(std::move(h)), done(std::move(d)) {}
  void cancel() override {
    if (!*done) return;
    host->give_up();
    on.post([callback = std::exchange(*done, nullptr)]() mutable {
      callback(std::unexpected(connect_error{.code = errc::aborted, .detail = {}}));
    });
  }
};

std::shared_ptr<connect_attempt> sim_transport::connect(executor& on, const endpoint& to,
                                                        const qpair_params& params,
                                                        connect_callback done) {
  const auto host = std::make_shared<wire_end>(of_, on, params, qpairs_);
  const auto tell = std::make_shared<connect_callback>(std::move(done));
  const auto at = listening_;
  executor& there = at && at->open ? at->choose() : on;
  const auto controller = std::make_shared<wire_end>(of_, there, at ? at->params : params, qpairs_);
  const std::size_t connection = of_.watch.opened();
  const auto out = std::make_shared<pipe>(of_, connection, on, there, false);
  const auto back = std::make_shared<pipe>(of_, connection, there, on, true);
  host->attach(back, out);
  controller->attach(out, back);
  if (!at || !at->open)
    out->on_reset();
  else
    there.post([at, controller] {
      controller->exchange([at](std::expected<qpair, qpair_error> made) {
        if (made && at->open) at->accept(std::move(*made));
      });
    });
  on.post([host, tell, to] {
    if (!*tell) return;
    host->exchange([tell, to](std::expected<qpair, qpair_error> made) {
      auto callback = std::exchange(*tell, nullptr);
      if (!callback) return;
      if (made)
        callback(connected{.queue = std::move(*made), .steps = {}, .reached = to});
      else
        callback(std::unexpected(connect_error{.stage = connect_stage::exchange,
                                               .code = made.error().code,
                                               .violation = made.error().violation,
                                               .detail = "the IC exchange failed"}));
    });
  });
  return std::make_shared<attempt>(on, host, tell);
}

namespace {

struct sim_listener final : listener {
  endpoint at;
  std::function<void()> stop;
  endpoint where() const override { return at; }
  ~sim_listener() override { stop(); }
};

}  // namespace

std::expected<std::unique_ptr<listener>, std::error_code> sim_transport::listen(
    executor&, const endpoint& at, const qpair_params& params, executor_chooser choose,
    accept_callback accept) {
  listening_ = std::make_shared<place>(params, std::move(choose), std::move(accept));
  auto made = std::make_unique<sim_listener>();
  made->at = at;
  made->stop = [place = listening_] { place->open = false; };
  return made;
}

}  // namespace nvmf::sim
