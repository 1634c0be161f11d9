// SPDX-License-Identifier: BSD-2-Clause
#include "memory.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <utility>

#include "trouble.hpp"

namespace nvmf::rdma {
namespace {

constexpr std::uint32_t number_of(std::uint32_t key) { return key >> 8; }

unsigned flags_of(access rights, const adapter& on) {
  unsigned flags = 0;
  if (allows(rights, access::local_write)) flags |= IBV_ACCESS_LOCAL_WRITE;
  // What a peer may reach it reaches by a window, where there are such.
  if (on.limits().windows) {
    if (allows(rights, access::remote_read) || allows(rights, access::remote_write))
      flags |= IBV_ACCESS_MW_BIND;
  } else {
    if (allows(rights, access::remote_read)) flags |= IBV_ACCESS_REMOTE_READ;
    if (allows(rights, access::remote_write)) flags |= IBV_ACCESS_REMOTE_WRITE;
  }
  // The answer to an RDMA READ is a write by the peer there.
  if (on.iwarp() && allows(rights, access::read_sink)) flags |= IBV_ACCESS_REMOTE_WRITE;
  return flags;
}

}  // namespace

std::expected<std::uint32_t, std::error_code> registrations::make_window() {
  ibv_mw* const made = ::ibv_alloc_mw(on_->domain(), IBV_MW_TYPE_2);
  if (made == nullptr) return std::unexpected(std::error_code{errno, std::system_category()});
  windows_.emplace(number_of(made->rkey), made);
  return made->rkey;
}

ibv_mw* registrations::window(std::uint32_t key) const {
  const auto found = windows_.find(number_of(key));
  return found == windows_.end() ? nullptr : found->second;
}

ibv_mr* registrations::region(std::uint32_t local_key) const {
  const auto found = regions_.find(local_key);
  return found == regions_.end() ? nullptr : found->second->registered_;
}

void registrations::end_windows() {
  for (const auto& [number, window] : std::exchange(windows_, {})) ::ibv_dealloc_mw(window);
}

void registrations::end() {
  end_windows();
  for (const auto& [key, one] : std::exchange(regions_, {})) one->end();
  on_.reset();
}

std::expected<std::unique_ptr<region>, std::error_code> device_region::make(
    const std::shared_ptr<registrations>& in, std::size_t bytes, access rights) {
  void* const at =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return std::unexpected(std::error_code{errno, std::system_category()});
  std::unique_ptr<device_region> made{new device_region(in)};
  made->bytes_ = {static_cast<std::byte*>(at), bytes};
  // A child must not make copies of pages that the device knows.
  ::madvise(at, bytes, MADV_DONTFORK);
  made->registered_ = ::ibv_reg_mr(in->on_->domain(), at, bytes, flags_of(rights, *in->on_));
  if (made->registered_ == nullptr) return std::unexpected(memory_error(errno));
  made->local_key_ = made->registered_->lkey;
  made->remote_key_ = made->registered_->rkey;
  in->regions_.emplace(made->local_key_, made.get());
  return made;
}

void device_region::end() {
  if (registered_ != nullptr) ::ibv_dereg_mr(std::exchange(registered_, nullptr));
}

device_region::~device_region() {
  if (registered_ != nullptr) in_->regions_.erase(local_key_);
  end();
  ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace nvmf::rdma
