// SPDX-License-Identifier: BSD-2-Clause
#include "peer.hpp"

#include <infiniband/verbs.h>
#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace stranger {
namespace {

constexpr int patience_ms = 10'000;
constexpr std::size_t message_max = 65536;
constexpr unsigned sends_max = 128;

[[noreturn]] void give_up(const char* what) {
  std::printf("stranger: %s: %s\n", what, std::strerror(errno));
  std::exit(3);
}
void must(bool well, const char* what) {
  if (!well) give_up(what);
}
addrinfo* find(const char* address, const char* port) {
  addrinfo* found = nullptr;
  must(::getaddrinfo(address, port, nullptr, &found) == 0, address);
  return found;
}
bool readable(int descriptor, int limit_ms) {
  pollfd one{descriptor, POLLIN, 0};
  return ::poll(&one, 1, limit_ms) == 1;
}
// Of two: 0, 1, or -1 for none.
int first_readable(int a, int b, int limit_ms) {
  pollfd both[] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
  if (::poll(both, 2, limit_ms) <= 0) return -1;
  return both[0].revents != 0 ? 0 : 1;
}
// The private data of NVMe/RDMA has 32 bytes at most; the rest is padding.
void print_hex(const bytes& b) {
  for (std::size_t i = 0; i < std::min<std::size_t>(b.size(), 32); ++i) std::printf("%02x", b[i]);
}

}  // namespace

bytes from_hex(const char* text) {
  bytes b;
  for (std::size_t n = std::strlen(text); n >= 2 && b.size() < n / 2;)
    b.push_back(static_cast<unsigned char>(
        std::strtoul(std::string(text + 2 * b.size(), 2).c_str(), nullptr, 16)));
  return b;
}

void outcome::print() const {
  const char* name = ::rdma_event_str(event);
  std::printf("%s, status %d, ", name, status);
  print_hex(private_data);
  std::puts("");
  std::fflush(stdout);
}

peer::peer(const char* address, const char* port) : channel_(::rdma_create_event_channel()) {
  must(channel_ != nullptr && ::rdma_create_id(channel_, &id_, nullptr, RDMA_PS_TCP) == 0, "cm");
  addrinfo* to = find(address, port);
  must(::rdma_resolve_addr(id_, nullptr, to->ai_addr, patience_ms) == 0, "address");
  must(await(RDMA_CM_EVENT_ADDR_RESOLVED).established, "address");
  must(::rdma_resolve_route(id_, patience_ms) == 0, "route");
  must(await(RDMA_CM_EVENT_ROUTE_RESOLVED).established, "route");
  ::freeaddrinfo(to);
}

peer::peer(rdma_event_channel* on, rdma_cm_id* asked)
    : channel_(on), id_(asked), owns_channel_(false) {}

peer::~peer() {
  ::rdma_disconnect(id_);
  if (pair_ != nullptr) (pair_ == id_->qp) ? ::rdma_destroy_qp(id_) : void(::ibv_destroy_qp(pair_));
  if (region_ != nullptr) ::ibv_dereg_mr(region_);
  ibv_comp_channel* const told = done_ != nullptr ? done_->channel : nullptr;
  if (done_ != nullptr) ::ibv_destroy_cq(done_);
  if (told != nullptr) ::ibv_destroy_comp_channel(told);
  ::rdma_destroy_id(id_);
  if (owns_channel_) ::rdma_destroy_event_channel(channel_);
}

outcome peer::await(rdma_cm_event_type wanted) {
  while (true) {
    if (!readable(channel_->fd, patience_ms)) {
      std::puts("no event");
      std::exit(3);
    }
    rdma_cm_event* e = nullptr;
    must(::rdma_get_cm_event(channel_, &e) == 0, "event");
    outcome o{.established = e->event == wanted, .event = e->event, .status = e->status};
    const bool other = e->id != id_;
    const auto* data = static_cast<const unsigned char*>(e->param.conn.private_data);
    if (data != nullptr && (e->event == RDMA_CM_EVENT_REJECTED || o.established))
      o.private_data.assign(data, data + e->param.conn.private_data_len);
    ::rdma_ack_cm_event(e);
    if (other) continue;  // of a connection that is over, or of the next one
    return o;
  }
}

