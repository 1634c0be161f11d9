// SPDX-License-Identifier: BSD-2-Clause
// What a session does as single actions (nvmf/step.hpp): a work request that leaves, or the
// completion of a receive or of an RDMA READ. That a send is done is nobody's.
#include "session.hpp"

namespace nvmf::rdma {

bool session::leave_next() {
  leave_one();
  submit();
  return !starved_;
}

qpair_action session::about(const arrival& a) const {
  return a.what == arrival::kind::end ? qpair_action{.kind = action_kind::end} : describe(a);
}

qpair_action session::next_arrival() const {
  if (closed() || inbox_.empty() || state_ == state::opening) return {};
  return about(inbox_.front());
}

}  // namespace nvmf::rdma
