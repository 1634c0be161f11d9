// SPDX-License-Identifier: BSD-2-Clause
// A link's life, and what is asked of the connection manager. Its answers are in link_events.cpp.
#include "link.hpp"

#include <algorithm>
#include <cerrno>

#include "trouble.hpp"

namespace nvmf::rdma {
namespace {

std::error_code last_error() { return {errno, std::system_category()}; }

// An address that is compared and passed on as librdmacm wants it, and not changed.
sockaddr* raw(const internet_address& at) {
  return const_cast<sockaddr*>(reinterpret_cast<const sockaddr*>(at.data()));
}

// Times that a send is repeated: without an answer; to a peer that has no receive posted, 7 being
// for ever, which a peer that never posts any would be given. Ours are there before it may send.
constexpr std::uint8_t retries = 7, not_ready_retries = 6;

rdma_conn_param parameters(const cm_terms& terms) {
  rdma_conn_param p{};
  p.private_data = terms.private_data.data();
  p.private_data_len = static_cast<std::uint8_t>(terms.private_data.size());
  p.responder_resources = terms.reads_in;
  p.initiator_depth = terms.reads_out;
  p.flow_control = 1;
  p.retry_count = retries;
  p.rnr_retry_count = not_ready_retries;
  return p;
}

}  // namespace

device_link::device_link(reactor& on, std::shared_ptr<adapters> known, channel events)
    : on_(&on), known_(std::move(known)), events_(std::move(events)) {}

device_link::device_link(reactor& on, std::shared_ptr<adapters> known, channel events,
                         identifier asked, std::shared_ptr<adapter> device)
    : on_(&on),
      known_(std::move(known)),
      events_(std::move(events)),
      id_(std::move(asked)),
      memory_(std::make_shared<registrations>(std::move(device))),
      passive_(true) {}

device_link::~device_link() {
  events_watch_.reset();
  // The peer is told; a request that was not accepted is refused when its identifier goes.
  if (accepted_ && !disconnecting_) ::rdma_disconnect(id_.get());
  into_error();
  if (memory_ != nullptr) memory_->end_windows();
  end_queue();
  if (memory_ != nullptr) memory_->end();
  id_.reset();
}

void device_link::tell(link_events* who) {
  who_ = who;
  if (who == nullptr) return;
  if (!events_watch_) watch_events();
  for (mail& m : std::exchange(untold_, {})) say(std::move(m));
}

void device_link::move_to(executor& on) { on_ = &dynamic_cast<reactor&>(on); }

void device_link::resolve(const endpoint& to, const std::string& source,
                          std::chrono::milliseconds timeout) {
  timeout_ms_ = static_cast<int>(std::min<std::int64_t>(timeout.count(), 1'000'000));
  if (!source.empty()) {
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(source, error);
    if (error) return say_failed(std::make_error_code(std::errc::invalid_argument));
    source_ = internet_address{address, 0};
  }
  names_.emplace(*on_).start(to.host, to.port, [this](const auto& error, auto found) {
    on_addresses(error, std::move(found));
  });
}

void device_link::on_addresses(std::error_code error, std::vector<internet_address> found) {
  if (error || found.empty())
    return say_failed(error ? error : address_error(ENOENT), static_cast<bool>(error));
  std::ranges::reverse(found);
  to_ = std::move(found);
  try_next_address();
}

void device_link::try_next_address() {
  while (!to_.empty()) {
    const internet_address to = to_.back();
    to_.pop_back();
    // One that did not resolve cannot be used again.
    auto fresh = make_identifier(events_);
    if (!fresh) return say_failed(fresh.error());
    id_ = std::move(*fresh);
    const bool same_family = source_ && source_->address().is_v6() == to.address().is_v6();
    if (::rdma_resolve_addr(id_.get(), same_family ? raw(*source_) : nullptr, raw(to),
                            timeout_ms_) == 0)
      return;
    last_failure_ = address_error(errno);
  }
  say_failed(last_failure_);
}

std::error_code device_link::connect(const cm_terms& terms) {
  rdma_conn_param p = parameters(terms);
  if (::rdma_connect(id_.get(), &p) != 0) return last_error();
  accepted_ = true;
  return {};
}

std::error_code device_link::accept(const cm_terms& terms) {
  rdma_conn_param p = parameters(terms);
  if (::rdma_accept(id_.get(), &p) != 0) return last_error();
  accepted_ = true;
  return {};
}

void device_link::reject(std::span<const std::byte> data) {
  ::rdma_reject(id_.get(), data.data(), static_cast<std::uint8_t>(data.size()));
}

void device_link::disconnect() {
  if (disconnecting_) return;
  // With iWARP the connection ends in order only if it is asked to before the queue pair fails.
  disconnecting_ = accepted_ && ::rdma_disconnect(id_.get()) == 0;
  into_error();
  if (!disconnecting_) say({.kind = cm_event_kind::disconnected});
  disconnecting_ = true;
}

std::string device_link::peer() const {
  return id_ == nullptr ? std::string{} : text_of(::rdma_get_peer_addr(id_.get()));
}
std::string device_link::local() const {
  return id_ == nullptr ? std::string{} : text_of(::rdma_get_local_addr(id_.get()));
}
endpoint device_link::reached() const {
  return id_ == nullptr ? endpoint{} : endpoint_of(::rdma_get_peer_addr(id_.get()));
}

const device_limits& device_link::limits() const {
  static const device_limits none;
  return memory_ == nullptr || memory_->on() == nullptr ? none : memory_->on()->limits();
}

std::expected<std::unique_ptr<region>, std::error_code> device_link::allocate(std::size_t bytes,
                                                                              access rights) {
  if (bytes == 0 || bytes > limits().max_region)
    return std::unexpected(std::make_error_code(std::errc::not_enough_memory));
  return device_region::make(memory_, bytes, rights);
}

std::expected<std::uint32_t, std::error_code> device_link::make_window() {
  return memory_->make_window();
}

}  // namespace nvmf::rdma