void peer::make_queue(bool by_hand) {
  ibv_comp_channel* const told = ::ibv_create_comp_channel(id_->verbs);
  must(told != nullptr, "completion channel");
  done_ = ::ibv_create_cq(id_->verbs, 512, nullptr, told, 0);
  must(done_ != nullptr, "completion queue");
  ibv_qp_init_attr wanted{};
  wanted.send_cq = wanted.recv_cq = done_;
  wanted.qp_type = IBV_QPT_RC;
  wanted.sq_sig_all = 1;
  wanted.cap = {.max_send_wr = sends_max,
                .max_recv_wr = std::max(receives, 1u),
                .max_send_sge = 1,
                .max_recv_sge = 1,
                .max_inline_data = 0};
  ibv_pd* domain = id_->pd;
  if (by_hand) {
    domain = ::ibv_alloc_pd(id_->verbs);
    pair_ = domain != nullptr ? ::ibv_create_qp(domain, &wanted) : nullptr;
    must(pair_ != nullptr, "queue pair");
    ibv_qp_attr attr{};
    attr.qp_state = IBV_QPS_INIT;
    int mask = 0;
    must(::rdma_init_qp_attr(id_, &attr, &mask) == 0 && ::ibv_modify_qp(pair_, &attr, mask) == 0,
         "INIT");
  } else {
    must(::rdma_create_qp(id_, nullptr, &wanted) == 0, "queue pair");
    pair_ = id_->qp;
    domain = id_->pd;
  }
  memory_.resize((receives + 1) * message_max);
  const int rights = IBV_ACCESS_LOCAL_WRITE;
  region_ = ::ibv_reg_mr(domain, memory_.data(), memory_.size(), rights);
  must(region_ != nullptr, "registration");
  for (unsigned i = 0; i < receives; ++i) {
    ibv_sge piece{reinterpret_cast<std::uintptr_t>(memory_.data() + (i + 1) * message_max),
                  message_max, region_->lkey};
    ibv_recv_wr work{.wr_id = i + 1, .next = nullptr, .sg_list = &piece, .num_sge = 1};
    ibv_recv_wr* bad = nullptr;
    must(::ibv_post_recv(pair_, &work, &bad) == 0, "receive");
  }
}

outcome peer::connect(const bytes& private_data, int reads) {
  make_queue(false);
  rdma_conn_param terms{};
  terms.private_data = private_data.data();
  terms.private_data_len = static_cast<std::uint8_t>(private_data.size());
  terms.responder_resources = static_cast<std::uint8_t>(reads);
  terms.retry_count = terms.rnr_retry_count = 3;
  must(::rdma_connect(id_, &terms) == 0, "connect");
  return await(RDMA_CM_EVENT_ESTABLISHED);
}

bool peer::respond_by_hand(const bytes& private_data) {
  make_queue(true);
  rdma_conn_param terms{};
  terms.private_data = private_data.data();
  terms.private_data_len = static_cast<std::uint8_t>(private_data.size());
  terms.responder_resources = 16;
  terms.retry_count = terms.rnr_retry_count = 3;
  terms.qp_num = pair_->qp_num;
  must(::rdma_connect(id_, &terms) == 0, "connect");
  const outcome answer = await(RDMA_CM_EVENT_CONNECT_RESPONSE);
  if (!answer.established) {
    answer.print();
    return false;
  }
  for (const ibv_qp_state to : {IBV_QPS_RTR, IBV_QPS_RTS}) {
    ibv_qp_attr attr{};
    attr.qp_state = to;
    int mask = 0;
    must(::rdma_init_qp_attr(id_, &attr, &mask) == 0 && ::ibv_modify_qp(pair_, &attr, mask) == 0,
         "RTS");
  }
  return true;
}

void peer::establish() { must(::rdma_establish(id_) == 0, "establish"); }

bool peer::accept(const bytes& private_data) {
  make_queue(false);
  rdma_conn_param terms{};
  terms.private_data = private_data.data();
  terms.private_data_len = static_cast<std::uint8_t>(private_data.size());
  terms.initiator_depth = 1;
  terms.rnr_retry_count = 3;
  must(::rdma_accept(id_, &terms) == 0, "accept");
  const outcome end = await(RDMA_CM_EVENT_ESTABLISHED);
  if (!end.established) end.print();
  return end.established;
}

void peer::reject(const bytes& private_data) {
  must(::rdma_reject(id_, private_data.data(), static_cast<std::uint8_t>(private_data.size())) == 0,
       "reject");
}

