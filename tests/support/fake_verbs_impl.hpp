// SPDX-License-Identifier: BSD-2-Clause
// How the made-up device of fake_verbs.hpp does its work.
#pragma once

#include <algorithm>

#include "fake_verbs.hpp"

namespace nvmf::test {

// --- Registered memory, counted -----------------------------------------------------------------

namespace fake_parts {
class counted_region final : public rdma::region {
 public:
  counted_region(std::shared_ptr<fake_fabric> of, std::unique_ptr<fake_region> real)
      : of_(std::move(of)), real_(std::move(real)) {
    const std::scoped_lock hold(*of_->lock);
    bytes_ = real_->bytes();
    local_key_ = real_->local_key();
    remote_key_ = real_->remote_key();
    ++of_->regions;
    of_->registered += bytes_.size();
  }
  ~counted_region() override {
    const std::scoped_lock hold(*of_->lock);
    --of_->regions;
    of_->registered -= bytes_.size();
    real_.reset();
  }

 private:
  std::shared_ptr<fake_fabric> of_;
  std::unique_ptr<fake_region> real_;
};

class fake_port final : public rdma::port {
 public:
  fake_port(std::shared_ptr<fake_fabric> of, endpoint at)
      : of_(std::move(of)), at_(std::move(at)) {}
  ~fake_port() override {
    const std::scoped_lock hold(*of_->lock);
    of_->ports.erase(at_.host);
  }
  endpoint where() const override { return at_; }

