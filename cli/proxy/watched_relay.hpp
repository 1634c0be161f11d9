// SPDX-License-Identifier: BSD-2-Clause
// One connection through the proxy, from accept to its end, and what the tracer sees of it.
#pragma once

#include <memory>
#include <optional>

#include "proxy.hpp"
#include "relay.hpp"
#include "rewriting.hpp"
#include "trace/byte_stream.hpp"

namespace nvmf::cli::proxy {

class watched_relay final : public relay_tap,
                            public address_book,
                            public std::enable_shared_from_this<watched_relay> {
 public:
  watched_relay(proxy& of, std::size_t door, std::uint64_t number, tcp::tcp_stream from_client);

  void start(const dial::addresses& to);
  // Ends it; the proxy is told, within this call.
  void stop();

 private:
  void on_connected(std::expected<tcp::tcp_stream, std::string> to_target);
  void over();
  trace::stamp now() const;

  std::span<const std::byte> passed_on(unsigned from, std::span<std::byte> bytes) override;
  std::span<const std::byte> rest(unsigned from) override;
  void on_bytes(unsigned from, std::span<const std::byte> bytes) override;
  void on_end(unsigned from) override;
  void on_over(relay_end how, unsigned from) override;

  std::uint16_t port_for(std::string_view traddr, std::string_view trsvcid) override;
  std::uint16_t reserve() override;
  bool settle(std::uint16_t port, std::string_view traddr, std::string_view trsvcid) override;
  void rewritten() override { ++of_.counts_.entries; }
  void left_alone(std::string_view why) override;
  std::optional<gate::address> address_of(std::string_view traddr, std::string_view trsvcid);

  proxy& of_;
  std::size_t door_;
  std::uint64_t number_;
  std::optional<tcp::tcp_stream> client_;  // until the target is there
  gate::address from_, target_{};
  std::shared_ptr<dial> dial_;
  std::shared_ptr<relay> relay_;
  std::optional<rewriting> rewriting_;
  std::optional<trace::byte_stream> shown_;
};

}  // namespace nvmf::cli::proxy
