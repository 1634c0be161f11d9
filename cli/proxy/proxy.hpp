// SPDX-License-Identifier: BSD-2-Clause
// A man in the middle: takes connections of hosts, connects to their target for them, passes bytes
// on and shows them to a tracer.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "dial.hpp"
#include "gate.hpp"
#include "names/lookup.hpp"
#include "wire/host.hpp"
#include "wire/uri.hpp"

namespace nvmf::trace {
class tracer;
}

namespace nvmf::cli::proxy {

// Where it listens, and whom for.
struct route {
  wire::endpoint at;
  wire::uri to;
};
// "LISTEN,TARGET-URI"; the error is a sentence. LISTEN may be a port alone, of 127.0.0.1.
std::expected<route, std::string> parse_route(std::string_view text);

struct proxy_options {
  std::vector<route> routes = {};
  bool rewrite_discovery = false;
  std::size_t connections_max = 1024;  // at once
  std::chrono::milliseconds connect_timeout{10'000};
};

struct proxy_counts {
  std::uint64_t taken = 0, failed = 0, refused = 0;  // connections
  std::uint64_t resets = 0;                          // that were passed on
  std::uint64_t bytes[2] = {};                       // by who sent them
  std::uint64_t entries = 0;                         // of discovery logs that were rewritten
};

class watched_relay;

class proxy {
 public:
  struct hooks {
    std::function<void(std::string_view)> say;  // sentences for a person, as they arise
    std::function<void()> on_traffic;           // after something was told to the tracer
  };

  proxy(reactor& on, trace::tracer& to, const proxy_options& how, hooks calls);
  ~proxy();
  proxy(const proxy&) = delete;
  proxy& operator=(const proxy&) = delete;

  struct failure {
    bool resolving = false;  // a name; else it cannot listen
    std::string text;
  };
  // Looks names up, which may take a while, and listens. `done` runs once, on the reactor, not
  // within this: the addresses of the routes, in their order.
  void start(std::function<void(std::expected<std::vector<gate::address>, failure>)> done);
  // All connections end; the tracer is told. Nothing runs after it.
  void stop();

  const proxy_counts& counts() const { return counts_; }
  std::size_t open() const { return connections_.size(); }

 private:
  friend class watched_relay;

  // What can come often is said once, and again after a while.
  struct quiet_word {
    std::optional<time_point> at;
    std::uint64_t more = 0;
  };
  struct listening {
    std::shared_ptr<gate> at;
    dial::addresses to;  // empty: not known yet
  };
  // Of a route: where it listens, and its target.
  struct names {
    dial::addresses here{}, there{};
    std::unique_ptr<lookup> looking_here, looking_there;
  };

  void look_up(const std::string& host, std::uint16_t port, dial::addresses& into,
               std::unique_ptr<lookup>& by);
  void listen();
  std::expected<std::uint16_t, std::error_code> open_door(const gate::address& at,
                                                          dial::addresses to);
  void finish_start(std::expected<std::vector<gate::address>, failure> how);
  void on_client(std::size_t door, gate::socket from);
  void on_over(std::uint64_t number);
  void say_seldom(quiet_word& what, std::string text);

  // For entries of discovery logs that come by way of `door`. 0: no more listeners.
  std::uint16_t port_for(std::size_t door, const gate::address& target);
  std::uint16_t reserve(std::size_t door);
  void settle(std::size_t door, std::uint16_t port, const gate::address& target);

  reactor& on_;
  trace::tracer& tracer_;
  const proxy_options& how_;
  hooks calls_;
  std::function<void(std::expected<std::vector<gate::address>, failure>)> started_;
  std::vector<listening> doors_;
  std::vector<names> names_;
  std::size_t to_look_up_ = 0;
  timer_id patience_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<watched_relay>> connections_;
  std::uint64_t last_number_ = 0;
  std::uint64_t frames_ = 0;
  std::chrono::nanoseconds to_wall_;  // from the reactor's clock
  proxy_counts counts_;
  quiet_word cannot_connect_, too_many_, short_of_, left_alone_;
};

}  // namespace nvmf::cli::proxy
