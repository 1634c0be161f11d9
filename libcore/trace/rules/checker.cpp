// SPDX-License-Identifier: BSD-2-Clause
#include "checker.hpp"

namespace nvmf::trace {

queue_checker& checker::of(const connection& c) {
  auto& [number, its] = recent_[c.number() % recent_.size()];
  if (number == c.number()) return *its;
  std::unique_ptr<queue_checker>& q = queues_[c.number()];
  violation_sink& counting = *this;
  if (q == nullptr) q = std::make_unique<queue_checker>(controllers_, counting);
  number = c.number();
  its = q.get();
  return *its;
}

void checker::on_connection(const connection& c) { of(c); }
void checker::on_pdu(const connection& c, const pdu& p, const command* k) { of(c).on_pdu(c, p, k); }
void checker::on_completion(const connection& c, const command& k, const completion& done,
                            const pdu*) {
  of(c).on_completion(c, k, done);
}
void checker::on_notice(const connection& c, const notice& n) { of(c).on_notice(c, n); }

void checker::on_end(const connection& c, const stamp& at, bool closed) {
  of(c).on_end(c, at, closed);
  queues_.erase(c.number());
  recent_[c.number() % recent_.size()] = {};
}

void checker::on_violation(const connection& c, const violation& v) {
  ++counts_[static_cast<std::size_t>(v.id)];
  ++by_weight_[static_cast<std::size_t>(row_of(v.id).weight)];
  to_.on_violation(c, v);
}

void checker::on_suspension(const connection& c, const suspension& s) {
  ++suspended_;
  to_.on_suspension(c, s);
}

}  // namespace nvmf::trace
