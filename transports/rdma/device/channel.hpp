// SPDX-License-Identifier: BSD-2-Clause
// Event channels and identifiers of librdmacm, and what comes through them, copied: an event that
// is not acknowledged at once would keep its identifier from being destroyed.
#pragma once

#include <rdma/rdma_cma.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <expected>
#include <memory>
#include <string>

#include "../verbs.hpp"

namespace nvmf::rdma {

struct close_channel {
  void operator()(rdma_event_channel* c) const { ::rdma_destroy_event_channel(c); }
};
using channel = std::unique_ptr<rdma_event_channel, close_channel>;
struct destroy_id {
  void operator()(rdma_cm_id* id) const { ::rdma_destroy_id(id); }
};
using identifier = std::unique_ptr<rdma_cm_id, destroy_id>;

// Never blocks when it is read.
std::expected<channel, std::error_code> open_channel();
std::expected<identifier, std::error_code> make_identifier(const channel& on);

struct cm_news {
  rdma_cm_event_type what{};
  rdma_cm_id* of = nullptr;  // a request's is new, and the receiver's to destroy
  int status = 0;
  int failure = 0;  // errno of librdmacm itself, when status says no more than that it failed
  std::array<std::byte, 256> data{};
  std::uint8_t length = 0;
  std::uint8_t reads_out = 0, reads_in = 0;  // that the sender wants outstanding, and answers

  std::span<const std::byte> private_data() const { return {data.data(), length}; }
  cm_terms terms() const { return {private_data(), reads_out, reads_in}; }
};

// False: there is none now.
bool next_news(const channel& from, cm_news& out);

using internet_address = boost::asio::ip::tcp::endpoint;
internet_address address_of(const sockaddr* at);
// "192.0.2.1:4420", "[2001:db8::1]:4420".
std::string text_of(const sockaddr* at);
endpoint endpoint_of(const sockaddr* at);

}  // namespace nvmf::rdma
