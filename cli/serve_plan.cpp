// SPDX-License-Identifier: BSD-2-Clause
#include "serve_plan.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "wire/nqn.hpp"
#include "wire/uri.hpp"

namespace nvmf::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t in_capsule_max = 1u << 20;
constexpr std::uint64_t max_h2c_most = 1u << 30;
constexpr std::chrono::milliseconds kato_max{0xffffffff};  // Connect, KATO: 32 bits

// What Identify Controller has room for, told in the words of the option.
std::expected<void, std::string> check_characters(std::string_view text, std::size_t most) {
  if (text.size() > most)
    return std::unexpected(
        fmt::format("{} characters are given, at most {} fit", text.size(), most));
  for (const char c : text)
    if (c < ' ' || c > '~')
      return std::unexpected(wire::quoted(text) + " has more than printable ASCII");
  return {};
}

}  // namespace

serve_plan::serve_plan()
    : in_capsule_(transport_.max_in_capsule), max_h2c_(transport_.max_h2c_data) {
  subsystems_.emplace_back().options.nqn = default_nqn;
}

serve_plan::set_result serve_plan::begin_subsystem(std::string_view nqn) {
  if (const auto good = wire::check_nqn(nqn, {}); !good)
    return std::unexpected(to_text(good.error()));
  if (touched_) subsystems_.emplace_back();
  current().options.nqn = nqn;
  touched_ = true;
  return {};
}

serve_plan::set_result serve_plan::listen_at(std::string_view text, bool discovery) {
  // A port alone, with or without its colon, is one of 127.0.0.1.
  std::string where{text};
  listener_options l;
  for (const auto t : {wire::uri_transport::tcp, wire::uri_transport::rdma}) {
    const auto name = wire::transport_name(t);
    if (!text.starts_with(name) || text.substr(name.size(), 1) != ":") continue;
    l.transport = name;
    where.erase(0, name.size() + 1);
    break;
  }
  if (where.starts_with(':')) where.insert(0, "127.0.0.1");
  if (!where.empty() && where.find_first_not_of("0123456789") == std::string::npos)
    where.insert(0, "127.0.0.1:");
  const auto at = wire::parse_endpoint(where, 0);
  if (!at) return std::unexpected(to_text(at.error()));
  l.at = {.host = at->host,
          .port = at->port.value_or(wire::default_port(
              wire::uri_transport::tcp, discovery ? std::string_view{} : default_nqn))};
  l.discovery_only = discovery;
  listeners_.push_back(std::move(l));
  return {};
}

void serve_plan::add_subsystem_options(option_table& table) {
  table.custom("-n,--nqn", "NQN", "NQN of the subsystem (default nqn.2026-01.io.nvmfctl:default)",
               [this](std::string_view text) -> set_result {
                 if (const auto good = wire::check_nqn(text, {}); !good)
                   return std::unexpected(to_text(good.error()));
                 current().options.nqn = text;
                 touched_ = true;
                 return {};
               });
  table
      .custom("--subsystem", "NQN",
              "begin another subsystem; --ns, --allow-host and what follows are its own",
              [this](std::string_view text) { return begin_subsystem(text); })
      .repeats = true;
  table
      .custom("--ns", "SPEC",
              "add a namespace: ram:SIZE, file:PATH[,ro], null:SIZE or pattern:SIZE, each with "
              "[,bs=512|4096] (default ram:64M)",
              [this](std::string_view text) -> set_result {
                current().namespaces.emplace_back(text);
                touched_ = true;
                return {};
              })
      .repeats = true;
  table
      .custom("--allow-host", "NQN", "let only this host in",
              [this](std::string_view text) -> set_result {
                if (const auto good = wire::check_nqn(text, {}); !good)
                  return std::unexpected(to_text(good.error()));
                current().options.allowed_hosts.emplace_back(text);
                touched_ = true;
                return {};
              })
      .repeats = true;
  const auto of_subsystem = [this](auto subsystem_options::* member, std::size_t most) {
    return [this, member, most](std::string_view text) -> set_result {
      if (const auto good = check_characters(text, most); !good) return good;
      current().options.*member = text;
      touched_ = true;
      return {};
    };
  };
  table
      .custom("--serial", "TEXT", "serial number, at most 20 characters",
              of_subsystem(&subsystem_options::serial, 20))
      .repeats = true;
  table
      .custom("--model", "TEXT", "model number, at most 40 characters",
              of_subsystem(&subsystem_options::model, 40))
      .repeats = true;
  table
      .custom("--static-controllers", {}, "static controller model: hosts may name a CNTLID",
              [this](std::string_view) -> set_result {
                current().options.static_controllers = true;
                touched_ = true;
                return {};
              })
      .wants = option::takes::nothing;
}

