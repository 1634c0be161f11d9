// SPDX-License-Identifier: BSD-2-Clause
#include "serve_plan.hpp"

#include <doctest/doctest.h>

#include "arguments.hpp"

using namespace nvmf;
using namespace nvmf::cli;
using namespace std::chrono_literals;

namespace {

struct planned {
  explicit planned(std::vector<std::string> words) {
    option_table none, table;
    plan.add_options(table);
    filled = fill_options(none, table, words);
    plan.complete();
  }
  const served_subsystem& at(std::size_t i) const { return plan.subsystems().at(i); }
  const listener_options& listener(std::size_t i) const { return plan.listeners().at(i); }
  std::string error() const { return filled ? "no error" : filled.error(); }
  serve_plan plan;
  std::expected<void, std::string> filled;
};

const std::string a = "nqn.2026-01.io.example:a", b = "nqn.2026-01.io.example:b";

}  // namespace

TEST_CASE("plain serve has a name, a namespace and a place") {
  const planned p{{}};
  REQUIRE(p.plan.subsystems().size() == 1);
  CHECK(p.at(0).options.nqn == "nqn.2026-01.io.nvmfctl:default");
  CHECK(p.at(0).namespaces == std::vector<std::string>{"ram:64M"});
  REQUIRE(p.plan.listeners().size() == 1);
  CHECK(p.listener(0).at.host == "127.0.0.1");
  CHECK(p.listener(0).at.port == 4420);
  CHECK(!p.listener(0).discovery_only);
  CHECK(!p.listener(0).settings.header_digest);
}

TEST_CASE("options belong to the subsystem before them") {
  const planned p{{"-n", a, "--ns", "ram:1M", "--ns", "null:1G", "--serial", "A", "--subsystem", b,
                   "--allow-host", a, "--static-controllers", "--model", "M"}};
  REQUIRE(p.filled.has_value());
  REQUIRE(p.plan.subsystems().size() == 2);
  CHECK(p.at(0).options.nqn == a);
  CHECK(p.at(0).namespaces == std::vector<std::string>{"ram:1M", "null:1G"});
  CHECK(p.at(0).options.serial == "A");
  CHECK(p.at(0).options.allowed_hosts.empty());
  CHECK(!p.at(0).options.static_controllers);
  CHECK(p.at(1).options.nqn == b);
  CHECK(p.at(1).namespaces == std::vector<std::string>{"ram:64M"});
  CHECK(p.at(1).options.allowed_hosts == std::vector<std::string>{a});
  CHECK(p.at(1).options.static_controllers);
  CHECK(p.at(1).options.model == "M");
}

TEST_CASE("--subsystem first is the first subsystem") {
  const planned p{{"--subsystem", a, "--subsystem", b}};
  REQUIRE(p.plan.subsystems().size() == 2);
  CHECK(p.at(0).options.nqn == a);
  const planned q{{"--ns", "ram:1M", "--subsystem", b}};
  REQUIRE(q.plan.subsystems().size() == 2);
  CHECK(q.at(0).options.nqn == serve_plan::default_nqn);
}

TEST_CASE("listeners: short forms, IPv6, discovery after the others") {
  const planned p{{"--discovery", "8009", "--listen", ":0", "--listen", "[::1]:4421", "--listen",
                   "0.0.0.0", "--discovery", "192.0.2.1"}};
  REQUIRE(p.filled.has_value());
  REQUIRE(p.plan.listeners().size() == 5);
  CHECK(p.listener(0).at.port == 0);
  CHECK(p.listener(0).at.host == "127.0.0.1");
  CHECK(p.listener(1).at.host == "::1");
  CHECK(p.listener(1).at.port == 4421);
  CHECK(p.listener(2).at.host == "0.0.0.0");
  CHECK(p.listener(2).at.port == 4420);
  CHECK(p.listener(3).discovery_only);
  CHECK(p.listener(3).at.host == "127.0.0.1");
  CHECK(p.listener(3).at.port == 8009);
  CHECK(p.listener(4).at.port == 8009);
  // Discovery alone still serves.
  const planned q{{"--discovery", "8009"}};
  REQUIRE(q.plan.listeners().size() == 2);
  CHECK(q.listener(0).at.port == 4420);
}

TEST_CASE("limits reach every listener and subsystem") {
  const planned p{{"-g",
                   "-G",
                   "--cpda",
                   "3",
                   "--in-capsule",
                   "16K",
                   "--maxh2cdata",
                   "64K",
                   "--mdts",
                   "5",
                   "--max-io-queues",
                   "3",
                   "--max-queue-size",
                   "32",
                   "--max-connections",
                   "7",
                   "--connect-timeout",
                   "2",
                   "--stall-timeout",
                   "90",
                   "--max-keep-alive",
                   "1m",
                   "--queue-data",
                   "1M",
                   "--subsystem",
                   b}};
  REQUIRE(p.filled.has_value());
  const transport_options& t = p.listener(0).settings;
  CHECK(t.header_digest);
  CHECK(t.data_digest);
  CHECK(t.alignment == 16);
  CHECK(t.max_in_capsule == 16384);
  CHECK(t.max_h2c_data == 65536);
  CHECK(t.ic_timeout == 2s);
  CHECK(t.stall_timeout == 90s);
  CHECK(p.at(0).options.mdts == 5);
  CHECK(p.at(0).options.max_io_queues == 3);
  CHECK(p.at(0).options.max_io_queue_size == 32);
  CHECK(p.plan.limits().connections == 7);
  CHECK(p.plan.limits().connect_timeout == 2s);
  CHECK(p.plan.limits().keep_alive_max == 1min);
  CHECK(p.plan.limits().queue_data_max == 1u << 20);
}

TEST_CASE("each mistake is named") {
  CHECK(planned{{"--subsystem", "iqn"}}.error().starts_with("--subsystem: "));
  CHECK(planned{{"-n", ""}}.error().starts_with("--nqn: "));
  CHECK(planned{{"--allow-host", "x"}}.error().starts_with("--allow-host: "));
  CHECK(planned{{"--listen", "[::1"}}.error().starts_with("--listen: "));
  CHECK(planned{{"--listen", "h:70000"}}.error().starts_with("--listen: "));
  CHECK(planned{{"--in-capsule", "8"}}.error() == "--in-capsule: 8 is not a multiple of 16");
  CHECK(planned{{"--in-capsule", "2M"}}.error().starts_with("--in-capsule: 2M is more than"));
  CHECK(planned{{"--mdts", "14"}}.error().starts_with("--mdts: 14 is more than 13"));
}
