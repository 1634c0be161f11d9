// SPDX-License-Identifier: BSD-2-Clause
// The life of a host: its associations, one after the other, and the ways in which they end.
#include "host.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "commands.hpp"

namespace nvmf::sim {

using std::chrono::milliseconds;

sim_host::sim_host(scene& in, executor& on, std::size_t number, host_shape shape)
    : in_(in), on_(on), luck_(in.net.host_on(on)), number_(number), shape_(std::move(shape)) {}

sim_host::~sim_host() = default;

void sim_host::say(std::string_view what) {
  in_.log().say(fmt::format("host {}: {}", number_, what));
}

void sim_host::wrong(std::string what) {
  in_.log().wrong(fmt::format("host {}: {}", number_, what));
}

void sim_host::start() {
  on_.post([this] { associate(); });
}

// May commands and associations of now fail?
bool sim_host::excused() const { return epoch_->deliberate || luck_.faults > 0; }

// A plan has answered with this status.
bool sim_host::told(const command_result& r) const {
  return r.has_cqe && !r.error && std::ranges::find(luck_.told, r.status) != luck_.told.end();
}

void sim_host::associate() {
  restarting_ = pausing_ = false;
  luck_.doubtful = false;
  luck_.faults = 0;
  luck_.cut = false;
  luck_.told.clear();
  ++associations_;
  epoch_ = std::make_shared<epoch>();
  association_ = association::start(
      in_.registry, on_, shape_.options,
      {.on_stage = {},
       .on_up =
           [this, of = epoch_](std::expected<void, host_failure> r) {
             if (of->gone) return wrong("on_up after teardown");
             if (std::exchange(of->up_told, true)) return wrong("on_up came twice");
             on_up(std::move(r));
           },
       .on_lost =
           [this, of = epoch_](const host_failure& f) {
             if (of->gone) return wrong("on_lost after teardown");
             if (std::exchange(of->lost_told, true)) return wrong("on_lost came twice");
             if (of->in_flight != 0)
               wrong(fmt::format("the association is lost and {} commands are not told",
                                 of->in_flight));
             say(fmt::format("lost: {}", f.detail));
             in_.log().count("association lost");
             if (!excused()) wrong("an association was lost without a fault: " + f.detail);
             again();
           },
       .on_async_event =
           [this, of = epoch_](std::uint32_t, std::span<const std::byte>) {
             if (of->gone) return wrong("an event after teardown");
             in_.log().count("async event");
           }});
}

void sim_host::on_up(std::expected<void, host_failure> r) {
  if (r) {
    say(fmt::format("up, controller {}", association_->controller_id()));
    return pump();
  }
  say(fmt::format("bring-up failed: {}", r.error().detail));
  in_.log().count("bring-up failed");
  if (!excused()) wrong("a bring-up failed without a fault: " + r.error().detail);
  again();
}

// A new association, a moment later and outside of the old one's callbacks.
void sim_host::again() {
  if (std::exchange(restarting_, true)) return;
  on_.start_timer(on_.now() + milliseconds(100), [this, given_up = associations_] {
    if (associations_ == given_up) replace();
  });
}

void sim_host::replace() {
  restarting_ = true;  // what the old one says on its way out asks for nothing
  tear_down(false);
  associate();
}

// Lets go. Afterwards nothing of it may run: at once when no callback of it is running, else when
// that has returned.
void sim_host::tear_down(bool within_callback) {
  if (association_ == nullptr) return;
  epoch_->deliberate = true;
  if (epoch_->in_flight > 0)
    in_.log().count(within_callback ? "freed in a callback" : "freed in the middle");
  association_.reset();
  if (in_.sabotage().now(crime::outlive, 1)) ++epoch_->in_flight;
  if (!within_callback) return torn_down(epoch_);
  on_.post([this, old = epoch_] { torn_down(old); });
}

void sim_host::torn_down(std::shared_ptr<epoch> old) {
  if (old->in_flight != 0)
    wrong(fmt::format("{} commands outlive their association", old->in_flight));
  old->gone = true;
  if (in_.sabotage().now(crime::after_teardown, 1))
    on_.post([this, old] {
      auto c = std::make_unique<command>();
      c->of = old;
      ended(std::move(c), {});
    });
}

void sim_host::let_go() {
  restarting_ = true;
  tear_down(false);
}

// What users do beside sending commands. Called from a command's callback.
void sim_host::mischief() {
  if (!working_ || !up() || shape_.mischief_every == 0 || !in_.luck().one_in(shape_.mischief_every))
    return;
  switch (in_.luck().between(0, 4)) {
    case 0:
      say("lets go of the association within a callback");
      restarting_ = true;
      tear_down(true);
      restarting_ = false;
      return again();
    case 1:
      say("lets go of the association");
      restarting_ = true;
      epoch_->deliberate = true;
      return on_.post([this, given_up = associations_] {
        if (associations_ == given_up) replace();
      });
    case 2:
      say("shuts the association down");
      in_.log().count("shutdown");
      epoch_->deliberate = true;
      restarting_ = true;
      return association_->shutdown([this, of = epoch_](std::error_code) {
        if (of->gone) return wrong("the end of a shutdown after teardown");
        restarting_ = false;
        again();
      });
    case 3: {
      say("disconnects an I/O queue");
      in_.log().count("disconnect");
      epoch_->deliberate = true;
      return send(disconnect_command(in_, association_->io_queues()));
    }
    default:
      say("pauses");
      in_.log().count("pause");
      pausing_ = true;
      on_.start_timer(on_.now() + milliseconds(in_.luck().between(1, 12'000)), [this, of = epoch_] {
        if (of != epoch_) return;
        pausing_ = false;
        pump();
      });
  }
}

void sim_host::settle_down() {
  working_ = false;
  if (!excused() && !restarting_ && !shape_.planned) return;
  say("the faults are over: a fresh association");
  replace();
}

void sim_host::shut_down(std::function<void(std::error_code)> done) {
  epoch_->deliberate = true;
  association_->shutdown(std::move(done));
}

}  // namespace nvmf::sim
