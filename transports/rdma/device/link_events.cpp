// SPDX-License-Identifier: BSD-2-Clause
// What the connection manager says, and how it is told.
#include <cerrno>

#include "../session/rejection.hpp"
#include "link.hpp"
#include "trouble.hpp"

namespace nvmf::rdma {
void device_link::watch_events() {
  events_watch_.emplace(*on_, events_->fd);
  if (const auto error = events_watch_->error()) return say_failed(error);
  read_events();
}

// Takes all that is there, then waits for more. What a listener has heard for us before our channel
// was ours is there too.
void device_link::read_events() {
  const std::weak_ptr<device_link*> alive = self_;
  events_watch_->wait([this, alive] {
    if (alive.expired()) return;
    cm_news news;
    while (next_news(events_, news)) {
      on_news(news);
      if (alive.expired()) return;
    }
    read_events();
  });
}

void device_link::on_news(const cm_news& news) {
  // One of an address that was given up.
  if (news.of != id_.get()) return;
  switch (news.what) {
    case RDMA_CM_EVENT_ADDR_RESOLVED:
      return on_resolved();
    case RDMA_CM_EVENT_ROUTE_RESOLVED:
      return on_route();
    case RDMA_CM_EVENT_ADDR_ERROR:
    case RDMA_CM_EVENT_ROUTE_ERROR:
      return not_resolved(news);
    case RDMA_CM_EVENT_ESTABLISHED:
      return on_established(news);
    case RDMA_CM_EVENT_REJECTED:
      return on_rejected(news);
    case RDMA_CM_EVENT_UNREACHABLE:
      tell_now({.kind = cm_event_kind::failed, .error = trouble::unreachable});
      return;
    case RDMA_CM_EVENT_CONNECT_ERROR:
      tell_now({.kind = cm_event_kind::failed, .error = trouble::reset_by_peer});
      return;
    case RDMA_CM_EVENT_DISCONNECTED:
      tell_now({.kind = cm_event_kind::disconnected});
      return;
    case RDMA_CM_EVENT_DEVICE_REMOVAL:
    case RDMA_CM_EVENT_ADDR_CHANGE:
      tell_now({.kind = cm_event_kind::removed});
      return;
    default:
      return;
  }
}

void device_link::on_resolved() {
  if (::rdma_resolve_route(id_.get(), timeout_ms_) == 0) return;
  last_failure_ = address_error(errno);
  try_next_address();
}

void device_link::on_route() {
  auto device = known_->of(id_->verbs);
  if (!device) {
    tell_now({.kind = cm_event_kind::failed, .error = device.error()});
    return;
  }
  memory_ = std::make_shared<registrations>(std::move(*device));
  tell_now({.kind = cm_event_kind::resolved});
}

void device_link::not_resolved(const cm_news& news) {
  last_failure_ = address_error(news.status == -1 ? news.failure : -news.status);
  try_next_address();
}

void device_link::on_established(const cm_news& news) {
  established_ = true;
  const auto data = news.private_data();
  tell_now({.kind = cm_event_kind::established,
            .data = {data.begin(), data.end()},
            .reads_out = news.reads_out,
            .reads_in = news.reads_in});
}

void device_link::on_rejected(const cm_news& news) {
  const rejection said = read_rejection(news.status, news.private_data());
  if (said.by == cm_refusal::way) {
    tell_now({.kind = cm_event_kind::failed, .error = said.error});
    return;
  }
  tell_now({.kind = cm_event_kind::rejected,
            .data = {said.private_data.begin(), said.private_data.end()},
            .refused_by = said.by});
}

void device_link::say_failed(std::error_code why, bool name) {
  say({.kind = cm_event_kind::failed, .error = why, .name = name});
}

void device_link::say(mail m) {
  on_->post([this, alive = std::weak_ptr(self_), told = std::move(m)]() mutable {
    if (alive.expired()) return;
    tell_now(told);
  });
}

bool device_link::tell_now(const mail& m) {
  if (who_ == nullptr) {
    untold_.push_back(m);
    return true;
  }
  const std::weak_ptr<device_link*> alive = self_;
  const std::string text = m.error ? m.error.message() : std::string{};
  who_->on_cm({.kind = m.kind,
               .terms = {.private_data = m.data, .reads_out = m.reads_out, .reads_in = m.reads_in},
               .refused_by = m.refused_by,
               .error = m.error,
               .text = text,
               .name = m.name});
  return !alive.expired();
}

}  // namespace nvmf::rdma
