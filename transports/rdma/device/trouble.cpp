// SPDX-License-Identifier: BSD-2-Clause
#include "trouble.hpp"

#include <fmt/format.h>
#include <glob.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace nvmf::rdma {
namespace {

// A limit on locked memory; nothing: there is none.
bool memory_is_limited(rlim_t& bytes) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return false;
  bytes = limit.rlim_cur;
  return true;
}

std::string about_locked_memory() {
  rlim_t bytes = 0;
  memory_is_limited(bytes);
  return fmt::format(
      "memory cannot be registered: this process may lock {} KiB (ulimit -l); `ulimit -l "
      "unlimited` as root, memlock in /etc/security/limits.conf or LimitMEMLOCK=infinity of a "
      "service raises that",
      bytes / 1024);
}

class trouble_texts final : public std::error_category {
 public:
  const char* name() const noexcept override { return "rdma"; }
  std::string message(int value) const override {
    switch (static_cast<trouble>(value)) {
      case trouble::no_manager:
        return "there is no RDMA connection manager (/dev/infiniband/rdma_cm): no RDMA device is "
               "here, or `modprobe rdma_ucm` is missing";
      case trouble::manager_forbidden:
        return "no permission on /dev/infiniband/rdma_cm: run as root, or make the file readable "
               "and writable for this user";
      case trouble::device_forbidden:
        return "no permission on /dev/infiniband/uverbs*: run as root, or make the files readable "
               "and writable for this user";
      case trouble::no_device_for:
        return "the address belongs to no RDMA device; `nvmfctl rdma` lists the addresses that do";
      case trouble::locked_memory:
        return about_locked_memory();
      case trouble::no_route:
        return "no route leads there from an RDMA device; `nvmfctl rdma` lists the devices";
      case trouble::unreachable:
        return "it does not answer the connection manager: is it up, and is its fabric the same "
               "(RoCE or iWARP)?";
      case trouble::reset_by_peer:
        return "the peer broke off while connecting";
    }
    return "unknown trouble with RDMA";
  }
};

// Are there device files, and none of them ours to open?
bool devices_forbidden() {
  glob_t found{};
  bool forbidden = false;
  if (::glob("/dev/infiniband/uverbs*", 0, nullptr, &found) == 0) {
    forbidden = true;
    for (std::size_t i = 0; i < found.gl_pathc; ++i)
      forbidden = forbidden && ::access(found.gl_pathv[i], R_OK | W_OK) != 0;
  }
  ::globfree(&found);
  return forbidden;
}

}  // namespace

const std::error_category& trouble_category() noexcept {
  static const trouble_texts texts;
  return texts;
}

std::error_code manager_error(int number) {
  // librdmacm tells of a file that it may not open as of one that is not there.
  constexpr const char* file = "/dev/infiniband/rdma_cm";
  if (::access(file, F_OK) == 0 && ::access(file, R_OK | W_OK) != 0)
    return trouble::manager_forbidden;
  switch (number) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ENOSYS:
      return trouble::no_manager;
    case EACCES:
    case EPERM:
      return trouble::manager_forbidden;
    default:
      return {number, std::system_category()};
  }
}

std::error_code address_error(int number) {
  // librdmacm opens the device, and tells of one that it may not open as of one that is not there.
  if (devices_forbidden()) return trouble::device_forbidden;
  switch (number) {
    case ENODEV:
    case EPERM:
      return trouble::no_device_for;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENOENT:
      return trouble::no_route;
    default:
      return {number, std::system_category()};
  }
}

std::error_code memory_error(int number) {
  rlim_t bytes = 0;
  if (number == ENOMEM && memory_is_limited(bytes)) return trouble::locked_memory;
  return {number, std::system_category()};
}

}  // namespace nvmf::rdma
