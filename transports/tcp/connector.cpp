// SPDX-License-Identifier: BSD-2-Clause
#include "connector.hpp"

#include <fmt/format.h>

#include "engine/termreq_text.hpp"
#include "wire/host.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::tcp {
namespace {

using asio::ip::tcp;
using wire::get;
using wire::pdu_icreq;
using wire::pdu_icresp;

std::string seconds(duration d) {
  return fmt::format("{:g} s", std::chrono::duration<double>(d).count());
}

std::string alignment(std::uint64_t units) {
  return fmt::format("{} ({} bytes)", units, (units + 1) * 4);
}

std::vector<std::pair<std::string, std::string>> exchanged(const ic_exchange& x) {
  const auto q = x.request();
  const auto r = x.response();
  const auto on = [](std::uint64_t bit) { return std::string{bit != 0 ? "on" : "off"}; };
  const auto digest = [&](std::uint64_t asked, std::uint64_t given) {
    return asked == given ? on(given) : fmt::format("{} (asked: {})", on(given), on(asked));
  };
  return {
      {"PFV", fmt::to_string(get<pdu_icresp, "pfv">(r))},
      {"HPDA", alignment(get<pdu_icreq, "hpda">(q))},
      {"CPDA", alignment(get<pdu_icresp, "cpda">(r))},
      {"header digest",
       digest(get<pdu_icreq, "hdgst_enable">(q), get<pdu_icresp, "hdgst_enable">(r))},
      {"data digest",
       digest(get<pdu_icreq, "ddgst_enable">(q), get<pdu_icresp, "ddgst_enable">(r))},
      {"MAXR2T", fmt::format("{} ({} outstanding)", get<pdu_icreq, "maxr2t">(q),
                             get<pdu_icreq, "maxr2t">(q) + 1)},
      {"MAXH2CDATA", fmt::format("{} bytes", get<pdu_icresp, "maxh2cdata">(r))},
  };
}

}  // namespace

connector::connector(reactor& on, endpoint to, qpair_params params, const counter& qpairs,
                     connect_callback done)
    : on_(on),
      to_(std::move(to)),
      params_(std::move(params)),
      qpairs_(qpairs),
      done_(std::move(done)),
      lookup_(on),
      socket_(on.context()),
      id_(next_qpair_id()) {
  params_.side = role::host;
  events_ = emitter(params_.watched_by, &on, id_);
  events_.set_qid(params_.qid);
}

void connector::start() {
  since_ = on_.now();
  if (const auto good = check(params_); !good) {
    on_.post([self = shared_from_this(), why = good.error()] {
      self->fail({.code = errc::invalid_argument, .detail = std::string{why}});
    });
    return;
  }
  arm_timer();
  resolve();
}

void connector::cancel() {
  if (!done_) return;
  lookup_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
  if (const auto running = handshake_.lock()) running->cancel();
  on_.post([self = shared_from_this()] {
    self->fail({.code = errc::aborted, .detail = "the connect was cancelled"});
  });
}

// --- Resolve ------------------------------------------------------------------------------------

void connector::resolve() {
  boost::system::error_code not_numeric;
  const auto address = asio::ip::make_address(to_.host, not_numeric);
  if (!not_numeric) {
    // Nothing may run within the call that starts this.
    on_.post([self = shared_from_this(), at = tcp::endpoint{address, to_.port}] {
      if (self->done_) self->resolved({at});
    });
    return;
  }
  lookup_.start(to_.host, to_.port,
                [self = shared_from_this()](const auto& error, addresses found) {
                  self->on_resolved(error, std::move(found));
                });
}

void connector::on_resolved(const boost::system::error_code& error, addresses found) {
  if (!done_ || stage_ != connect_stage::resolve) return;
  if (!error) return resolved(std::move(found));
  // "Host not found (authoritative)", "... (non-authoritative), try again later": who said so helps
  // nobody.
  std::string said = error.message();
  if (const auto open = said.find(" ("); open != std::string::npos)
    said.erase(open, said.find(')', open) + 1 - open);
  fail({.code = error, .detail = fmt::format("cannot resolve \"{}\": {}", to_.host, said)});
}

void connector::resolved(addresses found) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const auto& at : found) values.emplace_back("address", to_text(at));
  step("resolve", std::move(values));
  candidates_ = std::move(found);
  stage_ = connect_stage::connect;
  try_next();
}

// --- TCP ----------------------------------------------------------------------------------------

// The source address, for addresses of its family; without one nothing is bound.
boost::system::error_code connector::bind_source(const tcp::endpoint& at) {
  boost::system::error_code error;
  if (params_.options.source_address.empty()) return error;
  const auto from = asio::ip::make_address(params_.options.source_address, error);
  if (error) return error;
  if (from.is_v6() != at.address().is_v6()) return asio::error::address_family_not_supported;
  socket_.bind(tcp::endpoint{from, 0}, error);
  return error;
}

