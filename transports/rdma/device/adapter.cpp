// SPDX-License-Identifier: BSD-2-Clause
#include "adapter.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "system_news.hpp"
#include "trouble.hpp"

namespace nvmf::rdma {
namespace {

// rxe, the software RoCE of Linux. It tells a program of a key that was taken back by the flag that
// the kernel has for it, which for programs is another (seen with Linux 6.12, rdma-core 44).
constexpr std::uint32_t rxe_vendor = 0xffffff;
constexpr unsigned rxe_invalidated = IBV_WC_IP_CSUM_OK | IBV_WC_WITH_INV;
// siw, the software iWARP of Linux: rdma-core 44 takes a send that invalidates, does not say what
// it is to invalidate, and the kernel then stops at it.
constexpr std::uint32_t siw_vendor = 0x626d74;

}  // namespace

adapter::adapter(ibv_context* device)
    : device_(device),
      domain_(::ibv_alloc_pd(device)),
      iwarp_(device->device->transport_type == IBV_TRANSPORT_IWARP) {}

adapter::~adapter() {
  if (domain_ != nullptr) ::ibv_dealloc_pd(domain_);
}

std::expected<std::shared_ptr<adapter>, std::error_code> adapter::open(ibv_context* device) {
  const std::shared_ptr<adapter> made{new adapter(device)};
  if (made->domain_ == nullptr) return std::unexpected(memory_error(errno));
  made->find_limits();
  return made;
}

void adapter::find_limits() {
  ibv_device_attr has{};
  // One that does not tell has none, and queues are refused by their limits.
  if (::ibv_query_device(device_, &has) != 0) return;
  const auto positive = [](int value) { return static_cast<std::uint32_t>(std::max(value, 0)); };
  limits_.max_work_requests = positive(has.max_qp_wr);
  limits_.max_completions = positive(has.max_cqe);
  limits_.max_pieces = positive(has.max_sge);
  limits_.max_reads_out = positive(has.max_qp_init_rd_atom);
  limits_.max_reads_in = positive(has.max_qp_rd_atom);
  limits_.max_region = has.max_mr_size;
  constexpr unsigned bound_by_work = IBV_DEVICE_MEM_WINDOW_TYPE_2A | IBV_DEVICE_MEM_WINDOW_TYPE_2B;
  limits_.windows = (has.device_cap_flags & bound_by_work) != 0 &&
                    (has.device_cap_flags & IBV_DEVICE_MEM_MGT_EXTENSIONS) != 0 && has.max_mw > 0;
  limits_.max_inline = find_inline();
  takes_back_ = has.vendor_id != siw_vendor;
  if (has.vendor_id == rxe_vendor) invalidated_flag_ = rxe_invalidated;
}

// No device tells how much a send may carry within its work request, so a queue pair is tried.
std::uint32_t adapter::find_inline() const {
  ibv_cq* const done = ::ibv_create_cq(device_, 2, nullptr, nullptr, 0);
  if (done == nullptr) return 0;
  std::uint32_t found = 0;
  for (const std::uint32_t bytes : {64u, 32u, 16u}) {
    ibv_qp_init_attr wanted{};
    wanted.send_cq = wanted.recv_cq = done;
    wanted.qp_type = IBV_QPT_RC;
    wanted.cap = {.max_send_wr = 1,
                  .max_recv_wr = 1,
                  .max_send_sge = 1,
                  .max_recv_sge = 1,
                  .max_inline_data = bytes};
    if (ibv_qp* const pair = ::ibv_create_qp(domain_, &wanted)) {
      ::ibv_destroy_qp(pair);
      found = bytes;
      break;
    }
  }
  ::ibv_destroy_cq(done);
  return found;
}

void adapter::add_tenant(executor& on, std::weak_ptr<void> lives, std::function<void()> leave) {
  const std::scoped_lock hold(lock_);
  std::erase_if(tenants_, [](const tenant& t) { return t.lives.expired(); });
  tenants_.push_back({&on, std::move(lives), std::move(leave)});
}

void adapter::send_away() {
  const std::scoped_lock hold(lock_);
  for (const tenant& t : tenants_)
    if (!t.lives.expired())
      t.on->post([lives = t.lives, leave = t.leave] {
        if (!lives.expired()) leave();
      });
}

void adapters::look_for_departed() {
  const std::scoped_lock hold(lock_);
  for (const auto& [device, known] : open_)
    if (const auto used = known.lock(); used && !has_device(used->device()->device->dev_name))
      used->send_away();
}

bool adapters::let_go(ibv_context* device) {
  const std::scoped_lock hold(lock_);
  if (const auto used = open_.find(device); used != open_.end() && !used->second.expired())
    return false;
  if (closed_.contains(device)) return true;
  // Numbers that librdmacm may close when it gets to it.
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0) return false;
  closed_.insert(device);
  for (const int number : {device->cmd_fd, device->async_fd}) ::dup3(nothing, number, O_CLOEXEC);
  ::close(nothing);
  return true;
}

void adapters::is_here(ibv_context* device) {
  const std::scoped_lock hold(lock_);
  closed_.erase(device);
}

std::expected<std::shared_ptr<adapter>, std::error_code> adapters::of(ibv_context* device) {
  const std::scoped_lock hold(lock_);
  std::erase_if(open_, [](const auto& one) { return one.second.expired(); });
  if (auto known = open_[device].lock()) return known;
  auto made = adapter::open(device);
  if (made) open_[device] = *made;
  return made;
}

}  // namespace nvmf::rdma
