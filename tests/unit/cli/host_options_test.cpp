// SPDX-License-Identifier: BSD-2-Clause
#include "host_options.hpp"

#include <doctest/doctest.h>

#include "arguments.hpp"

using namespace nvmf;
using namespace nvmf::cli;
using namespace std::chrono_literals;

namespace {

const std::string nqn = "nqn.2026-01.io.example:s";

std::expected<host_plan, std::string> try_plan(std::vector<std::string> words,
                                               bool discovery = false) {
  host_options host;
  option_table none, table;
  host.add_address(table);
  host.add_connection(table);
  host.add_queues(table);
  words.insert(words.end(), {"--hostnqn", "nqn.2026-01.io.example:host"});
  if (const auto filled = fill_options(none, table, words); !filled)
    return std::unexpected(filled.error());
  return host.plan(discovery);
}
host_plan plan(std::vector<std::string> words, bool discovery = false) {
  auto p = try_plan(std::move(words), discovery);
  REQUIRE_MESSAGE(p.has_value(), (p ? "" : p.error()));
  return *p;
}
std::string error(std::vector<std::string> words, bool discovery = false) {
  const auto p = try_plan(std::move(words), discovery);
  return p ? "no error" : p.error();
}

}  // namespace

TEST_CASE("a URI says where to") {
  const auto p = plan({"nvme+tcp://h:4421/" + nqn + "/3"});
  CHECK(p.options.transport == "tcp");
  CHECK(p.options.to.host == "h");
  CHECK(p.options.to.port == 4421);
  CHECK(p.options.subsystem_nqn == nqn);
  CHECK(p.uri.nsid == 3);
  CHECK(p.options.host_nqn == "nqn.2026-01.io.example:host");
  CHECK(plan({"nvme+tcp://h/" + nqn}).options.to.port == 4420);
  CHECK(plan({"nvme+tcp://[::1]:1/" + nqn}).options.to.host == "::1");
}

TEST_CASE("the long form says the same") {
  const auto p = plan({"-t", "tcp", "-a", "::1", "-s", "4421", "-n", nqn});
  CHECK(p.options.to.host == "::1");
  CHECK(p.options.to.port == 4421);
  CHECK(p.options.subsystem_nqn == nqn);
  CHECK(plan({"-a", "h", "-n", nqn}).options.to.port == 4420);
  CHECK(plan({"-a", "h"}, true).options.to.port == 8009);
}

TEST_CASE("the subsystem may come apart from the address, and the port follows it") {
  CHECK(plan({"nvme+tcp://h", "-n", nqn}).options.to.port == 4420);
  CHECK(plan({"nvme+tcp://h:8009", "-n", nqn}).options.to.port == 8009);
  CHECK(plan({"nvme+tcp://[::1]:8009", "-n", nqn}).options.to.port == 8009);
  CHECK(plan({"nvme+tcp://h"}, true).options.to.port == 8009);
  CHECK(plan({"nvme+tcp://h"}, true).options.subsystem_nqn ==
        "nqn.2014-08.org.nvmexpress.discovery");
}

TEST_CASE("options reach the association") {
  const auto p = plan({"nvme+tcp://h/" + nqn, "-k", "30s", "-i", "4", "-Q", "64", "-g", "--hpda",
                       "3", "--maxr2t", "2", "--disable-sqflow", "--timeout", "0.5", "-w",
                       "10.0.0.1", "--cntlid", "0xfffe"});
  const association_options& o = p.options;
  CHECK(o.keep_alive == 30s);
  CHECK(o.io_queues == 4);
  CHECK(o.io_queue_size == 64);
  CHECK(o.transport_settings.header_digest);
  CHECK(!o.transport_settings.data_digest);
  CHECK(o.transport_settings.alignment == 16);
  CHECK(o.transport_settings.max_r2t == 2);
  CHECK(o.disable_sq_flow_control);
  CHECK(o.timeout == 500ms);
  CHECK(o.transport_settings.ic_timeout == 500ms);
  CHECK(o.transport_settings.connect_timeout == 500ms);
  CHECK(o.transport_settings.source_address == "10.0.0.1");
  CHECK(o.controller_id == 0xfffe);
  CHECK(plan({"nvme+tcp://h/" + nqn, "-k", "1500"}).options.keep_alive == 1500ms);
  CHECK(plan({"nvme+tcp://h/" + nqn + "?ddgst=on"}).options.transport_settings.data_digest);
}

TEST_CASE("each mistake is named") {
  CHECK(error({}) == "an address is missing: URI or --traddr");
  CHECK(error({"nvme+tcp://h"}).starts_with("'nvme+tcp://h' names no subsystem"));
  CHECK(error({"-a", "h"}).starts_with("'h' names no subsystem"));
  CHECK(error({"nvme+tcp://h/" + nqn, "-a", "h"}).starts_with("give a URI or --transport"));
  CHECK(error({"-t", "fc", "-a", "h", "-n", nqn}) ==
        "--transport: 'fc' is not one of tcp, rdma, loop");
  CHECK(error({"-a", "h", "-s", "70000", "-n", nqn}).starts_with("--trsvcid: 70000 is more than"));
  CHECK(error({"-a", "h h", "-n", nqn}).starts_with("--traddr: "));
  CHECK(error({"-a", "h", "-n", "iqn.x"}).starts_with("subsystem NQN: "));
  CHECK(error({"-a", "h", "-n", "nqn.2026-01.io.example:" + std::string(201, 'x')})
            .starts_with("subsystem NQN: "));
  CHECK(error({"http://h/"}).starts_with("URI: "));
  CHECK(error({"nvme+tcp://h:0/" + nqn}).starts_with("URI: "));
  CHECK(error({"nvme+tcp://h/" + nqn, "-Q", "1"}) == "--queue-size: 1 is less than 2");
  CHECK(error({"nvme+tcp://h/" + nqn, "--hpda", "32"}) == "--hpda: 32 is more than 31 (0x1f)");
}