 private:
  std::shared_ptr<fake_fabric> of_;
  endpoint at_;
};
}  // namespace fake_parts

inline std::expected<std::unique_ptr<rdma::region>, std::error_code> fake_link::allocate(
    std::size_t bytes, rdma::access rights) {
  const auto hold = held();
  if (bytes == 0 || bytes > of_->limits.max_region || of_->registered + bytes > of_->max_registered)
    return std::unexpected(std::make_error_code(std::errc::not_enough_memory));
  return std::make_unique<fake_parts::counted_region>(
      of_, std::make_unique<fake_region>(keys_, bytes, rights));
}

// --- The connection manager ---------------------------------------------------------------------

inline std::expected<std::unique_ptr<rdma::port>, std::error_code> fake_verbs::listen(
    executor& on, const endpoint& at, std::function<void(rdma::cm_request_event)> on_request) {
  const std::scoped_lock hold(*of_->lock);
  if (!of_->ports.emplace(at.host, fake_fabric::listening{&on, std::move(on_request)}).second)
    return std::unexpected(std::make_error_code(std::errc::address_in_use));
  return std::make_unique<fake_parts::fake_port>(of_, at);
}

inline void fake_link::say(cm_mail m) {
  if (who_ == nullptr) return untold_.push_back(std::move(m));
  on_->post([weak = std::weak_ptr(self_), of = of_, mail = std::move(m)]() mutable {
    rdma::link_events* who = nullptr;
    {
      const std::scoped_lock hold(*of->lock);
      const auto alive = weak.lock();
      if (!alive) return;
      who = (*alive)->who_;
      if (who == nullptr) return (*alive)->untold_.push_back(std::move(mail));
    }
    who->on_cm({.kind = mail.kind,
                .terms = {.private_data = mail.data,
                          .reads_out = mail.reads_out,
                          .reads_in = mail.reads_in},
                .refused_by = mail.refused_by,
                .error = mail.error,
                .text = mail.text});
  });
}

inline std::error_code fake_link::connect(const rdma::cm_terms& terms) {
  const auto hold = held();
  const auto port = of_->ports.find(to_.host);
  if (port == of_->ports.end()) {
    say({.kind = rdma::cm_event_kind::rejected});
    return {};
  }
  auto passive = std::make_unique<fake_link>(of_, *port->second.on, role::controller);
  passive->peer_ = this;
  passive->peer_name_ = local_name_;
  passive->local_name_ = peer_name_;
  peer_ = passive.get();
  port->second.on->post([of = of_, name = to_.host, link = std::move(passive),
                         data = std::vector(terms.private_data.begin(), terms.private_data.end()),
                         out = terms.reads_out, in = terms.reads_in]() mutable {
    std::function<void(rdma::cm_request_event)> tell;
    {
      const std::scoped_lock there(*of->lock);
      const auto at = of->ports.find(name);
      if (at == of->ports.end()) return link->reject({});
      tell = at->second.tell;
    }
    tell({.from = std::move(link),
          .terms = {.private_data = data, .reads_out = out, .reads_in = in}});
  });
  return {};
}

inline std::error_code fake_link::accept(const rdma::cm_terms& terms) {
  const auto hold = held();
  if (peer_ == nullptr) return std::make_error_code(std::errc::not_connected);
  up_ = peer_->up_ = true;
  peer_->say({.kind = rdma::cm_event_kind::established,
              .data = {terms.private_data.begin(), terms.private_data.end()},
              .reads_out = terms.reads_out,
              .reads_in = terms.reads_in});
  establish_soon();
  return {};
}

inline void fake_link::establish_soon() {
  if (of_->establish_delay == duration::zero())
    return say({.kind = rdma::cm_event_kind::established});
  on_->start_timer(on_->now() + of_->establish_delay, [weak = std::weak_ptr(self_)] {
    if (const auto alive = weak.lock()) (*alive)->say({.kind = rdma::cm_event_kind::established});
  });
}

inline void fake_link::reject(std::span<const std::byte> data) {
  const auto hold = held();
  if (peer_ == nullptr || up_) return;
  peer_->say({.kind = rdma::cm_event_kind::rejected,
              .data = {data.begin(), data.end()},
              .refused_by = rdma::cm_refusal::listener});
  peer_->peer_ = nullptr;
  peer_ = nullptr;
}

inline void fake_link::disconnect() {
  const auto hold = held();
  into_error();
  if (!std::exchange(told_disconnect_, true)) say({.kind = rdma::cm_event_kind::disconnected});
  if (fake_link* other = peer_) {
    if (!std::exchange(other->told_disconnect_, true))
      other->say({.kind = rdma::cm_event_kind::disconnected});
  }
}

inline void fake_link::lose_peer() {
  peer_ = nullptr;
  if (!std::exchange(told_disconnect_, true))
    say({.kind = up_ ? rdma::cm_event_kind::disconnected : rdma::cm_event_kind::rejected,
         .refused_by = rdma::cm_refusal::listener});
}

// --- Completions --------------------------------------------------------------------------------

inline void fake_link::finish(rdma::completion c) {
  const bool came = c.kind == rdma::work_kind::receive;
  completions& queue = came ? received_ : sent_;
  queue.done.push_back(c);
  if (queue.done.size() > (came ? shape_.receives : shape_.sends)) ++of_->overruns;
  if (queue.armed) {
    queue.told = true;
    notify();
  }
}

inline std::size_t fake_link::poll(std::span<rdma::completion> into) {
  const auto hold = held();
  std::size_t n = 0;
  for (; n < into.size() && !sent_.done.empty(); ++n) {
    into[n] = sent_.done.front();
    sent_.done.pop_front();
    const auto place = std::ranges::find(places_, into[n].id);
    if (place != places_.end()) places_.erase(places_.begin(), place + 1);
  }
  for (; n < into.size() && !received_.done.empty(); ++n) {
    into[n] = received_.done.front();
    received_.done.pop_front();
  }
  return n;
}

// A device tells of what comes from then on, and of nothing that is there.
inline void fake_link::arm(completions& queue) {
  const auto hold = held();
  if (!std::exchange(queue.armed, true)) ++calls().arms;
}

inline void fake_link::notify() {
  if (std::exchange(notifying_, true)) return;
  on_->post([weak = std::weak_ptr(self_), of = of_] {
    rdma::link_events* who = nullptr;
    {
      const std::scoped_lock hold(*of->lock);
      const auto alive = weak.lock();
      if (!alive) return;
      fake_link& l = **alive;
      l.notifying_ = false;
      for (completions* queue : {&l.received_, &l.sent_})
        if (queue->told) queue->told = queue->armed = false;
      ++l.calls().events;
      who = l.who_;
    }
    if (who != nullptr) who->on_completions();
  });
}

inline void fake_link::into_error() {
  if (std::exchange(error_, true)) return;
  for (const work& w : sends_)
    finish({.id = w.what.id, .kind = w.what.kind, .status = rdma::work_status::flushed});
  for (const work& w : late_)
    finish({.id = w.what.id, .kind = w.what.kind, .status = rdma::work_status::flushed});
  sends_.clear();
  late_.clear();
  for (const receive& r : receives_)
    finish({.id = r.id, .kind = rdma::work_kind::receive, .status = rdma::work_status::flushed});
  receives_.clear();
}

// --- Work ---------------------------------------------------------------------------------------

inline std::error_code fake_link::post_receive(std::uint64_t id, const rdma::piece& into) {
  const auto hold = held();
  if (receives_.size() >= shape_.receives) {
    ++of_->overruns;
    return std::make_error_code(std::errc::not_enough_memory);
  }
  if (error_)
    finish({.id = id, .kind = rdma::work_kind::receive, .status = rdma::work_status::flushed});
  else
    receives_.push_back({id, into});
  return {};
}

inline rdma::posting fake_link::post_all(std::span<const rdma::work_request> chain) {
  const auto hold = held();
  const std::size_t number = ++calls().posts;
  of_->longest_chain = std::max(of_->longest_chain, chain.size());
  rdma::posting got;
  const auto& r = of_->refuses;
  const bool refused = r && r->side == side_ && number >= r->post;
  const std::size_t all = refused ? std::min(r->takes, chain.size()) : chain.size();
  for (; got.taken < all; ++got.taken)
    if ((got.error = post_one(chain[got.taken]))) return got;
  if (refused) got.error = std::make_error_code(std::errc::not_enough_memory);
  return got;
}

inline std::error_code fake_link::post_one(const rdma::work_request& what) {
  if (places_.size() >= shape_.sends || what.pieces.size() > shape_.pieces) {
    ++of_->overruns;
    return std::make_error_code(std::errc::not_enough_memory);
  }
  places_.push_back(what.id);
  ++(what.signalled ? calls().signalled : calls().unsignalled);
  if (error_) {
    finish({.id = what.id, .kind = what.kind, .status = rdma::work_status::flushed});
    return {};
  }
  work w{.what = what, .pieces = {what.pieces.begin(), what.pieces.end()}};
  w.what.pieces = {};
  if (what.inlined) {
    for (const rdma::piece& p : what.pieces)
      w.inlined.insert(w.inlined.end(), p.data, p.data + p.length);
    if (w.inlined.size() > shape_.inlined) return std::make_error_code(std::errc::invalid_argument);
  }
  sends_.push_back(std::move(w));
  std::uint32_t reads = 0, sends = 0;
  for (const work& each : sends_) {
    reads += each.what.kind == rdma::work_kind::read;
    sends += each.what.kind == rdma::work_kind::send ||
             each.what.kind == rdma::work_kind::send_invalidate;
  }
  of_->most_reads = std::max(of_->most_reads, reads);
  auto& most = of_->most_sends[side_ == role::controller];
  most = std::max(most, sends);
  schedule();
  return {};
}

inline void fake_link::schedule() {
  if (sends_.empty() || std::exchange(scheduled_, true)) return;
  on_->post([weak = std::weak_ptr(self_), of = of_] {
    const std::scoped_lock hold(*of->lock);
    const auto alive = weak.lock();
    if (!alive) return;
    (*alive)->scheduled_ = false;
    for (std::size_t n = 1; n < of->at_once && !(*alive)->scheduled_; ++n) (*alive)->run_one(false);
    if (!(*alive)->scheduled_) (*alive)->run_one();
  });
}

// No receive there: later, or never.
inline bool fake_link::ready_later(work& w) {
  const bool sending =
      w.what.kind == rdma::work_kind::send || w.what.kind == rdma::work_kind::send_invalidate;
  if (!sending || peer_ == nullptr || peer_->error_ || !peer_->receives_.empty()) return false;
  if (w.tries == 0) ++of_->not_ready;
  if (w.tries++ >= of_->not_ready_retries) return false;
  scheduled_ = true;
  on_->start_timer(on_->now() + std::chrono::milliseconds(1),
                   [weak = std::weak_ptr(self_), of = of_] {
                     const std::scoped_lock hold(*of->lock);
                     const auto alive = weak.lock();
                     if (!alive) return;
                     (*alive)->scheduled_ = false;
                     (*alive)->run_one();
                   });
  return true;
}

inline void fake_link::land_later(work w) {
  w.late = true;
  late_.push_back(std::move(w));
  on_->start_timer(on_->now() + std::chrono::milliseconds(1),
                   [weak = std::weak_ptr(self_), of = of_] {
                     const std::scoped_lock hold(*of->lock);
                     const auto alive = weak.lock();
                     if (!alive || (*alive)->late_.empty()) return;
                     (*alive)->sends_.push_front(std::move((*alive)->late_.front()));
                     (*alive)->late_.pop_front();
                     (*alive)->run_one();
                   });
}

inline void fake_link::run_one(bool goes_on) {
  if (sends_.empty() || error_ || ready_later(sends_.front())) return;
  work w = std::move(sends_.front());
  sends_.pop_front();
  if (of_->reads_overtaken && w.what.kind == rdma::work_kind::read && !w.late) {
    land_later(std::move(w));
    return goes_on ? schedule() : void();
  }
  rdma::work_status status = of_->fate(side_);
  if (status == rdma::work_status::success) status = execute(w);
  const bool well = status == rdma::work_status::success;
  if (well) ++of_->kinds[static_cast<int>(w.what.kind)];
  if (!well || w.what.signalled) finish({.id = w.what.id, .kind = w.what.kind, .status = status});
  if (!well) return into_error();
  if (goes_on) schedule();
}

inline std::optional<std::vector<std::byte>> fake_link::gather(const work& w) const {
  if (w.what.inlined) return w.inlined;
  std::vector<std::byte> all;
  for (const rdma::piece& p : w.pieces) {
    if (!keys_->reach(p.key, p.data, p.length, rdma::access::local)) return std::nullopt;
    all.insert(all.end(), p.data, p.data + p.length);
  }
  return all;
}

inline rdma::work_status fake_link::execute(work& w) {
  using enum rdma::work_status;
  switch (w.what.kind) {
    case rdma::work_kind::bind:
      return w.pieces.size() == 1 && keys_->bind(w.what.remote_key, w.pieces[0], w.what.rights)
                 ? success
                 : bind_error;
    case rdma::work_kind::invalidate:
      return keys_->invalidate(w.what.remote_key) ? success : bind_error;
    case rdma::work_kind::receive:
      return local_queue;
    case rdma::work_kind::send:
    case rdma::work_kind::send_invalidate:
      return peer_ == nullptr || peer_->error_ ? retries_exceeded : send(w);
    case rdma::work_kind::write:
    case rdma::work_kind::read:
      return peer_ == nullptr || peer_->error_ ? retries_exceeded : move(w);
  }
  return fatal;
}

inline rdma::work_status fake_link::send(work& w) {
  using enum rdma::work_status;
  fake_link& to = *peer_;
  if (to.receives_.empty()) return not_ready_exceeded;
  const auto bytes = gather(w);
  if (!bytes) return local_protection;
  const receive r = to.receives_.front();
  to.receives_.pop_front();
  rdma::completion c{.id = r.id, .kind = rdma::work_kind::receive};
  rdma::work_status answer = success;
  const bool invalidates = w.what.kind == rdma::work_kind::send_invalidate;
  if (const auto forced = of_->fate(to.side_); forced != success) {
    c.status = forced;
    answer = remote_operation;
  } else if (bytes->size() > r.into.length) {
    c.status = local_length;
    answer = remote_invalid_request;
  } else if (!to.keys_->reach(r.into.key, r.into.data, bytes->size(), rdma::access::local_write)) {
    c.status = local_protection;
    answer = remote_operation;
  } else if (invalidates && !to.keys_->invalidate(w.what.remote_key)) {
    c.status = local_protection;
    answer = remote_access;
  } else {
    if (!bytes->empty()) std::memcpy(r.into.data, bytes->data(), bytes->size());
    c.length = static_cast<std::uint32_t>(bytes->size());
    c.invalidated = invalidates;
    c.invalidated_key = invalidates ? w.what.remote_key : 0;
    ++of_->kinds[static_cast<int>(rdma::work_kind::receive)];
  }
  to.finish(c);
  if (c.status != success) to.into_error();
  return answer;
}

inline rdma::work_status fake_link::move(work& w) {
  using enum rdma::work_status;
  const bool read = w.what.kind == rdma::work_kind::read;
  std::uint64_t length = 0;
  for (const rdma::piece& p : w.pieces) {
    length += p.length;
    if (!keys_->reach(p.key, p.data, p.length,
                      read ? rdma::access::local_write : rdma::access::local))
      return local_protection;
  }
  auto* far = reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(w.what.remote_address));
  if (!peer_->keys_->reach(w.what.remote_key, far, length,
                           read ? rdma::access::remote_read : rdma::access::remote_write)) {
    peer_->into_error();
    return remote_access;
  }
  for (const rdma::piece& p : w.pieces) {
    if (read)
      std::copy_n(far, p.length, p.data);
    else
      std::copy_n(p.data, p.length, far);
    far += p.length;
  }
  return success;
}

}  // namespace nvmf::test
