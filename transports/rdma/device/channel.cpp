// SPDX-License-Identifier: BSD-2-Clause
#include "channel.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "trouble.hpp"

namespace nvmf::rdma {

std::expected<channel, std::error_code> open_channel() {
  channel made{::rdma_create_event_channel()};
  if (made == nullptr) return std::unexpected(manager_error(errno));
  const int flags = ::fcntl(made->fd, F_GETFL);
  if (flags < 0 || ::fcntl(made->fd, F_SETFL, flags | O_NONBLOCK) < 0)
    return std::unexpected(std::error_code{errno, std::system_category()});
  return made;
}

std::expected<identifier, std::error_code> make_identifier(const channel& on) {
  rdma_cm_id* made = nullptr;
  if (::rdma_create_id(on.get(), &made, nullptr, RDMA_PS_TCP) != 0)
    return std::unexpected(manager_error(errno));
  return identifier{made};
}

bool next_news(const channel& from, cm_news& out) {
  rdma_cm_event* event = nullptr;
  if (::rdma_get_cm_event(from.get(), &event) != 0) return false;
  out = {.what = event->event, .of = event->id, .status = event->status};
  // librdmacm opens the device itself, and then has no number for us but this.
  if (event->status == -1) out.failure = errno;
  const rdma_conn_param& said = event->param.conn;
  const bool connects = event->event == RDMA_CM_EVENT_CONNECT_REQUEST ||
                        event->event == RDMA_CM_EVENT_ESTABLISHED ||
                        event->event == RDMA_CM_EVENT_REJECTED;
  if (connects) {
    // They are told from where we stand: what we may have outstanding, and what we answer.
    out.reads_in = said.initiator_depth;
    out.reads_out = said.responder_resources;
    if (said.private_data != nullptr) {
      out.length = said.private_data_len;
      std::memcpy(out.data.data(), said.private_data, out.length);
    }
  }
  ::rdma_ack_cm_event(event);
  return true;
}

internet_address address_of(const sockaddr* at) {
  internet_address copy;
  const bool v6 = at->sa_family == AF_INET6;
  if (!v6 && at->sa_family != AF_INET) return copy;
  const std::size_t size = v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  std::memcpy(copy.data(), at, size);
  copy.resize(size);
  return copy;
}

std::string text_of(const sockaddr* at) {
  const endpoint e = endpoint_of(at);
  if (at->sa_family == AF_INET6) return fmt::format("[{}]:{}", e.host, e.port);
  return fmt::format("{}:{}", e.host, e.port);
}

endpoint endpoint_of(const sockaddr* at) {
  const internet_address copy = address_of(at);
  return {.host = copy.address().to_string(), .port = copy.port()};
}

}  // namespace nvmf::rdma
