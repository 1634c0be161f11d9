// SPDX-License-Identifier: BSD-2-Clause
#include "port.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>

#include "link.hpp"
#include "trouble.hpp"

namespace nvmf::rdma {
namespace {

constexpr int backlog = 128;
// Between tries to listen again: devices come without a word to us.
constexpr std::chrono::milliseconds first_pause{250}, longest_pause{4'000};

// Once, at the start: waiting for the resolver disturbs nobody yet.
std::expected<internet_address, std::error_code> find_address(reactor& on, const endpoint& at) {
  using boost::asio::ip::tcp;
  boost::system::error_code error;
  const auto numeric = boost::asio::ip::make_address(at.host, error);
  if (!error) return internet_address{numeric, at.port};
  tcp::resolver resolver(on.context());
  const auto found =
      resolver.resolve(at.host, fmt::to_string(at.port),
                       tcp::resolver::numeric_service | tcp::resolver::passive, error);
  if (error) return std::unexpected(std::error_code{error});
  return found.begin()->endpoint();
}

}  // namespace

std::expected<std::unique_ptr<port>, std::error_code> device_port::open(
    reactor& on, std::shared_ptr<adapters> known, const endpoint& at, callback on_request) {
  const auto address = find_address(on, at);
  if (!address) return std::unexpected(address.error());
  auto events = open_channel();
  if (!events) return std::unexpected(events.error());
  std::unique_ptr<device_port> made{
      new device_port(on, std::move(known), std::move(on_request), std::move(*events), *address)};
  if (const auto error = made->watch_.error()) return std::unexpected(error);
  if (const auto error = made->listen()) return std::unexpected(error);
  made->at_ = address_of(::rdma_get_local_addr(made->id_.get()));
  if (!made->at_.address().is_unspecified())
    made->addresses_.emplace(on, open_address_news(),
                             [port = made.get()] { port->on_addresses(); });
  made->devices_.emplace(on, open_device_news(), [port = made.get()] { port->on_devices(); });
  made->read_events();
  return made;
}

device_port::device_port(reactor& on, std::shared_ptr<adapters> known, callback on_request,
                         channel events, const internet_address& at)
    : on_(on),
      known_(std::move(known)),
      on_request_(std::move(on_request)),
      events_(std::move(events)),
      at_(at),
      watch_(on, events_->fd) {}

// Requests that wait unread in the channel are refused by the kernel when the identifier goes.
device_port::~device_port() {
  if (timer_ != 0) on_.cancel_timer(timer_);
}

std::error_code device_port::listen() {
  auto id = make_identifier(events_);
  if (!id) return id.error();
  int yes = 1;
  ::rdma_set_option(id->get(), RDMA_OPTION_ID, RDMA_OPTION_ID_REUSEADDR, &yes, sizeof yes);
  // Both families can be listened to at the same port, each by its own listener.
  if (at_.address().is_v6())
    ::rdma_set_option(id->get(), RDMA_OPTION_ID, RDMA_OPTION_ID_AFONLY, &yes, sizeof yes);
  if (::rdma_bind_addr(id->get(), reinterpret_cast<sockaddr*>(at_.data())) != 0 ||
      ::rdma_listen(id->get(), backlog) != 0)
    return address_error(errno);
  // One that is on its way out still takes listeners.
  if (ibv_context* const on = id->get()->verbs; on != nullptr && !has_device(on->device->dev_name))
    return std::make_error_code(std::errc::no_such_device);
  id_ = std::move(*id);
  if (id_->verbs != nullptr) known_->is_here(id_->verbs);
  return {};
}

endpoint device_port::where() const {
  return endpoint_of(reinterpret_cast<const sockaddr*>(at_.data()));
}

void device_port::read_events() {
  watch_.wait([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    cm_news news;
    while (next_news(events_, news)) {
      if (news.what == RDMA_CM_EVENT_CONNECT_REQUEST) on_request(news);
      if (news.what == RDMA_CM_EVENT_DEVICE_REMOVAL && news.of == id_.get())
        lose("the RDMA device is gone");
      if (alive.expired()) return;
    }
    read_events();
  });
}

// --- Without a device, or without the address ---------------------------------------------------

void device_port::on_addresses() {
  if (id_ == nullptr) return listen_again();
  if (!has_address(at_.address())) lose("no interface has that address any more");
}

// A software device is not taken away from who has it open: its file goes, and all else waits until
// the last has closed it, without a word to anybody.
void device_port::on_devices() {
  known_->look_for_departed();
  if (id_ == nullptr) return listen_again();
  if (id_->verbs != nullptr && !has_device(id_->verbs->device->dev_name))
    lose("the RDMA device is gone");
}

void device_port::lose(std::string_view why) {
  departing_ = id_->verbs;
  id_.reset();
  pause_ = first_pause;
  retry();
  if (tell_)
    tell_(fmt::format("{}: {}; hosts are taken again when it is back",
                      text_of(reinterpret_cast<const sockaddr*>(at_.data())), why));
}

void device_port::retry() {
  if (timer_ != 0) on_.cancel_timer(timer_);
  timer_ = on_.start_timer(on_.now() + pause_, [this] {
    timer_ = 0;
    listen_again();
  });
  pause_ = std::min(2 * pause_, longest_pause);
}

void device_port::listen_again() {
  if (departing_ != nullptr && !has_device(departing_->device->dev_name) &&
      !known_->let_go(departing_))
    return retry();
  departing_ = nullptr;
  if (listen()) return retry();
  if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
  if (tell_)
    tell_(fmt::format("{}: listens again", text_of(reinterpret_cast<const sockaddr*>(at_.data()))));
}

void device_port::on_request(const cm_news& news) {
  // Whatever goes wrong: it is refused when its identifier goes.
  identifier asked{news.of};
  auto device = known_->of(asked->verbs);
  auto events = open_channel();
  if (!device || !events || ::rdma_migrate_id(asked.get(), events->get()) != 0) return;
  on_request_({.from = std::make_unique<device_link>(on_, known_, std::move(*events),
                                                     std::move(asked), std::move(*device)),
               .terms = news.terms()});
}

}  // namespace nvmf::rdma