void peer::post(const bytes& message, ibv_wr_opcode how, std::uint32_t key) {
  std::copy(message.begin(), message.end(), memory_.begin() + (sends_ % 64) * 64);
  ibv_sge piece{reinterpret_cast<std::uintptr_t>(memory_.data() + (sends_ % 64) * 64),
                static_cast<std::uint32_t>(message.size()), region_->lkey};
  if (message.size() > 64) {
    std::copy(message.begin(), message.end(), memory_.begin());
    piece.addr = reinterpret_cast<std::uintptr_t>(memory_.data());
  }
  ibv_send_wr work{};
  work.sg_list = &piece;
  work.num_sge = 1;
  work.opcode = how;
  work.invalidate_rkey = key;
  ibv_send_wr* bad = nullptr;
  must(::ibv_post_send(pair_, &work, &bad) == 0, "send");
  ++sends_;
}
void peer::send(const bytes& message) { post(message, IBV_WR_SEND, 0); }
void peer::send_invalidating(const bytes& message, std::uint32_t key) {
  post(message, IBV_WR_SEND_WITH_INV, key);
}

bool peer::next(ibv_wc& wc) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  while (true) {
    if (::ibv_poll_cq(done_, 1, &wc) == 1) return true;
    must(::ibv_req_notify_cq(done_, 0) == 0, "notify");
    if (::ibv_poll_cq(done_, 1, &wc) == 1) return true;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        limit - std::chrono::steady_clock::now());
    // A listener's channel is for its next host. An end brings the flushed work along, if any.
    const int ended = owns_channel_ ? channel_->fd : -1;
    if (left.count() <= 0 ||
        first_readable(done_->channel->fd, ended, static_cast<int>(left.count())) != 0)
      return ::ibv_poll_cq(done_, 1, &wc) == 1;
    ibv_cq* which = nullptr;
    void* context = nullptr;
    must(::ibv_get_cq_event(done_->channel, &which, &context) == 0, "completion event");
    ::ibv_ack_cq_events(done_, 1);
  }
}

void peer::wait_sent(unsigned count) {
  ibv_wc wc{};
  while (sent_ < count && next(wc)) {
    if (wc.status != IBV_WC_SUCCESS) {
      std::printf("send: %s\n", ::ibv_wc_status_str(wc.status));
      return;
    }
    // Whatever has told the other end, a capsule perhaps: it answers already.
    if (wc.opcode == IBV_WC_RECV)
      early_.push_back(wc);
    else
      ++sent_;
  }
  std::printf("%u sent\n", sent_);
}

bool peer::receive(bytes& message) {
  ibv_wc wc{};
  while (next(wc)) {
    if (wc.status != IBV_WC_SUCCESS) return false;
    if (wc.opcode != IBV_WC_RECV) continue;
    const unsigned char* at = memory_.data() + wc.wr_id * message_max;
    message.assign(at, at + std::min<std::size_t>(wc.byte_len, 64));
    message.resize(64);
    return true;
  }
  return false;
}

void peer::tell_all(unsigned messages) {
  ibv_wc wc{};
  unsigned got = 0;
  while (!early_.empty() || next(wc)) {
    if (!early_.empty()) {
      wc = early_.front();
      early_.erase(early_.begin());
    }
    if (wc.status != IBV_WC_SUCCESS) {
      std::printf("%s\n", ::ibv_wc_status_str(wc.status));
      break;
    }
    if (wc.opcode != IBV_WC_RECV) continue;
    const unsigned char* cqe = memory_.data() + wc.wr_id * message_max;
    std::printf("response to %u, %u bytes\n", cqe[12] + 256u * cqe[13], wc.byte_len);
    if (++got == messages) break;
  }
  std::puts("over");
  std::fflush(stdout);
}

listening::listening(const char* address, const char* port)
    : channel_(::rdma_create_event_channel()) {
  must(channel_ != nullptr && ::rdma_create_id(channel_, &id_, nullptr, RDMA_PS_TCP) == 0, "cm");
  addrinfo* at = find(address, port);
  must(::rdma_bind_addr(id_, at->ai_addr) == 0 && ::rdma_listen(id_, 16) == 0, "listen");
  ::freeaddrinfo(at);
}

peer listening::next() {
  while (true) {
    rdma_cm_event* e = nullptr;
    must(::rdma_get_cm_event(channel_, &e) == 0, "event");
    rdma_cm_id* const asked = e->event == RDMA_CM_EVENT_CONNECT_REQUEST ? e->id : nullptr;
    ::rdma_ack_cm_event(e);
    if (asked != nullptr) return peer(channel_, asked);
  }
}

}  // namespace stranger
