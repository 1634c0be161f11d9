// SPDX-License-Identifier: BSD-2-Clause
#include "objects.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/bytes.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/forms.hpp"

namespace nvmf::cli::repl {

std::size_t memory_object::size() const {
  std::size_t n = 0;
  for (const piece& p : pieces) n += p.length;
  return n;
}

void memory_object::use() const {
  for (const piece& p : pieces) ++p.of->uses;
}

void memory_object::release() const {
  for (const piece& p : pieces) --p.of->uses;
}

void settle(queue_object& q, const std::shared_ptr<capsule_object>& c) {
  if (!c->data_done || !c->answered || !c->under_way()) return;
  c->state = capsule_state::ended;
  c->ended_at = q.raw ? q.raw.runs_on().now() : clock::now();
  c->handle.reset();
  if (c->memory) c->memory->release();
  std::erase(q.under_way, c);
}

bool take_leave(queue_object& q, std::span<const std::byte> sqe, std::uint16_t cid) {
  // The association fills in PSDT, the CID and SGL 1.
  constexpr std::size_t flags = 1, cid_end = 4, sgl = wire::offset_of<wire::sqe_layout, "sgl1">();
  constexpr std::size_t sgl_end = sgl + 16;
  const auto same = [&](const std::shared_ptr<capsule_object>& c) {
    const auto part = [&](std::size_t from, std::size_t to) {
      return std::ranges::equal(sqe.subspan(from, to - from),
                                std::span{c->sqe}.subspan(from, to - from));
    };
    return sqe.size() == c->sqe.size() && part(0, flags) && part(cid_end, sgl) &&
           part(sgl_end, sqe.size());
  };
  const auto it = std::ranges::find_if(q.leaving, same);
  if (it == q.leaving.end()) return false;
  (*it)->cid = cid;
  (*it)->cid_known = true;
  q.leaving.erase(it);
  return true;
}

void take_response(queue_object& q, capsule response) {
  const auto it = std::ranges::find_if(q.under_way, [&](const auto& c) {
    return !c->answered && c->handle && c->handle.cid() == response.cid();
  });
  if (it == q.under_way.end()) return;  // the session has complained of it already
  const auto c = *it;
  c->answered = true;
  c->result.has_cqe = true;
  c->result.sqhd_valid = response.sqhd_valid();
  std::ranges::copy(response.cqe(), c->result.cqe.begin());
  c->result.status =
      nvme_status::from_cqe_word(static_cast<std::uint16_t>(wire::load_le(c->result.cqe, 14, 2)));
  settle(q, c);
}

void end_queue(queue_object& q, const qpair_error& why) {
  q.ended = why.code ? why.code.message() : "closed by the peer";
  if (!why.violation.reason.empty()) *q.ended += fmt::format(" ({})", why.violation.reason);
  for (const auto& c : std::vector(q.under_way)) {
    if (c->answered) continue;
    c->answered = true;
    c->result.error = why.code ? why.code : make_error_code(errc::closed);
    settle(q, c);
  }
}

void lose_commands(const std::map<std::string, std::shared_ptr<incoming_object>, std::less<>>& all,
                   const queue_object& of, const std::string& why) {
  for (const auto& [name, in] : all) {
    if (!in->handle || in->of.lock().get() != &of) continue;
    in->handle.reset();
    in->end = why;
  }
}

const wire::layout& incoming_object::form() const { return wire::sqe_form(sqe, admin); }

const wire::layout& capsule_object::form() const { return wire::sqe_form(sqe, admin); }

}  // namespace nvmf::cli::repl
