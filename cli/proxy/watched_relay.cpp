// SPDX-License-Identifier: BSD-2-Clause
#include "watched_relay.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/names.hpp"
#include "wire/numbers.hpp"

namespace nvmf::cli::proxy {

namespace {

namespace ip = tcp::asio::ip;

trace::endpoint endpoint_of(const ip::tcp::endpoint& at, bool six) {
  trace::endpoint e{.port = at.port(), .family = six ? trace::ip_family::v6 : trace::ip_family::v4};
  const auto put = [&](const auto& bytes) {
    std::ranges::transform(bytes, e.address.begin(), [](auto b) { return std::byte{b}; });
  };
  // Both ends of a connection are of one family.
  if (!six)
    put(at.address().to_v4().to_bytes());
  else if (at.address().is_v4())
    put(ip::make_address_v6(ip::v4_mapped, at.address().to_v4()).to_bytes());
  else
    put(at.address().to_v6().to_bytes());
  return e;
}

// A scope is of this machine alone.
std::string text_of(ip::address a) {
  if (a.is_v6()) {
    auto six = a.to_v6();
    six.scope_id(0);
    a = six;
  }
  return a.to_string();
}

}  // namespace

watched_relay::watched_relay(proxy& of, std::size_t door, std::uint64_t number,
                             tcp::tcp_stream from_client)
    : of_(of),
      door_(door),
      number_(number),
      client_(std::move(from_client)),
      from_(client_->peer()) {}

void watched_relay::start(const dial::addresses& to) {
  dial_ = std::make_shared<dial>(of_.on_, to, of_.how_.connect_timeout);
  dial_->start([self = shared_from_this()](auto result) { self->on_connected(std::move(result)); });
}

void watched_relay::stop() {
  if (dial_ != nullptr) {
    dial_->cancel();
    return over();
  }
  if (relay_ != nullptr) relay_->stop();
}

void watched_relay::on_connected(std::expected<tcp::tcp_stream, std::string> to_target) {
  dial_.reset();
  if (!to_target) {
    ++of_.counts_.failed;
    client_->reset_on_close();
    client_->close();
    of_.say_seldom(of_.cannot_connect_, fmt::format("{}; the connection of {} was reset",
                                                    to_target.error(), tcp::to_text(from_)));
    return over();
  }
  target_ = to_target->peer();
  const bool six = from_.address().is_v6() || target_.address().is_v6();
  shown_.emplace(of_.tracer_, endpoint_of(from_, six), endpoint_of(target_, six));
  if (of_.how_.rewrite_discovery)
    rewriting_.emplace(static_cast<address_book&>(*this), text_of(client_->local().address()));
  relay_ = std::make_shared<relay>(of_.on_, std::move(*client_), std::move(*to_target), *this);
  client_.reset();
  relay_->start();
}

void watched_relay::over() {
  client_.reset();
  of_.on_over(number_);
}

trace::stamp watched_relay::now() const {
  return {(of_.on_.now().time_since_epoch() + of_.to_wall_).count(), of_.frames_};
}

// --- What goes by -------------------------------------------------------------------------------

std::span<const std::byte> watched_relay::passed_on(unsigned from, std::span<std::byte> bytes) {
  if (!rewriting_) return bytes;
  if (rewriting_->over()) {
    rewriting_.reset();
    return bytes;
  }
  if (from == target_end) return rewriting_->from_controller(bytes);
  rewriting_->from_host(bytes);
  return bytes;
}

std::span<const std::byte> watched_relay::rest(unsigned from) {
  return rewriting_ && from == target_end ? rewriting_->rest() : std::span<const std::byte>{};
}

void watched_relay::on_bytes(unsigned from, std::span<const std::byte> bytes) {
  of_.counts_.bytes[from] += bytes.size();
  ++of_.frames_;
  shown_->bytes(from, bytes, now());
  if (of_.calls_.on_traffic) of_.calls_.on_traffic();
}

void watched_relay::on_end(unsigned from) { shown_->leave(from, false, now()); }

void watched_relay::on_over(relay_end how, unsigned from) {
  if (how == relay_end::reset) {
    ++of_.counts_.resets;
    shown_->leave(from, true, now());
  }
  shown_->close(now(), how != relay_end::stopped);
  if (of_.calls_.on_traffic) of_.calls_.on_traffic();
  over();
}

// --- Addresses of discovery entries -------------------------------------------------------------

std::optional<gate::address> watched_relay::address_of(std::string_view traddr,
                                                       std::string_view trsvcid) {
  const auto port = wire::parse_number(trsvcid, {}, {.min = 1, .max = 65535});
  boost::system::error_code wrong;
  auto address = ip::make_address(std::string{traddr}, wrong);
  if (!port || wrong) {
    left_alone(fmt::format("a discovery log entry has the address {}, port {}",
                           wire::quoted(traddr), wire::quoted(trsvcid)));
    return {};
  }
  // "Wherever you found me."
  if (address.is_unspecified()) address = target_.address();
  return gate::address{address, static_cast<std::uint16_t>(*port)};
}

std::uint16_t watched_relay::port_for(std::string_view traddr, std::string_view trsvcid) {
  const auto at = address_of(traddr, trsvcid);
  return at ? of_.port_for(door_, *at) : std::uint16_t{0};
}

std::uint16_t watched_relay::reserve() { return of_.reserve(door_); }

bool watched_relay::settle(std::uint16_t port, std::string_view traddr, std::string_view trsvcid) {
  const auto at = address_of(traddr, trsvcid);
  if (at) of_.settle(door_, port, *at);
  return at.has_value();
}

void watched_relay::left_alone(std::string_view why) {
  of_.say_seldom(of_.left_alone_, fmt::format("{}: it was not rewritten", why));
}

}  // namespace nvmf::cli::proxy
