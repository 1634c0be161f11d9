// SPDX-License-Identifier: BSD-2-Clause
#include <nvmf/transport.hpp>

#include "../verbs.hpp"

namespace nvmf::rdma {

std::string_view work_name(work_kind kind) {
  switch (kind) {
    case work_kind::receive:
      return "RECEIVE";
    case work_kind::send:
      return "SEND";
    case work_kind::send_invalidate:
      return "SEND with invalidate";
    case work_kind::write:
      return "RDMA WRITE";
    case work_kind::read:
      return "RDMA READ";
    case work_kind::bind:
      return "BIND";
    case work_kind::invalidate:
      return "LOCAL INVALIDATE";
  }
  return "";
}

std::string_view status_name(work_status status) {
  switch (status) {
    case work_status::success:
      return "success";
    case work_status::local_length:
      return "local length error";
    case work_status::local_queue:
      return "local queue pair operation error";
    case work_status::local_protection:
      return "local protection error";
    case work_status::flushed:
      return "flushed";
    case work_status::bind_error:
      return "memory window bind error";
    case work_status::bad_response:
      return "bad response";
    case work_status::remote_invalid_request:
      return "remote invalid request";
    case work_status::remote_access:
      return "remote access error";
    case work_status::remote_operation:
      return "remote operation error";
    case work_status::retries_exceeded:
      return "transport retries exceeded";
    case work_status::not_ready_exceeded:
      return "receiver not ready: retries exceeded";
    case work_status::fatal:
      return "fatal error of the device";
  }
  return "";
}

std::error_code error_of(work_status status) {
  switch (status) {
    case work_status::retries_exceeded:
    case work_status::not_ready_exceeded:
      return errc::timed_out;
    case work_status::flushed:
    case work_status::bad_response:
    case work_status::remote_invalid_request:
    case work_status::remote_access:
    case work_status::remote_operation:
      return errc::reset;
    default:
      return std::make_error_code(std::errc::io_error);
  }
}

}  // namespace nvmf::rdma
