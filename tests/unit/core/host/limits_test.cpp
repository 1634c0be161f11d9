// SPDX-License-Identifier: BSD-2-Clause
// The limits report, and the events that observers see.
#include <doctest/doctest.h>

#include <set>

#include "support/host_fixture.hpp"

using namespace nvmf;
using namespace nvmf::test;
using namespace std::chrono_literals;

namespace {

struct limits_fixture : host_fixture {
  const limit_row* row(std::string_view name) {
    rows = host->limits();
    for (const limit_row& r : rows)
      if (r.name == name) return &r;
    return nullptr;
  }
  std::string value_of(std::string_view name) {
    const limit_row* r = row(name);
    return r == nullptr ? "(none)" : r->value;
  }
  std::vector<limit_row> rows;
};

// The same script under the name "tcp", so that the rows of that transport are there.
class as_tcp final : public transport {
 public:
  explicit as_tcp(std::shared_ptr<fake_controller> inner) : inner_(std::move(inner)) {}
  std::string_view type() const override { return "tcp"; }
  int priority() const override { return 0; }
  bool accepts(const qpair_params& p) const override { return inner_->accepts(p); }
  std::shared_ptr<connect_attempt> connect(executor& on, const endpoint& to, const qpair_params& p,
                                           connect_callback done) override {
    return inner_->connect(on, to, p, std::move(done));
  }
  std::expected<std::unique_ptr<listener>, std::error_code> listen(executor&, const endpoint&,
                                                                   const qpair_params&,
                                                                   executor_chooser,
                                                                   accept_callback) override {
    return std::unexpected(make_error_code(errc::not_supported));
  }
  std::size_t qpairs() const override { return 0; }

 private:
  std::shared_ptr<fake_controller> inner_;
};

}  // namespace

TEST_CASE("every limit has a value and a source") {
  limits_fixture t;
  t.registry.add(std::make_shared<as_tcp>(t.controller));
  t.options.transport = "tcp";
  t.options.keep_alive = 1500ms;
  t.options.io_queue_size = 64;
  t.controller->limits.max_h2c_data = 131072;
  t.controller->limits.max_r2t = 2;
  t.controller->limits.host_alignment = 8;
  t.controller->limits.controller_alignment = 128;
  t.controller->limits.header_digest = true;
  REQUIRE(t.bring_up());
  const struct {
    std::string_view name, value, source;
  } expected[] = {
      {"header digest", "on", "ICReq and ICResp"},
      {"data digest", "off", "ICReq and ICResp"},
      {"HPDA", "1 (8 bytes)", "ICReq"},
      {"CPDA", "31 (128 bytes)", "ICResp"},
      {"MAXR2T", "1 (2 outstanding)", "ICReq"},
      {"MAXH2CDATA", "131072 bytes", "ICResp"},
      {"MQES", "127 (128 entries)", "property CAP"},
      {"MPSMIN", "0 (4096 bytes)", "property CAP"},
      {"TO", "15 (7500 ms to become ready)", "property CAP"},
      {"MDTS", "5 (131072 bytes)", "Identify Controller"},
      {"IOCCSZ", "516 (8256 bytes, 8192 bytes of data in a capsule)", "Identify Controller"},
      {"IORCSZ", "1 (16 bytes)", "Identify Controller"},
      {"ICDOFF", "0 (0 bytes)", "Identify Controller"},
      {"MAXCMD", "128 commands", "Identify Controller"},
      {"NN", "1024", "Identify Controller"},
      {"MSDBD", "1", "Identify Controller"},
      {"SGLS", "00300001h", "Identify Controller"},
      {"AERL", "3 (4 requests)", "Identify Controller"},
      {"ACL", "3 (4 Aborts at once)", "Identify Controller"},
      {"KAS", "10 (1000 ms steps)", "Identify Controller"},
      {"TBKAS", "no", "Identify Controller"},
      {"KATO", "1500 ms, counted as 2000 ms, looked at every 750 ms", "Connect, rounded by KAS"},
      {"admin queue", "32 entries, SQ flow control on", "Connect"},
      {"I/O queues", "1 of 1 asked", "Set Features, Number of Queues"},
      {"I/O queue", "64 entries, 63 commands at once, SQ flow control on", "option queue-size"},
      {"largest I/O", "131072 bytes", "MDTS and CAP.MPSMIN"},
  };
  for (const auto& e : expected) {
    CAPTURE(e.name);
    const limit_row* r = t.row(e.name);
    REQUIRE(r != nullptr);
    CHECK(r->value == e.value);
    CHECK(r->source == e.source);
  }
  CHECK(t.host->limits().size() == std::size(expected));
}

TEST_CASE("the least of MDTS and the transport is the largest I/O") {
  limits_fixture t;
  SUBCASE("the transport's is less") {
    t.controller->limits.max_transfer = 65536;
    REQUIRE(t.bring_up());
    CHECK(t.host->max_transfer() == 65536);
    CHECK(t.row("largest I/O")->source == "transport");
  }
  SUBCASE("neither has one") {
    put(t.controller->identify, 77, 1, 0);
    REQUIRE(t.bring_up());
    CHECK(t.value_of("MDTS") == "0 (no limit)");
    CHECK(t.row("largest I/O")->source == "SGL descriptor");
  }
}

TEST_CASE("the report is as long as the bring-up got, and does not end with the association") {
  using depth = association_options::depth;
  std::size_t last = 0;
  for (const depth d :
       {depth::transport, depth::connected, depth::enabled, depth::identified, depth::ready}) {
    limits_fixture t;
    t.options.until = d;
    REQUIRE(t.bring_up());
    const std::size_t rows = t.host->limits().size();
    CHECK(rows >= last);
    last = rows;
    t.controller->queue(0)->fail({.code = errc::reset, .violation = {}});
    CHECK(t.lost.size() == 1);
    CHECK(t.host->limits().size() <= rows);
    CHECK(t.host->queue_limits(0).queue_size == 0);
  }
  CHECK(last > 15);
}

TEST_CASE("observers see the stages, Keep Alive and events; without one nothing is made") {
  struct : observer {
    std::vector<std::pair<event_type, std::string>> seen;
    void on_event(const event& e) noexcept override {
      CHECK(e.at != time_point{});
      seen.emplace_back(e.type, std::string(e.text));
    }
    bool has(event_type type, std::string_view text) const {
      return std::ranges::find(seen, std::pair{type, std::string(text)}) != seen.end();
    }
  } watching;
  host_fixture t;
  t.options.watched_by = &watching;
  t.options.keep_alive = 4s;
  t.options.async_events = 1;
  REQUIRE(t.bring_up());
  t.on.run();
  for (const auto& s : t.stages) CHECK(watching.has(event_type::stage, stage_name(s.stage)));
  CHECK(watching.has(event_type::state, "up"));
  t.on.advance(2s);
  CHECK(watching.has(event_type::keep_alive, "sent"));
  CHECK(watching.has(event_type::keep_alive, "answered"));
  REQUIRE(t.controller->event(0x0000'0006));
  t.on.run();
  CHECK(watching.has(event_type::async_event, ""));
  t.controller->script = [](const fake_command&) { return true; };
  t.on.advance(10s);
  CHECK(watching.has(event_type::keep_alive, "expired"));
}
