// SPDX-License-Identifier: BSD-2-Clause
#include "private_data.hpp"

#include <fmt/format.h>

#include <cassert>

#include "wire/layouts/rdma.hpp"

namespace nvmf::rdma {

using wire::get;
using wire::rdma_cm_accept;
using wire::rdma_cm_reject;
using wire::rdma_cm_request;
using wire::rdma_cm_status;
using wire::set;

static_assert(rdma_cm_request.size == request_bytes && rdma_cm_accept.size == accept_bytes &&
              rdma_cm_reject.size == reject_bytes);

std::array<std::byte, request_bytes> encode(const cm_request& request) {
  assert(request.receives >= 1 && request.receives <= 0xffff && request.sends >= 1 &&
         request.sends <= 0x1'0000);
  std::array<std::byte, request_bytes> data{};
  set<rdma_cm_request, "qid">(data, request.qid);
  set<rdma_cm_request, "hrqsize">(data, request.receives);
  set<rdma_cm_request, "hsqsize">(data, request.sends - 1);
  set<rdma_cm_request, "cntlid">(data, request.cntlid);
  return data;
}

std::expected<cm_request, rdma_cm_status> parse_request(std::span<const std::byte> data,
                                                        const request_rules& rules) {
  if (data.size() < request_bytes)
    return std::unexpected(rdma_cm_status::invalid_private_data_length);
  if (get<rdma_cm_request, "recfmt">(data) != 0)
    return std::unexpected(rdma_cm_status::invalid_recfmt);
  cm_request r;
  r.qid = static_cast<std::uint16_t>(get<rdma_cm_request, "qid">(data));
  if (r.qid > rules.max_qid) return std::unexpected(rdma_cm_status::invalid_qid);
  r.receives = static_cast<std::uint32_t>(get<rdma_cm_request, "hrqsize">(data));
  r.sends = static_cast<std::uint32_t>(get<rdma_cm_request, "hsqsize">(data)) + 1;
  // A queue has two entries at least (Base 3.3.3.1).
  const std::uint32_t most = r.qid == 0 ? rules.max_sends_admin : rules.max_sends;
  if (r.sends < 2 || r.sends > most) return std::unexpected(rdma_cm_status::invalid_hsqsize);
  if (r.receives == 0) return std::unexpected(rdma_cm_status::invalid_hrqsize);
  r.cntlid = static_cast<std::uint16_t>(get<rdma_cm_request, "cntlid">(data));
  return r;
}

std::array<std::byte, accept_bytes> encode_accept(std::uint32_t receives) {
  assert(receives >= 1 && receives <= 0xffff);
  std::array<std::byte, accept_bytes> data{};
  set<rdma_cm_accept, "crqsize">(data, receives);
  return data;
}

std::expected<std::uint32_t, protocol_error> parse_accept(std::span<const std::byte> data) {
  const auto broken = [](std::uint32_t offset, std::string_view reason, std::uint64_t value,
                         std::uint64_t limit) {
    return std::unexpected(protocol_error{.structure = rdma_cm_accept.name,
                                          .offset = offset,
                                          .reason = reason,
                                          .value = value,
                                          .limit = limit});
  };
  if (data.size() < accept_bytes)
    return broken(0, "private data is too short", data.size(), accept_bytes);
  if (const auto format = get<rdma_cm_accept, "recfmt">(data); format != 0)
    return broken(0, "RECFMT is not 0", format, 0);
  const auto receives = static_cast<std::uint32_t>(get<rdma_cm_accept, "crqsize">(data));
  if (receives == 0) return broken(2, "CRQSIZE is 0", 0, 1);
  return receives;
}

std::array<std::byte, reject_bytes> encode_reject(rdma_cm_status why) {
  std::array<std::byte, reject_bytes> data{};
  set<rdma_cm_reject, "sts">(data, static_cast<std::uint16_t>(why));
  return data;
}

std::expected<std::string, protocol_error> explain_reject(std::span<const std::byte> data) {
  const auto broken = [](std::string_view reason, std::uint64_t value, std::uint64_t limit) {
    return std::unexpected(protocol_error{
        .structure = rdma_cm_reject.name, .reason = reason, .value = value, .limit = limit});
  };
  if (data.size() < reject_bytes)
    return broken("private data is too short", data.size(), reject_bytes);
  if (const auto format = get<rdma_cm_reject, "recfmt">(data); format != 0)
    return broken("RECFMT is not 0", format, 0);
  const auto status = static_cast<std::uint32_t>(get<rdma_cm_reject, "sts">(data));
  const wire::row* named = wire::rdma_cm_statuses.find(status);
  return fmt::format("{} (status {})", named == nullptr ? "Reserved" : named->title, status);
}

}  // namespace nvmf::rdma