void connector::try_next() {
  while (next_ < candidates_.size()) {
    const tcp::endpoint& at = candidates_[next_++];
    boost::system::error_code error;
    socket_ = tcp::socket{on_.context()};
    socket_.open(at.protocol(), error);
    if (!error) {
      error = bind_source(at);
      if (error)
        failed_at_ =
            fmt::format("cannot use source address {} for", params_.options.source_address);
    }
    if (!error) {
      socket_.async_connect(
          at, [self = shared_from_this()](const auto& result) { self->on_connected(result); });
      return;
    }
    last_error_ = error;
  }
  const std::string last = candidates_.empty() ? to_.host : to_text(candidates_.back());
  fail({.code = last_error_,
        .detail = fmt::format("{} {}: {}", failed_at_, last, last_error_.message())});
}

void connector::on_connected(const boost::system::error_code& error) {
  if (!done_ || stage_ != connect_stage::connect) return;
  if (error) {
    last_error_ = error;
    failed_at_ = "cannot connect to";
    return try_next();
  }
  exchange();
}

// --- IC exchange --------------------------------------------------------------------------------

void connector::exchange() {
  tcp_stream stream{std::move(socket_)};
  if (const auto error = stream.prepare())
    return fail({.code = error, .detail = "TCP_NODELAY: " + error.message()});
  if (const auto error = stream.watch_input_only())
    return fail({.code = error, .detail = "cannot watch the socket: " + error.message()});
  const std::string peer = to_text(stream.peer());
  step("tcp", {{"peer", peer}, {"local", to_text(stream.local())}});
  reached_ = {stream.peer().address().to_string(), stream.peer().port()};
  events_.text(event_type::connected, peer);
  stage_ = connect_stage::exchange;
  if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
  const auto running =
      std::make_shared<handshake>(on_, std::move(stream), role::host, params_.options, events_);
  handshake_ = running;
  running->start(
      [self = shared_from_this()](auto result) { self->on_exchanged(std::move(result)); });
}

void connector::on_exchanged(std::expected<established, qpair_error> result) {
  if (!done_) return;
  if (!result) {
    const qpair_error& why = result.error();
    connect_error e{.stage = stage_, .code = why.code, .violation = why.violation, .detail = {}};
    if (why.code == errc::timed_out)
      e.detail = fmt::format("no answer to ICReq within {}", seconds(params_.options.ic_timeout));
    else if (why.code == errc::closed)
      e.detail = "the peer closed the connection instead of answering ICReq";
    else if (why.code == errc::terminated)
      e.detail =
          "the controller refused our ICReq with a TermReq: " + engine::termreq_text(why.violation);
    else if (why.code == errc::protocol_violation)
      e.detail = fmt::format("the answer to ICReq is not an ICResp that we can accept: {}",
                             why.violation.reason);
    else
      e.detail = "the connection broke during the IC exchange: " + why.code.message();
    return fail(std::move(e));
  }
  step("ic", exchanged(result->exchange));
  connected made{.queue = make_qpair(on_, std::move(*result), params_, id_, qpairs_),
                 .steps = std::move(steps_),
                 .reached = std::move(reached_)};
  finish(std::move(made));
}

// --- Ends ---------------------------------------------------------------------------------------

void connector::arm_timer() {
  timer_ = on_.start_timer(on_.now() + params_.options.connect_timeout, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->timed_out();
  });
}

void connector::timed_out() {
  timer_ = 0;
  if (!done_) return;
  const std::string limit = seconds(params_.options.connect_timeout);
  const bool resolving = stage_ == connect_stage::resolve;
  lookup_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
  fail({.code = errc::timed_out,
        .detail = resolving
                      ? fmt::format("\"{}\" was not resolved within {}", to_.host, limit)
                      : fmt::format("no connection to {} within {}",
                                    wire::to_text(wire::endpoint{to_.host, to_.port}), limit)});
}

void connector::step(std::string_view name,
                     std::vector<std::pair<std::string, std::string>> values) {
  const time_point now = on_.now();
  const auto took = now - since_;
  steps_.push_back({.name = name, .took = took, .values = std::move(values)});
  events_.text(event_type::stage, name,
               static_cast<std::uint64_t>(
                   std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  since_ = now;
}

void connector::fail(connect_error why) {
  why.stage = stage_;
  why.steps = std::move(steps_);
  why.took = on_.now() - since_;
  finish(std::unexpected(std::move(why)));
}

void connector::finish(std::expected<connected, connect_error> result) {
  if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
  auto done = std::exchange(done_, nullptr);
  if (done) done(std::move(result));
}

}  // namespace nvmf::tcp
