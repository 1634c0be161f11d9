// SPDX-License-Identifier: BSD-2-Clause
#include "session.hpp"

#include <fmt/format.h>

#include <cassert>

#include "admin_queue.hpp"
#include "io_queue.hpp"
#include "wire/layouts/entries.hpp"

namespace nvmf {

using wire::status_code;

session::session(shard& home, std::uint64_t id, qpair q, std::shared_ptr<const listener_view> from)
    : home_(home), id_(id), queue_(std::move(q)), from_(std::move(from)), peer_(queue_.peer()) {}

session::~session() = default;

void session::start() {
  const auto limit = state().limits.connect_timeout;
  connect_timer_ = home_.on().start_timer(home_.on().now() + limit, [this] {
    connect_timer_ = 0;
    state().notice(fmt::format("{}: no Connect in time", peer_));
    end("no Connect in time");
  });
  queue_.start({.on_receive = [this](capsule c) { on_receive(std::move(c)); },
                .on_error = [this](const qpair_error& e) { on_error(e); }});
}

void session::on_receive(capsule c) {
  if (ending_) return;
  if (role_ != nullptr) return role_->on_command(std::move(c));
  const std::uint16_t cid = c.cid();
  if (connect_ != nullptr) return respond(cid, {status_code::command_sequence_error, true});
  if (const auto bad = queue_.validate_command(c); !bad.ok()) return respond(cid, bad);
  if (const auto first = engine::expect_connect(c.sqe()); !first)
    return respond(cid, first.error().status, first.error().dw0);
  begin_connect(std::move(c));
}

void session::on_error(const qpair_error& e) {
  failure_ = e;
  end(e.code ? "the connection failed" : "the host closed the connection");
}

void session::begin_connect(capsule c) {
  connect_ = std::make_unique<pending_connect>();
  connect_->command = std::move(c);
  const capsule& command = connect_->command;
  if (auto ok = engine::check_connect_sqe(command.sqe(), queue_.data_length(command)); !ok)
    return refuse_connect(ok.error());
  const auto here = queue_.in_capsule_data(command);
  if (here.size() >= engine::connect_data_size)
    return on_connect_data(here.first(engine::connect_data_size));
  const auto error = queue_.receive_controller_data(
      command, 0, memdesc::of(std::span<std::byte>{connect_->data}), engine::connect_data_size,
      [this](std::size_t, std::error_code failed) {
        if (ending_) return;
        if (!failed) return on_connect_data(connect_->data);
        refuse_connect({.status = status_code::transient_transport_error,
                        .why = "the data of Connect did not arrive whole"});
      });
  if (error)
    refuse_connect(engine::refuse(status_code::data_sgl_length_invalid,
                                  "the data of Connect is out of reach"));
}

void session::on_connect_data(std::span<const std::byte> data) {
  auto request = engine::read_connect(connect_->command.sqe(), data);
  if (!request) return refuse_connect(request.error());
  connect_->request = std::move(*request);
  const engine::connect_request& r = connect_->request;
  connect_->of = state().entries.find(r.subsystem_nqn);
  if (connect_->of == nullptr)
    return refuse_connect(engine::bad_subsystem_nqn("no such subsystem"));
  if (from_->discovery_only && !connect_->of->discovery())
    return refuse_connect(
        engine::bad_subsystem_nqn("this listener serves the discovery service only"));
  const auto kato_max = static_cast<std::uint32_t>(state().limits.keep_alive_max.count());
  if (auto ok = engine::check_against(r, connect_->of->rules(kato_max)); !ok)
    return refuse_connect(ok.error());
  if (!connect_->of->allows(r.host_nqn))
    return refuse_connect(engine::refuse(wire::fabrics_status_code::connect_invalid_host,
                                         "the host is not on the allow list"));
  r.qid == 0 ? connect_admin(r) : connect_io(r);
}

void session::connect_admin(const engine::connect_request& r) {
  const auto cntlid = connect_->of->take_cntlid(r.cntlid, {home_.shared_from_this(), id_});
  if (!cntlid)
    return refuse_connect({.status = wire::fabrics_status_code::connect_controller_busy,
                           .why = "all controllers are taken, or the one that was named"});
  role_ = std::make_unique<admin_queue>(*this, connect_->of, r, *cntlid);
  accept_connect(*cntlid);
}

void session::connect_io(const engine::connect_request& r) {
  const auto place = connect_->of->find_controller(r.cntlid);
  if (!place) return refuse_connect(engine::bad_cntlid("no such controller"));
  // The controller decides, on its own executor; the answer comes back to this one. Should this
  // session be gone by then, the controller is told, so that it does not count a queue that is not.
  const auto asks = home_.shared_from_this();
  place->home->with_session_or(
      place->session,
      [asks, r, id = id_](session& controller) {
        auto answer = controller.role()->admin()->join(r, asks, id);
        asks->with_session_or(
            id, [answer](session& s) { s.on_joined(answer); },
            [answer] {
              if (answer) (*answer)->tell_gone();
            });
      },
      [asks, id = id_] {
        asks->with_session(id, [](session& s) {
          s.on_joined(std::unexpected(engine::bad_cntlid("the controller is gone")));
        });
      });
}

void session::on_joined(std::expected<std::shared_ptr<io_link>, engine::refusal> answer) {
  if (ending_) {
    if (answer) (*answer)->tell_gone();
    return;
  }
  if (!answer) return refuse_connect(answer.error());
  const auto& link = *answer;
  role_ = std::make_unique<io_queue>(*this, link, connect_->of, connect_->request.queue_size);
  const std::uint32_t in_capsule = link->in_capsule_bytes;
  accept_connect(connect_->request.cntlid);
  // What the controller advertised, whichever listener the queue came by.
  queue_.set_max_in_capsule(in_capsule);
}

void session::accept_connect(std::uint16_t cntlid) {
  const auto done = std::move(connect_);
  const engine::connect_request& r = done->request;
  home_.on().cancel_timer(std::exchange(connect_timer_, 0));
  const auto error = queue_.set_queue(r.qid, r.queue_size, r.sq_flow_control);
  assert(!error);
  if (r.qid == 0)
    state().notice(fmt::format("{}: {} connected to {}, controller {}", peer_, r.host_nqn,
                               r.subsystem_nqn, cntlid));
  const std::uint16_t cid = done->command.cid();
  done->command.reset();
  respond(cid, {}, cntlid);
}

void session::refuse_connect(const engine::refusal& why) {
  const auto gone = std::move(connect_);
  const std::string& host = gone->request.host_nqn;
  state().notice(fmt::format("{}: Connect{}{} refused: {}: {}", peer_, host.empty() ? "" : " of ",
                             host, to_text(why.status, wire::status_set::fabrics), why.why));
  const std::uint16_t cid = gone->command.cid();
  gone->command.reset();
  respond(cid, why.status, why.dw0);
}

void session::respond(std::uint16_t cid, nvme_status status, std::uint32_t dw0, std::uint32_t dw1) {
  cqe_bytes cqe{};
  wire::set<wire::cqe_layout, "dw0">(cqe, dw0);
  wire::set<wire::cqe_layout, "dw1">(cqe, dw1);
  wire::set<wire::cqe_layout, "cid">(cqe, cid);
  wire::store_le(cqe, wire::offset_of<wire::cqe_layout, "sc">(), 2, status.cqe_word());
  auto response = queue_.allocate_response(cqe);
  if (!response || queue_.transmit_response(std::move(*response)))
    end("the transport takes no more responses");
}

void session::end(std::string_view why) {
  if (ending_) return;
  ending_ = true;
  home_.on().cancel_timer(std::exchange(connect_timer_, 0));
  if (role_ != nullptr) role_->on_ending(why);
  role_idle();
}

void session::role_idle() {
  if (!ending_ || removing_ || (role_ != nullptr && !role_->idle())) return;
  removing_ = true;
  home_.remove_soon(id_);
}

void session::close() {
  ending_ = removing_ = true;
  home_.on().cancel_timer(std::exchange(connect_timer_, 0));
  queue_.close();
  if (role_ != nullptr) role_->on_closed();
  connect_.reset();
}

}  // namespace nvmf
