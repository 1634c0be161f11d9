// SPDX-License-Identifier: BSD-2-Clause
// Any datagrams between two ends, as RoCEv2: every command has one end, every connection too, and
// what is told lies within what was given. Each datagram has a byte in front (bit 0: from the
// controller, bits 1 to 3: how many eighths of it were not captured) and its length.
#include "fuzz/input.hpp"
#include "trace/rdma/rdma_tracer.hpp"

using namespace nvmf;
using fuzz::require;

namespace {

struct checker final : trace::listener {
  void on_connection(const trace::connection& c) override {
    require(c.carried_by() == trace::fabric::rdma);
    ++open_connections;
  }
  void on_pdu(const trace::connection& c, const trace::pdu& p, const trace::command* of) override {
    require(p.rdma != nullptr && p.header.size() <= p.hlen);
    require(p.data.size() <= p.data_bytes && p.data_bytes <= p.plen);
    require(of == nullptr || of->slot < c.most_outstanding());
    require(p.begun.packet <= p.ended.packet);
    require(form_of(p) != nullptr);
    unsigned sum = 0;
    for (const std::byte b : p.header) sum += std::to_integer<unsigned>(b);
    for (const std::byte b : p.data) sum += std::to_integer<unsigned>(b);
    require(sum <= 255 * (p.header.size() + p.data.size()));
  }
  void on_command(const trace::connection& c, const trace::command&, const trace::pdu&) override {
    ++open_commands;
    require(c.outstanding() > 0);
  }
  void on_completion(const trace::connection&, const trace::command& k,
                     const trace::completion& done, const trace::pdu*) override {
    require(open_commands-- > 0);
    static_cast<void>(latency_of(k, done));
  }
  void on_end(const trace::connection& c, const trace::stamp&, bool) override {
    require(c.outstanding() == 0);
    require(open_connections-- > 0);
  }
  std::uint64_t open_commands = 0, open_connections = 0;
};

trace::endpoint end_at(std::byte last) {
  return {.address = {std::byte{10}, std::byte{0}, std::byte{0}, last}, .port = trace::roce_port};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  checker out;
  trace::command_budget commands{.left = 64};
  const trace::conversation_options options{.data_bytes = 300};
  std::uint32_t connections = 0;
  trace::rdma_tracer tracer({.expected = [](std::uint16_t port) { return port == 4420; },
                             .number = [&] { return ++connections; },
                             .conversation = options,
                             .commands = commands,
                             .to = out});
  trace::stamp at;
  while (!in.done()) {
    const std::uint8_t how = in.byte();
    const bool from_controller = (how & 1) != 0;
    const auto whole = in.take(static_cast<std::size_t>(in.number(2)));
    const std::size_t kept = whole.size() - whole.size() * (how >> 1 & 7) / 8;
    at.ns += 1000;
    ++at.packet;
    tracer.take({.from = end_at(from_controller ? std::byte{2} : std::byte{1}),
                 .to = end_at(from_controller ? std::byte{1} : std::byte{2}),
                 .payload = whole.first(kept),
                 .payload_bytes = static_cast<std::uint32_t>(whole.size())},
                at);
  }
  tracer.finish(at);
  require(out.open_commands == 0 && out.open_connections == 0);
  require(commands.left == 64);
  return 0;
}
