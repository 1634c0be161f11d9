// SPDX-License-Identifier: BSD-2-Clause
// What an end does as single actions (nvmf/step.hpp): a message that leaves, or is taken.
#include "end.hpp"

namespace nvmf::loop {
namespace {

// A buffer that comes home is nobody's action.
bool counts(const message& m) { return m.kind != loop_kind::returned; }

qpair_action describe(const message& m, action_kind kind) {
  if (m.kind == loop_kind::ending) return {.kind = action_kind::end};
  return {
      .kind = kind, .unit = kind_of(m.kind), .cid = m.cid, .has_cid = true, .bytes = payload(m)};
}

}  // namespace

qpair_action end::next_to_leave() const {
  return parked_.empty() ? qpair_action{} : describe(parked_.front(), action_kind::send);
}

bool end::leave_next() {
  message m = std::move(parked_.front());
  parked_.erase(parked_.begin());
  depart(m);
  return true;
}

void end::leave_all() {
  while (!parked_.empty() && may(action_kind::send)) leave_next();
}

qpair_action end::next_arrival() const {
  qpair_action next;
  if (!open()) return next;
  for (std::size_t i = next_in_; i < inbox_.size(); ++i)
    if (counts(inbox_[i])) return describe(inbox_[i], action_kind::receive);
  setup_.wire->look(who_.side, counts,
                    [&](const message& m) { next = describe(m, action_kind::receive); });
  return next;
}

// One message as an action of its own.
void end::take_one(message& m) {
  if (!counts(m)) return take(m);
  take_as_action(describe(m, action_kind::receive), [&] { take(m); });
}

void end::forget_fetched(std::uint16_t cid) {
  std::erase_if(parked_,
                [&](const message& m) { return m.kind == loop_kind::fetched && m.cid == cid; });
}

void end::show_out(qpair_inside& show) const {
  for (const message& m : parked_)
    show.to_send.push_back({.kind = kind_of(m.kind), .cid = m.cid, .size = payload(m)});
}

}  // namespace nvmf::loop