void serve_plan::add_listener_options(option_table& table) {
  table
      .custom("--listen", "ADDR:PORT",
              "where to listen, port 0: a free one; rdma:ADDR:PORT over RDMA (default "
              "127.0.0.1:4420)",
              [this](std::string_view text) { return listen_at(text, false); })
      .repeats = true;
  table
      .custom("--discovery", "ADDR:PORT",
              "also listen here, for the discovery service only; the port is usually 8009",
              [this](std::string_view text) { return listen_at(text, true); })
      .repeats = true;
  table.flag("-g,--hdr-digest", transport_.header_digest, "grant header digests to hosts that ask");
  table.flag("-G,--data-digest", transport_.data_digest, "grant data digests to hosts that ask");
  table.number("--cpda", "N", cpda_, "PDU data alignment asked for, CPDA: (N + 1) * 4 bytes", 0,
               31);
  table.size("--in-capsule", "SIZE", in_capsule_, "in-capsule data of I/O queues (IOCCSZ), bytes",
             {.max = in_capsule_max}, 16);
  table.size("--maxh2cdata", "SIZE", max_h2c_, "data of an H2CData PDU (MAXH2CDATA), bytes",
             {.min = 4096, .max = max_h2c_most}, 4);
}

void serve_plan::add_limit_options(option_table& table) {
  table.number("--max-io-queues", "N", common_.max_io_queues, "I/O queues a controller may have", 1,
               65535);
  table.number("--max-queue-size", "N", common_.max_io_queue_size,
               "entries an I/O queue may have (CAP.MQES + 1)", 2, 65536);
  table.number("--mdts", "N", common_.mdts,
               "largest transfer (MDTS): 2^N * 4096 bytes; 0: no limit", 0, 13);
  table.number("--max-connections", "N", limits_.connections, "connections at a time", 1,
               1'000'000);
  table.duration("--connect-timeout", "SECONDS", limits_.connect_timeout, 1s,
                 "longest wait for ICReq, and for Connect after it", {.min = 1ms});
  table.duration("--stall-timeout", "SECONDS", transport_.stall_timeout, 1s,
                 "longest standstill of a host that owes us bytes, or does not read; 0: no limit");
  table.duration("--max-keep-alive", "SECONDS", limits_.keep_alive_max, 1s,
                 "longest keep alive timeout granted", {.min = 1ms, .max = kato_max});
  table.size("--queue-data", "SIZE", limits_.queue_data_max,
             "data in memory for the commands of one I/O queue, bytes");
}

void serve_plan::add_options(option_table& table) {
  add_listener_options(table);
  add_subsystem_options(table);
  add_limit_options(table);
  faults_.add_options(table, role::controller);
}

void serve_plan::complete() {
  transport_.alignment = (cpda_ + 1) * 4;
  transport_.max_in_capsule = static_cast<std::uint32_t>(in_capsule_);
  transport_.max_h2c_data = static_cast<std::uint32_t>(max_h2c_);
  transport_.ic_timeout = limits_.connect_timeout;
  bool io = false;
  for (const listener_options& l : listeners_) io = io || !l.discovery_only;
  if (!io) static_cast<void>(listen_at(default_listener, false));
  // Listeners for I/O come first: theirs is the address that is told first.
  // (Not stable_partition: libstdc++ 12 has it call what clang says is deprecated.)
  std::vector<listener_options> ordered;
  for (const bool discovery_only : {false, true})
    for (listener_options& l : listeners_)
      if (l.discovery_only == discovery_only) ordered.push_back(l);
  listeners_ = std::move(ordered);
  for (listener_options& l : listeners_) l.settings = transport_;
  for (served_subsystem& s : subsystems_) {
    s.options.max_io_queues = common_.max_io_queues;
    s.options.max_io_queue_size = common_.max_io_queue_size;
    s.options.mdts = common_.mdts;
    if (s.namespaces.empty()) s.namespaces.emplace_back(default_namespace);
  }
}

}  // namespace nvmf::cli
