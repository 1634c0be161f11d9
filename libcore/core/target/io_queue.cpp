// SPDX-License-Identifier: BSD-2-Clause
// An I/O queue from the arrival of a command to its response. What a command does in between is in
// io_transfer.cpp.
#include "io_queue.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

#include "admin_queue.hpp"
#include "core/spare_memory.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"

namespace nvmf {

using wire::status_code;

namespace {

// Data that is read, written or fetched in one go. Commands within MDTS are one piece, so that a
// write whose data did not arrive whole changes nothing; without MDTS larger ones are cut.
constexpr std::uint32_t piece_bytes = std::uint32_t{1} << 20;
constexpr std::size_t errors_max = 64;

}  // namespace

io_queue::io_queue(session& s, std::shared_ptr<io_link> link, std::shared_ptr<subsystem> of,
                   std::uint32_t queue_size)
    : session_(s),
      queue_(s.queue()),
      link_(std::move(link)),
      of_(std::move(of)),
      limits_{link_->transfer_max},
      piece_max_(std::max(piece_bytes, static_cast<std::uint32_t>(link_->transfer_max))),
      memory_max_(s.state().limits.queue_data_max),
      store_(new io_store(*this, queue_size)) {
  store_->set_table(of_->table());
}

io_queue::~io_queue() {
  store_->queue_gone();
  store_->let_go();
}

void io_queue::on_command(capsule command) {
  link_->note_traffic();
  io_command* c = backlog_.empty() ? store_->take() : nullptr;
  if (c == nullptr) return backlog_.push_back(std::move(command));
  c->handle = std::move(command);
  c->cid = c->handle.cid();
  begin(*c);
}

void io_queue::begin(io_command& c) {
  const auto sqe = std::as_const(c.handle).sqe();
  c.table = &store_->use_table();
  if (const status bad = queue_.validate_command(c.handle); !bad.ok()) return finish(c, bad);
  if (wire::get<wire::sqe_layout, "opc">(sqe) == wire::fabrics_opcode) return fabrics(c);
  c.ns = c.table->table->find(engine::io_nsid(sqe));
  const auto request = engine::read_io_command(sqe, queue_.data_length(c.handle),
                                               c.ns == nullptr ? nullptr : &c.ns->view, limits_);
  if (!request) return finish(c, request.error().status, request.error().location);
  c.request = *request;
  advance(c);
}

void io_queue::fabrics(io_command& c) {
  using wire::disconnect_command;
  const auto sqe = std::as_const(c.handle).sqe();
  switch (static_cast<wire::fabrics_type>(wire::get<wire::fabrics_command, "fctype">(sqe))) {
    case wire::fabrics_type::disconnect:
      if (wire::get<disconnect_command, "recfmt">(sqe) != 0)
        return finish(c, {wire::fabrics_status_code::connect_incompatible_format, true},
                      wire::offset_of<disconnect_command, "recfmt">());
      finish(c, {});
      return session_.end("the host disconnected the queue");
    case wire::fabrics_type::connect:
      return finish(c, {status_code::command_sequence_error, true});
    default:
      // Properties belong to the admin queue, and authentication is not supported.
      return finish(c, {status_code::invalid_opcode, true});
  }
}

void io_queue::finish(io_command& c, status s, std::uint16_t location) {
  assert(!c.done);
  c.done = true;
  count(c, s);
  if (!s.ok()) {
    s.more = true;
    record_error(c, s, location);
  }
  // Room for the host's next command must be there before it learns that it may send one.
  c.handle.reset();
  session_.respond(c.cid, s);
  settle(c);
}

// The transport has told the host already.
void io_queue::finish_silently(io_command& c) {
  c.done = true;
  count(c, {});
  c.handle.reset();
  settle(c);
}

// The connection is gone: nobody waits for a response.
void io_queue::drop(io_command& c) {
  c.done = true;
  settle(c);
}

// A command that is done is free once nobody holds anything of it.
void io_queue::settle(io_command& c) {
  if (!c.done || c.out_held || c.stepping) return;
  uncharge(c);
  if (c.table != nullptr) store_->unuse_table(*std::exchange(c.table, nullptr));
  store_->give_back(c);
  if (!backlog_.empty()) resume_soon();
}

void io_queue::count(const io_command& c, status s) {
  if (c.ns == nullptr) return;
  switch (c.request.kind) {
    case engine::io_kind::read:
    case engine::io_kind::compare:
    case engine::io_kind::verify:
      link_->read_commands.add(1);
      if (s.ok()) link_->read_bytes.add(c.request.bytes);
      break;
    case engine::io_kind::write:
      link_->write_commands.add(1);
      if (s.ok()) link_->written_bytes.add(c.request.bytes);
      break;
    default:
      break;
  }
  if (s.sct == static_cast<std::uint8_t>(wire::sct::media)) link_->media_errors.add(1);
}

void io_queue::record_error(const io_command& c, status s, std::uint16_t location) {
  if (errors_.size() == errors_max) {
    errors_.erase(errors_.begin());
    ++errors_missed_;
  }
  const auto sqe = std::as_const(c.handle).sqe();
  const bool is_io = wire::get<wire::sqe_layout, "opc">(sqe) != wire::fabrics_opcode;
  errors_.push_back({.sqid = link_->qid,
                     .cid = c.cid,
                     .status = s,
                     .location = location,
                     .lba = is_io ? engine::io_lba(sqe) : 0,
                     .nsid = is_io ? engine::io_nsid(sqe) : 0});
  if (!errors_travel_) send_errors();
}

// At most one batch is on its way, so that a host that does nothing but err costs little memory.
void io_queue::send_errors() {
  errors_travel_ = true;
  link_->home->with_session_or(
      link_->home_session,
      [batch = std::exchange(errors_, {}), missed = std::exchange(errors_missed_, 0),
       here = session_.home().shared_from_this(), id = session_.id()](session& s) {
        s.role()->admin()->on_io_errors(batch, missed);
        here->with_session(id, [](session& io) {
          auto& self = static_cast<io_queue&>(*io.role());
          self.errors_travel_ = false;
          if (!self.errors_.empty()) self.send_errors();
        });
      },
      [] {});
}

void io_queue::on_grown() {
  if (rest_timer_ == 0)
    rest_timer_ = on().start_timer(on().now() + rest_after, [this] { on_rest_time(); });
}

void io_queue::on_rest_time() {
  rest_timer_ = 0;
  // A backend that works for a command holds it beyond its end.
  if (backend_operations_ == 0) note_spare_memory(store_->rest());
  if (backlog_.empty()) backlog_.shrink_to_fit();
  if (store_->grown()) on_grown();
}

void io_queue::on_namespaces(const subsystem& of, const table_ptr& table,
                             std::span<const std::uint32_t>) {
  if (&of == of_.get()) store_->set_table(table);
}

void io_queue::on_ending(std::string_view) {
  const qpair_error& why = session_.failure();
  const bool broken = why.code == make_error_code(errc::protocol_violation) ||
                      why.code == make_error_code(errc::terminated);
  if (broken)
    link_->tell_fatal(std::string(why.violation.reason.empty() ? "the host ended the connection"
                                                               : why.violation.reason));
}

void io_queue::on_closed() {
  if (rest_timer_ != 0) on().cancel_timer(std::exchange(rest_timer_, 0));
  backlog_.clear();
  while (io_command* c = waiting_first_) {
    waiting_first_ = std::exchange(c->next, nullptr);
    drop(*c);
  }
  link_->tell_gone();
}

}  // namespace nvmf
