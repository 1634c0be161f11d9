// SPDX-License-Identifier: BSD-2-Clause
// A link's queue pair: work requests out, completions in.
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstdlib>

#include "link.hpp"
#include "trouble.hpp"

namespace nvmf::rdma {
namespace {

constexpr std::size_t polled_at_a_time = 16;
// Completion events that are acknowledged together: each time takes a lock.
constexpr unsigned acknowledged_at_a_time = 128;

// A completion of a request that failed does not tell its kind: it travels with the number.
constexpr unsigned kind_at = 60;
std::uint64_t numbered(work_kind kind, std::uint64_t id) {
  assert(id >> kind_at == 0);
  return static_cast<std::uint64_t>(kind) << kind_at | id;
}

ibv_wr_opcode opcode_of(work_kind kind) {
  switch (kind) {
    case work_kind::send_invalidate:
      return IBV_WR_SEND_WITH_INV;
    case work_kind::write:
      return IBV_WR_RDMA_WRITE;
    case work_kind::read:
      return IBV_WR_RDMA_READ;
    case work_kind::bind:
      return IBV_WR_BIND_MW;
    case work_kind::invalidate:
      return IBV_WR_LOCAL_INV;
    default:
      return IBV_WR_SEND;
  }
}

work_status status_of(ibv_wc_status status) {
  switch (status) {
    case IBV_WC_SUCCESS:
      return work_status::success;
    case IBV_WC_LOC_LEN_ERR:
      return work_status::local_length;
    case IBV_WC_LOC_QP_OP_ERR:
    case IBV_WC_LOC_EEC_OP_ERR:
      return work_status::local_queue;
    case IBV_WC_LOC_PROT_ERR:
    case IBV_WC_LOC_ACCESS_ERR:
      return work_status::local_protection;
    case IBV_WC_WR_FLUSH_ERR:
      return work_status::flushed;
    case IBV_WC_MW_BIND_ERR:
      return work_status::bind_error;
    case IBV_WC_BAD_RESP_ERR:
      return work_status::bad_response;
    case IBV_WC_REM_INV_REQ_ERR:
      return work_status::remote_invalid_request;
    case IBV_WC_REM_ACCESS_ERR:
      return work_status::remote_access;
    case IBV_WC_REM_OP_ERR:
      return work_status::remote_operation;
    case IBV_WC_RETRY_EXC_ERR:
    case IBV_WC_RESP_TIMEOUT_ERR:
      return work_status::retries_exceeded;
    case IBV_WC_RNR_RETRY_EXC_ERR:
      return work_status::not_ready_exceeded;
    default:
      return work_status::fatal;
  }
}

completion completion_of(const ibv_wc& wc, unsigned invalidated_flag) {
  completion c{.id = wc.wr_id & ((std::uint64_t{1} << kind_at) - 1),
               .kind = static_cast<work_kind>(wc.wr_id >> kind_at),
               .status = status_of(wc.status)};
  if (c.kind != work_kind::receive || c.status != work_status::success) return c;
  c.length = wc.byte_len;
  c.invalidated = (wc.wc_flags & invalidated_flag) != 0;
  if (c.invalidated) c.invalidated_key = wc.invalidated_rkey;
  return c;
}

unsigned window_rights(access rights) {
  unsigned flags = 0;
  if (allows(rights, access::remote_read)) flags |= IBV_ACCESS_REMOTE_READ;
  if (allows(rights, access::remote_write)) flags |= IBV_ACCESS_REMOTE_WRITE;
  return flags;
}

ibv_sge sge_of(const piece& p) {
  return {.addr = reinterpret_cast<std::uintptr_t>(p.data), .length = p.length, .lkey = p.key};
}

}  // namespace

std::error_code device_link::make_queue(const queue_shape& shape) {
  assert(pair_ == nullptr && memory_ != nullptr);
  ibv_context* const device = id_->verbs;
  completions_ = ::ibv_create_comp_channel(device);
  if (completions_ == nullptr) return {errno, std::system_category()};
  const int flags = ::fcntl(completions_->fd, F_GETFL);
  if (flags < 0 || ::fcntl(completions_->fd, F_SETFL, flags | O_NONBLOCK) < 0)
    return {errno, std::system_category()};
  const std::uint32_t entries = std::min(shape.sends + shape.receives, limits().max_completions);
  done_ = ::ibv_create_cq(device, static_cast<int>(entries), nullptr, completions_, 0);
  if (done_ == nullptr) return memory_error(errno);
  ibv_qp_init_attr wanted{};
  wanted.send_cq = wanted.recv_cq = done_;
  wanted.qp_type = IBV_QPT_RC;
  wanted.cap = {.max_send_wr = shape.sends,
                .max_recv_wr = shape.receives,
                .max_send_sge = shape.pieces,
                .max_recv_sge = 1,
                .max_inline_data = shape.inlined};
  if (::rdma_create_qp(id_.get(), memory_->on()->domain(), &wanted) != 0)
    return memory_error(errno);
  pair_ = id_->qp;
  return {};
}

void device_link::end_queue() {
  if (std::exchange(asked_, false)) on_->remove_poller(this);
  completions_watch_.reset();
  if (std::exchange(pair_, nullptr) != nullptr) ::rdma_destroy_qp(id_.get());
  if (done_ != nullptr) {
    // It waits for those that have not been acknowledged.
    ::ibv_ack_cq_events(done_, std::exchange(unacknowledged_, 0));
    ::ibv_destroy_cq(std::exchange(done_, nullptr));
  }
  if (completions_ != nullptr) ::ibv_destroy_comp_channel(std::exchange(completions_, nullptr));
}

std::error_code device_link::post(const work_request& work) {
  assert(work.kind != work_kind::receive);
  std::array<ibv_sge, 4> pieces;
  if (pair_ == nullptr) return std::make_error_code(std::errc::not_connected);
  if (work.pieces.size() > pieces.size())
    return std::make_error_code(std::errc::argument_list_too_long);
  std::ranges::transform(work.pieces, pieces.begin(), sge_of);
  ibv_send_wr request{};
  request.wr_id = numbered(work.kind, work.id);
  request.opcode = opcode_of(work.kind);
  request.sg_list = pieces.data();
  request.num_sge = static_cast<int>(work.pieces.size());
  if (work.signalled) request.send_flags |= IBV_SEND_SIGNALED;
  if (work.inlined) request.send_flags |= IBV_SEND_INLINE;
  if (work.fence) request.send_flags |= IBV_SEND_FENCE;
  ibv_mw* bound = nullptr;
  switch (work.kind) {
    case work_kind::send_invalidate:
    case work_kind::invalidate:
      request.invalidate_rkey = work.remote_key;
      break;
    case work_kind::write:
    case work_kind::read:
      request.wr.rdma = {.remote_addr = work.remote_address, .rkey = work.remote_key};
      break;
    case work_kind::bind: {
      bound = memory_->window(work.remote_key);
      if (bound == nullptr || work.pieces.size() != 1)
        return std::make_error_code(std::errc::invalid_argument);
      request.num_sge = 0;
      request.bind_mw = {.mw = bound,
                         .rkey = work.remote_key,
                         .bind_info = {.mr = memory_->region(work.pieces[0].key),
                                       .addr = pieces[0].addr,
                                       .length = pieces[0].length,
                                       .mw_access_flags = window_rights(work.rights)}};
      break;
    }
    default:
      break;
  }
  if (work.kind == work_kind::send_invalidate && !memory_->on()->takes_back())
    request.opcode = IBV_WR_SEND;
  ibv_send_wr* refused = nullptr;
  // Some providers answer with a negative number.
  const int error = std::abs(::ibv_post_send(pair_, &request, &refused));
  if (error != 0) return {error, std::system_category()};
  if (bound != nullptr) bound->rkey = work.remote_key;
  return {};
}

std::error_code device_link::post_receive(std::uint64_t id, const piece& into) {
  if (pair_ == nullptr) return std::make_error_code(std::errc::not_connected);
  ibv_sge whole = sge_of(into);
  ibv_recv_wr request{};
  request.wr_id = numbered(work_kind::receive, id);
  request.sg_list = &whole;
  request.num_sge = 1;
  ibv_recv_wr* refused = nullptr;
  return {std::abs(::ibv_post_recv(pair_, &request, &refused)), std::system_category()};
}

std::size_t device_link::poll(std::span<completion> into) {
  if (done_ == nullptr) return 0;
  std::array<ibv_wc, polled_at_a_time> some;
  const unsigned invalidated = memory_->on()->invalidated_flag();
  std::size_t all = 0;
  if (first_ && !into.empty()) {
    into[all++] = completion_of(*first_, invalidated);
    first_.reset();
  }
  while (all < into.size()) {
    const auto room = std::min(into.size() - all, some.size());
    const int n = ::ibv_poll_cq(done_, static_cast<int>(room), some.data());
    for (int i = 0; i < n; ++i)
      into[all++] = completion_of(some[static_cast<std::size_t>(i)], invalidated);
    if (n < static_cast<int>(room)) break;
  }
  // The peer takes the connection for established, and its word that it is may have been lost.
  const bool came = all != 0 && into[0].status == work_status::success;
  if (passive_ && !established_ && came && !std::exchange(notified_, true))
    ::rdma_notify(id_.get(), IBV_EVENT_COMM_EST);
  return all;
}

void device_link::arm() {
  if (done_ == nullptr) return;
  if (on_->polling()) {
    if (!std::exchange(asked_, true)) on_->add_poller(this);
    return;
  }
  if (!completions_watch_) {
    completions_watch_.emplace(*on_, completions_->fd);
    if (completions_watch_->error())
      return say({.kind = cm_event_kind::removed, .error = completions_watch_->error()});
    watch_completions();
  }
  ::ibv_req_notify_cq(done_, 0);
}

void device_link::watch_completions() {
  completions_watch_->wait([this, alive = std::weak_ptr(self_)] {
    if (!alive.expired()) on_completion_channel();
  });
}

void device_link::on_completion_channel() {
  ibv_cq* of = nullptr;
  void* context = nullptr;
  // It says so once each time that the queue is armed.
  if (::ibv_get_cq_event(completions_, &of, &context) == 0 &&
      ++unacknowledged_ == acknowledged_at_a_time)
    ::ibv_ack_cq_events(done_, std::exchange(unacknowledged_, 0));
  const std::weak_ptr<device_link*> alive = self_;
  if (who_ != nullptr) who_->on_completions();
  if (!alive.expired()) watch_completions();
}

bool device_link::poll() noexcept {
  ibv_wc one;
  if (!first_ && ::ibv_poll_cq(done_, 1, &one) == 1) first_ = one;
  if (!first_ || who_ == nullptr) return false;
  who_->on_completions();
  return true;
}

void device_link::into_error() {
  if (pair_ == nullptr) return;
  ibv_qp_attr attributes{};
  attributes.qp_state = IBV_QPS_ERR;
  ::ibv_modify_qp(pair_, &attributes, IBV_QP_STATE);
}

void device_link::fail() { into_error(); }

}  // namespace nvmf::rdma
