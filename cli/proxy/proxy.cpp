// SPDX-License-Identifier: BSD-2-Clause
#include "proxy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "watched_relay.hpp"
#include "wire/names.hpp"

namespace nvmf::cli::proxy {

namespace {

// Of discovery entries and routes together; each has a descriptor.
constexpr std::size_t doors_max = 256;
// Between two words about the same.
constexpr std::chrono::seconds quiet_for{10};

}  // namespace

std::expected<route, std::string> parse_route(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos)
    return std::unexpected(
        "two addresses are needed, where to listen and the target's: "
        "127.0.0.1:4421,nvme+tcp://127.0.0.1:4420");
  std::string at{text.substr(0, comma)};
  // A port alone, with or without its colon, is one of 127.0.0.1.
  if (at.starts_with(':')) at.insert(0, "127.0.0.1");
  if (!at.empty() && at.find_first_not_of("0123456789") == std::string::npos)
    at.insert(0, "127.0.0.1:");
  const auto here = wire::parse_endpoint(at, 0);
  if (!here) return std::unexpected(to_text(here.error()));
  const auto to = wire::parse_address(text.substr(comma + 1));
  if (!to) return std::unexpected(to_text(to.error()));
  if (to->transport != wire::uri_transport::tcp)
    return std::unexpected(
        fmt::format("only nvme+tcp can be proxied, not {}", wire::transport_name(to->transport)));
  return route{.at = *here, .to = *to};
}

proxy::proxy(reactor& on, trace::tracer& to, const proxy_options& how, hooks calls)
    : on_(on),
      tracer_(to),
      how_(how),
      calls_(std::move(calls)),
      to_wall_(std::chrono::duration_cast<std::chrono::nanoseconds>(
          std::chrono::system_clock::now().time_since_epoch() - clock::now().time_since_epoch())) {}

proxy::~proxy() { stop(); }

void proxy::start(std::function<void(std::expected<std::vector<gate::address>, failure>)> done) {
  started_ = std::move(done);
  names_.resize(how_.routes.size());
  to_look_up_ = 2 * names_.size();
  patience_ = on_.start_timer(on_.now() + how_.connect_timeout, [this] {
    patience_ = 0;
    finish_start(std::unexpected(
        failure{.resolving = true,
                .text = fmt::format("a name was not resolved within {:g} s",
                                    std::chrono::duration<double>(how_.connect_timeout).count())}));
  });
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const route& r = how_.routes[i];
    look_up(r.at.host, r.at.port.value_or(r.to.port), names_[i].here, names_[i].looking_here);
    look_up(r.to.host, r.to.port, names_[i].there, names_[i].looking_there);
  }
}

void proxy::stop() {
  if (patience_ != 0) on_.cancel_timer(std::exchange(patience_, 0));
  started_ = nullptr;
  for (names& n : names_)
    for (const auto& looking : {n.looking_here.get(), n.looking_there.get()})
      if (looking != nullptr) looking->cancel();
  for (listening& d : doors_) d.at->stop();
  const auto all = connections_;
  for (const auto& [number, connection] : all) connection->stop();
}

void proxy::finish_start(std::expected<std::vector<gate::address>, failure> how) {
  if (patience_ != 0) on_.cancel_timer(std::exchange(patience_, 0));
  if (auto done = std::exchange(started_, nullptr)) done(std::move(how));
}

void proxy::look_up(const std::string& host, std::uint16_t port, dial::addresses& into,
                    std::unique_ptr<lookup>& by) {
  const auto found = [this, &into, host](const boost::system::error_code& error,
                                         dial::addresses addresses) {
    if (!started_) return;
    if (error)
      return finish_start(std::unexpected(failure{
          .resolving = true,
          .text = fmt::format("cannot resolve {}: {}", wire::quoted(host), error.message())}));
    into = std::move(addresses);
    if (--to_look_up_ == 0) listen();
  };
  boost::system::error_code not_numeric;
  const auto address = tcp::asio::ip::make_address(host, not_numeric);
  if (!not_numeric) return on_.post([=] { found({}, {{address, port}}); });
  by = std::make_unique<lookup>(on_);
  by->start(host, port, found);
}

// --- Listening ----------------------------------------------------------------------------------

