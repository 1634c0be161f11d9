// SPDX-License-Identifier: BSD-2-Clause
// Writes down what a listener is told, one short line each; and a conversation of packets by hand.
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "support/packets.hpp"
#include "trace/capture/reader.hpp"
#include "trace/tracer.hpp"

namespace nvmf::test {

class journal final : public trace::listener {
 public:
  std::vector<std::string> lines;
  bool pdus = false;
  std::vector<trace::latency_parts> latencies;
  std::vector<octets> data;  // kept of each PDU
  trace::agreement last_agreed;

  void on_connection(const trace::connection& c) override {
    say(c, "opened {} > {}", to_text(c.host()), to_text(c.controller()));
  }
  void on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command*) override {
    data.emplace_back(p.data.begin(), p.data.end());
    if (pdus) say(c, "pdu {:02x} {} plen {} data {}", p.type, to_host(p), p.plen, p.data_bytes);
  }
  void on_command(const trace::connection& c, const trace::command& k, const trace::pdu&) override {
    say(c, "command {:02x} cid {} data {}", k.opcode(), k.cid, k.in_capsule);
  }
  void on_completion(const trace::connection& c, const trace::command& k,
                     const trace::completion& done, const trace::pdu*) override {
    constexpr const char* fates[] = {"completed", "success", "replaced", "ended", "left"};
    latencies.push_back(latency_of(k, done));
    say(c, "{} cid {} status {:x} bytes {}", fates[static_cast<int>(done.how)], k.cid, done.status,
        k.bytes());
  }
  void on_notice(const trace::connection& c, const trace::notice& n) override {
    say(c, "notice {} {} {}", name_of(n.kind), n.going == trace::way::to_host ? "<" : ">", n.a);
  }
  void on_end(const trace::connection& c, const trace::stamp&, bool closed) override {
    last_agreed = c.agreed();
    say(c, "{}", closed ? "closed" : "over");
  }

 private:
  static const char* to_host(const trace::pdu& p) {
    return p.going == trace::way::to_host ? "<" : ">";
  }
  template <class... A>
  void say(const trace::connection& c, fmt::format_string<A...> f, A&&... a) {
    lines.push_back(fmt::format("c{} ", c.number()) + fmt::format(f, std::forward<A>(a)...));
  }
};

// Two ends that count their sequence numbers.
class wire_tap {
 public:
  explicit wire_tap(trace::listener& to, trace::tracer_options options = {})
      : tracer(std::move(options), to) {}

  tcp_packet next(bool to_controller, octets payload) {
    tcp_packet p = blank(to_controller);
    p.payload = std::move(payload);
    sequence[to_controller] += static_cast<std::uint32_t>(p.payload.size());
    return p;
  }
  tcp_packet blank(bool to_controller) const {
    tcp_packet p{.from = host_port, .to = port};
    if (!to_controller) {
      std::swap(p.source, p.destination);
      std::swap(p.from, p.to);
    }
    p.sequence = sequence[to_controller];
    p.acknowledged = sequence[!to_controller];
    return p;
  }
  void send(bool to_controller, octets payload) { show(next(to_controller, std::move(payload))); }
  void host(octets payload) { send(true, std::move(payload)); }
  void controller(octets payload) { send(false, std::move(payload)); }
  // As captured: of a long frame, only the first bytes.
  void show(const tcp_packet& p, std::size_t snap = 1u << 20) {
    const octets frame = frame_of(p);
    at += step;
    tracer.take({.bytes = std::span{frame}.first(std::min(frame.size(), snap)),
                 .wire_bytes = static_cast<std::uint32_t>(frame.size()),
                 .link = 1,
                 .at = {at, ++number}});
  }
  void handshake() {
    tcp_packet p = blank(true);
    p.flags = 0x02;
    show(p);
    ++sequence[true];
    p = blank(false);
    p.flags = 0x12;
    show(p);
    ++sequence[false];
  }
  // SYN, the IC exchange and Connect of a queue.
  void open(unsigned qid = 1, unsigned digests = 0) {
    handshake();
    host(icreq(digests));
    controller(icresp(digests));
    host(connect_pdu(0, qid, "nqn.2014-08.org.example:host", "nqn.2014-08.org.example:sub"));
    controller(response_pdu(0, 0, 1));
  }

  trace::tracer tracer;
  std::uint16_t host_port = 40000, port = 4420;
  std::uint32_t sequence[2] = {1000, 5000};
  std::int64_t at = 0, step = 1000;
  std::uint64_t number = 0;
};

using expected_lines = std::vector<std::string>;
inline expected_lines tail(const journal& j, std::size_t from) {
  return {j.lines.begin() + static_cast<std::ptrdiff_t>(std::min(from, j.lines.size())),
          j.lines.end()};
}

}  // namespace nvmf::test
