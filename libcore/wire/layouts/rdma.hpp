// SPDX-License-Identifier: BSD-2-Clause
// Private data of the RDMA connection manager: the Connect request, its acceptance and its
// rejection (NVMe RDMA Transport 1.0). Section numbers are left out: they differ between the
// revisions of the binding, the structures do not.
#pragma once

#include "build.hpp"

namespace nvmf::wire {

namespace rdma_parts {
using namespace build;

inline constexpr std::array request{
    num("recfmt", 0, 2, "Record Format, 0"),
    num("qid", 2, 2, "Queue Identifier, 0 is the Admin Queue"),
    num("hrqsize", 4, 2, "Host Receive Queue Size, entries"),
    zero_based(num("hsqsize", 6, 2, "Host Send Queue Size, 0's based")),
    hex("cntlid", 8, 2, "Controller ID of an I/O queue's association"),
    rsvd(10, 22),
};
inline constexpr std::array accept{
    num("recfmt", 0, 2, "Record Format, 0"),
    num("crqsize", 2, 2, "Controller Receive Queue Size, entries"),
    rsvd(4, 28),
};
inline constexpr std::array reject{
    num("recfmt", 0, 2, "Record Format, 0"),
    named(num("sts", 2, 2, "Status"), rdma_cm_statuses),
};
}  // namespace rdma_parts

inline constexpr layout rdma_cm_request{"rdma-cm-request", "RDMA_CM_REQUEST private data", "RDMA",
                                        32, rdma_parts::request};
inline constexpr layout rdma_cm_accept{"rdma-cm-accept", "RDMA_CM_ACCEPT private data", "RDMA", 32,
                                       rdma_parts::accept};
inline constexpr layout rdma_cm_reject{"rdma-cm-reject", "RDMA_CM_REJECT private data", "RDMA", 4,
                                       rdma_parts::reject};

static_assert(complete(rdma_cm_request) && complete(rdma_cm_accept) && complete(rdma_cm_reject));

}  // namespace nvmf::wire