void proxy::listen() {
  std::vector<gate::address> at;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const gate::address wanted = names_[i].here.front();
    const auto port = open_door(wanted, std::move(names_[i].there));
    if (!port) {
      std::string_view advice;
      if (port.error() == std::errc::address_in_use)
        advice = "; something else has the port, port 0 picks a free one";
      else if (port.error() == std::errc::address_not_available)
        advice = "; no interface of this machine has that address, `ip address` lists them";
      else if (port.error() == std::errc::permission_denied)
        advice = "; ports below 1024 are for root, port 0 picks a free one";
      return finish_start(std::unexpected(
          failure{.text = fmt::format("cannot listen on {}: {}{}", tcp::to_text(wanted),
                                      port.error().message(), advice)}));
    }
    at.push_back(doors_.back().at->at());
  }
  finish_start(std::move(at));
}

std::expected<std::uint16_t, std::error_code> proxy::open_door(const gate::address& at,
                                                               dial::addresses to) {
  const std::size_t index = doors_.size();
  auto made = std::make_shared<gate>(
      on_,
      gate::hooks{.on_client = [this, index](auto from) { on_client(index, std::move(from)); },
                  .on_trouble = [this](auto text) { say_seldom(short_of_, std::move(text)); }});
  if (const auto error = made->listen(at)) return std::unexpected(error);
  made->start();
  const std::uint16_t port = made->at().port();
  doors_.push_back({.at = std::move(made), .to = std::move(to)});
  return port;
}

std::uint16_t proxy::port_for(std::size_t door, const gate::address& target) {
  const auto here = doors_[door].at->at().address();
  for (const auto& d : doors_)
    if (d.at->at().address() == here && std::ranges::find(d.to, target) != d.to.end())
      return d.at->at().port();
  const std::uint16_t port = reserve(door);
  if (port != 0) settle(door, port, target);
  return port;
}

std::uint16_t proxy::reserve(std::size_t door) {
  if (doors_.size() >= doors_max) {
    say_seldom(left_alone_, fmt::format("discovery logs name more than {} addresses: the others "
                                        "are not rewritten",
                                        doors_max));
    return 0;
  }
  const auto port = open_door({doors_[door].at->at().address(), 0}, {});
  if (!port)
    say_seldom(left_alone_, fmt::format("cannot listen for an address of a discovery log: {}",
                                        port.error().message()));
  return port.value_or(0);
}

void proxy::settle(std::size_t door, std::uint16_t port, const gate::address& target) {
  const gate::address here{doors_[door].at->at().address(), port};
  for (auto& d : doors_) {
    if (d.at->at() != here || (d.to.size() == 1 && d.to.front() == target)) continue;
    d.to = {target};
    if (calls_.say)
      calls_.say(fmt::format("listening on {}, for {} of a discovery log", tcp::to_text(d.at->at()),
                             tcp::to_text(target)));
  }
}

// --- Connections --------------------------------------------------------------------------------

void proxy::on_client(std::size_t door, gate::socket from) {
  tcp::tcp_stream stream{std::move(from)};
  const dial::addresses& to = doors_[door].to;
  if (connections_.size() >= how_.connections_max || to.empty()) {
    ++counts_.refused;
    if (!to.empty())
      say_seldom(too_many_, fmt::format("{} at once are taken, and no more: the "
                                        "connection of {} was reset",
                                        connections_.size(), tcp::to_text(stream.peer())));
    stream.reset_on_close();
    return stream.close();
  }
  if (stream.prepare()) return;  // it is gone already
  ++counts_.taken;
  const std::uint64_t number = ++last_number_;
  const auto made = std::make_shared<watched_relay>(*this, door, number, std::move(stream));
  connections_.emplace(number, made);
  made->start(to);
}

// It may be one of its own calls that tells this.
void proxy::on_over(std::uint64_t number) {
  auto gone = connections_.extract(number);
  if (!gone.empty()) on_.post([last = std::move(gone.mapped())] {});
}

void proxy::say_seldom(quiet_word& what, std::string text) {
  if (!calls_.say) return;
  const time_point now = on_.now();
  if (what.at && now - *what.at < quiet_for) {
    ++what.more;
    return;
  }
  what.at = now;
  if (const auto more = std::exchange(what.more, 0); more > 0)
    text += fmt::format(" (and {} more like it)", more);
  calls_.say(text);
}

}  // namespace nvmf::cli::proxy
