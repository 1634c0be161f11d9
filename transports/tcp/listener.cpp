// SPDX-License-Identifier: BSD-2-Clause
#include "listener.hpp"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/ip/v6_only.hpp>
#include <map>
#include <mutex>
#include <optional>

#include "spare_descriptor.hpp"

namespace nvmf::tcp {
namespace {

using asio::ip::tcp;

// Connections between accept and the end of their IC exchange, those included that are given time
// to close after our TermReq. Each holds about 2 KiB and a descriptor, for ic_timeout at most. Of
// more the oldest has to go: a host that means it is through at once, and must not wait behind
// others that say nothing.
constexpr std::size_t most_pending = 256;
// While those that have to go have not gone yet, others wait in the backlog.
constexpr std::size_t most_open = 2 * most_pending;

// After the process or the system has run out of something, accepting is tried again so much later.
constexpr std::chrono::milliseconds retry_after{100};
// Between two words about it.
constexpr std::chrono::seconds quiet_for{10};

}  // namespace

// Lives on the listener's reactor; the exchanges live on those of their connections.
class tcp_listener::acceptor : public std::enable_shared_from_this<acceptor> {
 public:
  acceptor(reactor& on, const qpair_params& params, const counter& qpairs, executor_chooser choose,
           accept_callback accept)
      : on_(on),
        socket_(on.context()),
        params_(params),
        qpairs_(qpairs),
        choose_(std::move(choose)),
        accept_(std::move(accept)) {
    params_.side = role::controller;
  }

  std::error_code listen(const tcp::endpoint& at) {
    boost::system::error_code error;
    socket_.open(at.protocol(), error);
    if (!error) socket_.set_option(tcp::acceptor::reuse_address(true), error);
    // Both families can be listened to at the same port, each by its own listener.
    if (!error && at.address().is_v6()) socket_.set_option(asio::ip::v6_only(true), error);
    if (!error) socket_.bind(at, error);
    if (!error) socket_.listen(tcp::acceptor::max_listen_connections, error);
    if (!error) at_ = socket_.local_endpoint(error);
    return error;
  }

  void start() { accept_next(); }

  void stop() {
    stopped_ = true;
    boost::system::error_code ignored;
    socket_.close(ignored);
    if (timer_ != 0) on_.cancel_timer(std::exchange(timer_, 0));
  }

  const tcp::endpoint& at() const { return at_; }
  void on_trouble(std::function<void(std::string_view)> tell) { trouble_ = std::move(tell); }

 private:
  // A place among those whose exchange is not done; the handshake keeps it.
  class place {
   public:
    explicit place(std::shared_ptr<acceptor> of)
        : of_(std::move(of)), counted_(of_->pending_), number_(++of_->last_place_) {}
    ~place() {
      counted_.leave();
      of_->left(number_);
    }
    void taken_by(reactor& on, const std::shared_ptr<handshake>& exchange) {
      const std::lock_guard hold(of_->lock_);
      of_->exchanges_.emplace(number_, pending_exchange{&on, exchange});
    }

   private:
    std::shared_ptr<acceptor> of_;
    counter::member counted_;
    std::uint64_t number_;
  };
  struct pending_exchange {
    reactor* on;
    std::weak_ptr<handshake> exchange;
  };

  // Any thread.
  void left(std::uint64_t number) {
    {
      const std::lock_guard hold(lock_);
      exchanges_.erase(number);
    }
    if (!stopped_) on_.post([self = shared_from_this()] { self->accept_next(); });
  }

  void end_oldest() {
    pending_exchange oldest{};
    {
      const std::lock_guard hold(lock_);
      if (exchanges_.empty()) return;
      oldest = exchanges_.extract(exchanges_.begin()).mapped();
    }
    oldest.on->post([weak = oldest.exchange] {
      if (const auto exchange = weak.lock()) exchange->cancel();
    });
  }

  void accept_next() {
    if (stopped_ || accepting_ || pending_.value() >= most_open) return;
    accepting_ = true;
    auto& target = dynamic_cast<reactor&>(choose_());
    socket_.async_accept(target.context(), [self = shared_from_this(), &target](
                                               const auto& error, tcp::socket accepted) {
      self->accepting_ = false;
      self->on_accepted(target, error, std::move(accepted));
    });
  }

  void on_accepted(reactor& target, const boost::system::error_code& error, tcp::socket accepted) {
    if (stopped_) return;
    if (error) return not_accepted(error);
    short_of_ = {};
    if (pending_.value() >= most_pending) end_oldest();
    target.post([self = shared_from_this(), &target,
                 held = std::make_shared<place>(shared_from_this()),
                 stream = tcp_stream{std::move(accepted)}]() mutable {
      self->begin_exchange(target, std::move(stream), std::move(held));
    });
    accept_next();
  }

