// SPDX-License-Identifier: BSD-2-Clause
// Breaking rules on purpose (nvmf/tamper.hpp): messages are changed before the hook sees them. They
// have no digests and no length but that of their data, so a wrong digest is a corrupt message.
#include "end.hpp"
#include "wire/layouts/entries.hpp"

namespace nvmf::loop {

outgoing_kind kind_of(loop_kind kind) {
  switch (kind) {
    case loop_kind::command:
      return outgoing_kind::command;
    case loop_kind::response:
      return outgoing_kind::response;
    case loop_kind::fetch:
      return outgoing_kind::request;
    case loop_kind::fetched:
      return outgoing_kind::host_data;
    case loop_kind::data:
      return outgoing_kind::controller_data;
    case loop_kind::ending:
    case loop_kind::returned:
      break;
  }
  return outgoing_kind::termination;
}

std::uint32_t payload(const message& m) {
  if (m.kind == loop_kind::command) return static_cast<std::uint32_t>(m.block.size());
  return m.kind == loop_kind::data || m.kind == loop_kind::fetched ? m.length : 0;
}

namespace {

outgoing show(message& m, std::uint16_t qid) {
  outgoing o{.kind = kind_of(m.kind), .qid = qid, .cid = m.cid, .offset = m.offset};
  o.length = payload(m);
  o.last = m.last;
  o.success = m.success;
  if (m.kind == loop_kind::command) o.header = m.entry;
  if (m.kind == loop_kind::response) o.header = std::span{m.entry}.first(16);
  return o;
}

void alter(message& m, const outgoing& before, const outgoing& wanted) {
  if (wanted.length < before.length) {
    if (m.kind == loop_kind::command)
      m.block.resize(wanted.length);
    else
      m.length = wanted.length;
    if (m.kind == loop_kind::data) m.bytes = m.bytes.first(wanted.length);
  }
  if (wanted.cid != before.cid) {
    m.cid = wanted.cid;
    if (m.kind == loop_kind::command) wire::set<wire::sqe_layout, "cid">(m.entry, m.cid);
    if (m.kind == loop_kind::response) wire::set<wire::cqe_layout, "cid">(m.entry, m.cid);
  }
  m.last = wanted.last;
  m.success = wanted.success;
  m.corrupt = m.corrupt || wanted.header_digest == digest_choice::wrong ||
              wanted.data_digest == digest_choice::wrong;
}

}  // namespace

void end::send_altered(message& m) {
  outgoing wanted = show(m, qid_);
  const outgoing before = wanted;
  tamperer_->on_outgoing(wanted);
  if (!wanted.drop) {
    alter(m, before, wanted);
    if (wanted.twice) {
      message first = m.duplicate();
      send_as_is(first);
    }
    send_as_is(m);
  }
  if (!wanted.respond) return;
  message response;
  response.kind = loop_kind::response;
  response.cid = wanted.cid;
  wire::set<wire::cqe_layout, "cid">(response.entry, wanted.cid);
  send_as_is(response);
}

std::error_code end::misbehave(misdeed what, std::uint16_t fes) {
  if (!open() || cut_) return lost_ ? lost_code_ : make_error_code(errc::closed);
  switch (what) {
    case misdeed::terminate:
      terminate(fes);
      return {};
    case misdeed::reset:
      turn_deaf(false);
      cut(false);
      return {};
    case misdeed::half_close:
      return errc::not_supported;
    case misdeed::stop_reading:
    case misdeed::resume_reading:
      turn_deaf(what == misdeed::stop_reading);
      return {};
  }
  return errc::invalid_argument;
}

// As after a breach of the peer's, of which there was none.
void end::terminate(std::uint16_t fes) {
  const protocol_error why{
      .structure = "loop", .fes = fes, .reason = "the connection was terminated on purpose"};
  message last;
  last.kind = loop_kind::ending;
  last.ending = {.code = errc::terminated, .violation = why};
  out_.drop();
  wire().push(peer_side(), std::move(last));
  cut_ = true;
  who_.runs_on->post([this, self = shared_from_this(), why] {
    enter_turn();
    lose({.code = errc::aborted, .violation = why});
    leave_turn();
  });
}

}  // namespace nvmf::loop
