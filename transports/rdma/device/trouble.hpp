// SPDX-License-Identifier: BSD-2-Clause
// Why RDMA does not work here, in sentences for a person: what the system's numbers do not tell.
#pragma once

#include <cstdint>
#include <system_error>

namespace nvmf::rdma {

enum class trouble : std::uint8_t {
  no_manager = 1,     // no /dev/infiniband/rdma_cm
  manager_forbidden,  // it may not be opened
  device_forbidden,   // /dev/infiniband/uverbs*
  no_device_for,      // an address
  locked_memory,      // RLIMIT_MEMLOCK
  no_route,           // to an address, on any RDMA device
  unreachable,        // nobody answers the connection manager
  reset_by_peer,      // while connecting
};

const std::error_category& trouble_category() noexcept;
inline std::error_code make_error_code(trouble t) noexcept {
  return {static_cast<int>(t), trouble_category()};
}

// What an errno of the connection manager means: of its device file, of an address.
std::error_code manager_error(int number);
std::error_code address_error(int number);
// Of a registration, or of a queue: no memory is most often a limit on what may be locked.
std::error_code memory_error(int number);

}  // namespace nvmf::rdma

template <>
struct std::is_error_code_enum<nvmf::rdma::trouble> : std::true_type {};
