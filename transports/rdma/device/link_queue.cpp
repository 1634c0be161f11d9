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

// Requests that are given to the device together.
constexpr std::size_t posted_at_a_time = 32, pieces_at_most = 4;

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
  // Room for all that can be posted: one that overflows is lost, and its queue pair with it.
  assert(shape.sends <= limits().max_completions && shape.receives <= limits().max_completions);
  if (const auto error = received_.make(device, shape.receives, completions_))
    return memory_error(error.value());
  if (const auto error = sent_.make(device, shape.sends, completions_))
    return memory_error(error.value());
  memory_->on()->add_tenant(*on_, self_, [this] { tell_now({.kind = cm_event_kind::removed}); });
  ibv_qp_init_attr wanted{};
  wanted.recv_cq = received_.get();
  wanted.send_cq = sent_.get();
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
  received_.end();
  sent_.end();
  if (completions_ != nullptr) ::ibv_destroy_comp_channel(std::exchange(completions_, nullptr));
}

struct device_link::request_form {
  ibv_send_wr work;
  std::array<ibv_sge, pieces_at_most> pieces;
};

std::error_code device_link::describe(const work_request& work, request_form& into) const {
  assert(work.kind != work_kind::receive);
  if (work.pieces.size() > into.pieces.size())
    return std::make_error_code(std::errc::argument_list_too_long);
  std::ranges::transform(work.pieces, into.pieces.begin(), sge_of);
  ibv_send_wr& wr = into.work;
  wr = {};
  wr.wr_id = numbered(work.kind, work.id);
  wr.opcode = opcode_of(work.kind);
  wr.sg_list = into.pieces.data();
  wr.num_sge = static_cast<int>(work.pieces.size());
  if (work.signalled) wr.send_flags |= IBV_SEND_SIGNALED;
  if (work.inlined) wr.send_flags |= IBV_SEND_INLINE;
  if (work.fence) wr.send_flags |= IBV_SEND_FENCE;
  switch (work.kind) {
    case work_kind::send_invalidate:
      if (!memory_->on()->takes_back()) wr.opcode = IBV_WR_SEND;
      [[fallthrough]];
    case work_kind::invalidate:
      wr.invalidate_rkey = work.remote_key;
      break;
    case work_kind::write:
    case work_kind::read:
      wr.wr.rdma = {.remote_addr = work.remote_address, .rkey = work.remote_key};
      break;
    case work_kind::bind: {
      ibv_mw* const window = memory_->window(work.remote_key);
      if (window == nullptr || work.pieces.size() != 1)
        return std::make_error_code(std::errc::invalid_argument);
      wr.num_sge = 0;
      wr.bind_mw = {.mw = window,
                    .rkey = work.remote_key,
                    .bind_info = {.mr = memory_->region(work.pieces[0].key),
                                  .addr = into.pieces[0].addr,
                                  .length = into.pieces[0].length,
                                  .mw_access_flags = window_rights(work.rights)}};
      break;
    }
    default:
      break;
  }
  return {};
}

posting device_link::post_all(std::span<const work_request> chain) {
  posting got;
  if (pair_ == nullptr) got.error = std::make_error_code(std::errc::not_connected);
  std::array<request_form, posted_at_a_time> requests;
  while (!got.error && got.taken < chain.size()) {
    std::size_t n = 0;
    for (; n < requests.size() && got.taken + n < chain.size(); ++n) {
      if ((got.error = describe(chain[got.taken + n], requests[n]))) break;
      if (n != 0) requests[n - 1].work.next = &requests[n].work;
    }
    if (n == 0) break;
    ibv_send_wr* refused = nullptr;
    // Some providers answer with a negative number.
    const int error = std::abs(::ibv_post_send(pair_, &requests[0].work, &refused));
    if (error != 0) {
      got.error = {error, std::system_category()};
      std::size_t first = 0;
      while (first < n && refused != &requests[first].work) ++first;
      n = first < n ? first : 0;
    }
    for (const request_form& done : std::span{requests}.first(n))
      if (done.work.opcode == IBV_WR_BIND_MW) done.work.bind_mw.mw->rkey = done.work.bind_mw.rkey;
    got.taken += n;
  }
  return got;
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
  if (pair_ == nullptr) return 0;
  const unsigned invalidated = memory_->on()->invalidated_flag();
  std::size_t all = 0;
  // Looked at first and told last: what was done before something came is there by now.
  received_.look();
  while (all < into.size() && sent_.look()) into[all++] = completion_of(*sent_.take(), invalidated);
  bool came = false;
  for (const ibv_wc* wc = nullptr; all < into.size() && (wc = received_.take()) != nullptr;) {
    into[all] = completion_of(*wc, invalidated);
    came |= into[all++].status == work_status::success;
  }
  // The peer takes the connection for established, and its word that it is may have been lost.
  if (passive_ && !established_ && came && !std::exchange(notified_, true))
    ::rdma_notify(id_.get(), IBV_EVENT_COMM_EST);
  return all;
}

void device_link::arm(completion_queue& queue) {
  if (pair_ == nullptr || !queue.arm()) return;
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
  queue.request_event();
}

void device_link::watch_completions() {
  completions_watch_->wait([this, alive = std::weak_ptr(self_)] {
    if (!alive.expired()) on_completion_channel();
  });
}

void device_link::on_completion_channel() {
  ibv_cq* of = nullptr;
  void* context = nullptr;
  // It says so once each time that a queue is armed.
  if (::ibv_get_cq_event(completions_, &of, &context) == 0)
    (received_.is(of) ? received_ : sent_).on_event();
  const std::weak_ptr<device_link*> alive = self_;
  if (who_ != nullptr) who_->on_completions();
  if (!alive.expired()) watch_completions();
}

bool device_link::poll() noexcept {
  // Nobody takes what it would find.
  if (who_ == nullptr) return false;
  bool found = false;
  for (completion_queue* queue : {&received_, &sent_})
    if (queue->armed() && queue->look()) {
      queue->on_found();
      found = true;
    }
  if (found) who_->on_completions();
  return found;
}

void device_link::into_error() {
  if (pair_ == nullptr) return;
  ibv_qp_attr attributes{};
  attributes.qp_state = IBV_QPS_ERR;
  ::ibv_modify_qp(pair_, &attributes, IBV_QP_STATE);
}

void device_link::fail() { into_error(); }

}  // namespace nvmf::rdma
