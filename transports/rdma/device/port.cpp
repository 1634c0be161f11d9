// SPDX-License-Identifier: BSD-2-Clause
#include "port.hpp"

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <cerrno>

#include "link.hpp"
#include "trouble.hpp"

namespace nvmf::rdma {
namespace {

constexpr int backlog = 128;

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
  auto address = find_address(on, at);
  if (!address) return std::unexpected(address.error());
  auto events = open_channel();
  if (!events) return std::unexpected(events.error());
  auto id = make_identifier(*events);
  if (!id) return std::unexpected(id.error());
  int yes = 1;
  ::rdma_set_option(id->get(), RDMA_OPTION_ID, RDMA_OPTION_ID_REUSEADDR, &yes, sizeof yes);
  // Both families can be listened to at the same port, each by its own listener.
  if (address->address().is_v6())
    ::rdma_set_option(id->get(), RDMA_OPTION_ID, RDMA_OPTION_ID_AFONLY, &yes, sizeof yes);
  if (::rdma_bind_addr(id->get(), reinterpret_cast<sockaddr*>(address->data())) != 0)
    return std::unexpected(address_error(errno));
  if (::rdma_listen(id->get(), backlog) != 0) return std::unexpected(address_error(errno));
  std::unique_ptr<device_port> made{new device_port(on, std::move(known), std::move(on_request),
                                                    std::move(*events), std::move(*id))};
  if (const auto error = made->watch_.error()) return std::unexpected(error);
  made->read_events();
  return made;
}

device_port::device_port(reactor& on, std::shared_ptr<adapters> known, callback on_request,
                         channel events, identifier id)
    : on_(on),
      known_(std::move(known)),
      on_request_(std::move(on_request)),
      events_(std::move(events)),
      id_(std::move(id)),
      watch_(on, events_->fd) {}

// Requests that wait unread in the channel are refused by the kernel when the identifier goes.
device_port::~device_port() = default;

endpoint device_port::where() const { return endpoint_of(::rdma_get_local_addr(id_.get())); }

void device_port::read_events() {
  watch_.wait([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    cm_news news;
    while (next_news(events_, news)) {
      if (news.what == RDMA_CM_EVENT_CONNECT_REQUEST) on_request(news);
      if (alive.expired()) return;
    }
    read_events();
  });
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