  void not_accepted(std::error_code error) {
    // It went while it waited, which is no trouble.
    if (error == std::errc::connection_aborted) return accept_next();
    const bool descriptors = error == std::errc::too_many_files_open ||
                             error == std::errc::too_many_files_open_in_system;
    if (descriptors && spare_.there()) {
      // Also said when nobody waits.
      if (const std::size_t refused = spare_.refuse(socket_.native_handle()); refused > 0)
        tell_trouble(error, "refused");
      return accept_when_somebody_comes();
    }
    tell_trouble(error, "kept waiting");
    timer_ = on_.start_timer(on_.now() + retry_after, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->timer_ = 0;
      self->accept_next();
    });
  }

  void accept_when_somebody_comes() {
    accepting_ = true;
    socket_.async_wait(tcp::acceptor::wait_read, [self = shared_from_this()](const auto&) {
      self->accepting_ = false;
      self->accept_next();
    });
  }

  // Once, until connections have been taken again; and not all the time at the edge of the limit.
  void tell_trouble(std::error_code error, std::string_view fate) {
    if (error == std::exchange(short_of_, error) || !trouble_) return;
    if (told_at_ && on_.now() - *told_at_ < quiet_for) return;
    told_at_ = on_.now();
    std::string advice;
    if (error == std::errc::too_many_files_open)
      advice = fmt::format("; this process may have {} descriptors, `ulimit -n` raises that",
                           spare_descriptor::limit());
    else if (error == std::errc::too_many_files_open_in_system)
      advice = "; the system's limit is fs.file-max";
    trouble_(
        fmt::format("{}: connections are {}: {}{}", to_text(at_), fate, error.message(), advice));
  }

  // From here on the target's thread.
  void begin_exchange(reactor& target, tcp_stream stream, std::shared_ptr<place> held) {
    if (stopped_ || stream.prepare()) return;  // or it is gone already
    const std::uint32_t id = next_qpair_id();
    emitter events(params_.watched_by, &target, id);
    events.text(event_type::connected, to_text(stream.peer()));
    const auto exchange = std::make_shared<handshake>(target, std::move(stream), role::controller,
                                                      params_.options, events);
    held->taken_by(target, exchange);
    exchange->keep(std::move(held));
    exchange->start([self = shared_from_this(), &target, id](auto result) {
      if (!result || self->stopped_) return;
      self->accept_(make_qpair(target, std::move(*result), self->params_, id, self->qpairs_));
    });
  }

  reactor& on_;
  tcp::acceptor socket_;
  tcp::endpoint at_{};
  qpair_params params_;
  counter qpairs_;
  counter pending_;
  spare_descriptor spare_;
  std::function<void(std::string_view)> trouble_;
  std::error_code short_of_{};  // what was told, until it is over
  std::optional<time_point> told_at_;
  executor_chooser choose_;
  accept_callback accept_;
  timer_id timer_ = 0;
  std::uint64_t last_place_ = 0;
  std::mutex lock_;  // of exchanges_, which come and go on the reactors of their connections
  std::map<std::uint64_t, pending_exchange> exchanges_;  // the oldest first
  bool accepting_ = false;
  std::atomic<bool> stopped_ = false;  // read by the reactors of the exchanges
};

std::expected<std::unique_ptr<listener>, std::error_code> tcp_listener::open(
    reactor& on, const endpoint& at, const qpair_params& params, const counter& qpairs,
    executor_chooser choose, accept_callback accept) {
  if (!check(params)) return std::unexpected(make_error_code(errc::invalid_argument));
  boost::system::error_code error;
  auto address = asio::ip::make_address(at.host, error);
  if (error) {
    // Once, at the start: waiting for the resolver disturbs nobody yet.
    tcp::resolver resolver(on.context());
    const auto found =
        resolver.resolve(at.host, fmt::to_string(at.port),
                         tcp::resolver::numeric_service | tcp::resolver::passive, error);
    if (error) return std::unexpected(std::error_code{error});
    address = found.begin()->endpoint().address();
  }
  const auto running =
      std::make_shared<acceptor>(on, params, qpairs, std::move(choose), std::move(accept));
  if (const auto failed = running->listen({address, at.port})) return std::unexpected(failed);
  running->start();
  return std::unique_ptr<listener>{new tcp_listener(running)};
}

tcp_listener::~tcp_listener() { running_->stop(); }

void tcp_listener::on_trouble(std::function<void(std::string_view)> tell) {
  running_->on_trouble(std::move(tell));
}

endpoint tcp_listener::where() const {
  return {.host = running_->at().address().to_string(), .port = running_->at().port()};
}

}  // namespace nvmf::tcp
