// SPDX-License-Identifier: BSD-2-Clause
// Connect alone, and what may stand between it and the first command.
#include <doctest/doctest.h>

#include "engine/host/connect.hpp"
#include "support/raw_bytes.hpp"

using namespace nvmf;
using namespace nvmf::engine;
using namespace nvmf::test;

namespace {

// Sends two commands of its own, then agrees or not.
class two_steps final : public authenticator {
 public:
  explicit two_steps(bool agrees) : agrees_(agrees) {}
  action start(std::uint16_t qid, std::uint16_t required, time_point) override {
    qid_ = qid;
    required_ = required;
    return ask();
  }
  action on_reply(const reply& got, time_point) override {
    if (!got.result.ok()) return failed{refused(host_stage::fabrics_connect, sent_, got)};
    if (++replies_ < 2) return ask();
    if (agrees_) return finished{};
    host_failure f;
    f.stage = host_stage::fabrics_connect;
    f.detail = "the secrets differ";
    return failed{std::move(f)};
  }
  std::uint16_t qid_ = 0xffff, required_ = 0xffff;

 private:
  action ask() {
    sent_ = {};
    sent_.sqe[0] = std::byte{0x7f};
    sent_.sqe[4] = std::byte{0x05};
    return sent_;
  }
  bool agrees_;
  int replies_ = 0;
  send_command sent_;
};

connect_parameters request(std::uint16_t qid = 0) {
  connect_parameters r;
  r.qid = qid;
  r.entries = 32;
  r.host_nqn = "nqn.2024-01.io.example:host";
  r.subsystem_nqn = "nqn.2024-01.io.example:sub";
  return r;
}

reply answer(std::uint64_t result, std::uint16_t status = 0, std::uint16_t sqhd = 1) {
  reply r;
  r.result.has_cqe = true;
  r.result.sqhd_valid = true;
  put(r.result.cqe, 0, 8, result);
  put(r.result.cqe, 8, 2, sqhd);
  r.result.status = nvme_status::from_field(status);
  return r;
}

}  // namespace

TEST_CASE("Connect succeeds and tells the controller ID") {
  connect_machine m(host_stage::fabrics_connect, request(), nullptr);
  CHECK(std::holds_alternative<send_command>(m.start()));
  CHECK(std::holds_alternative<finished>(m.on_reply(answer(0x0000'0012), {})));
  CHECK(m.cntlid() == 0x12);
  CHECK(m.sq_flow_control());
}

TEST_CASE("an SQHD of FFFFh counts only when it was asked for") {
  for (const bool asked : {true, false}) {
    connect_parameters r = request();
    r.disable_sq_flow_control = asked;
    connect_machine m(host_stage::fabrics_connect, r, nullptr);
    m.start();
    CHECK(std::holds_alternative<finished>(m.on_reply(answer(1, 0, 0xffff), {})));
    CHECK(m.sq_flow_control() == !asked);
  }
}

TEST_CASE("either requirement of AUTHREQ needs an authenticator") {
  for (const std::uint64_t authreq : {2u, 4u, 6u}) {
    connect_machine m(host_stage::fabrics_connect, request(), nullptr);
    m.start();
    const action a = m.on_reply(answer(1 | authreq << 16), {});
    REQUIRE(std::holds_alternative<failed>(a));
    CHECK(std::get<failed>(a).why.status.raw_code() == 0x191);
    CHECK(std::get<failed>(a).why.sent_data.size() == 1024);
  }
}

TEST_CASE("an authenticator stands between Connect and the first command") {
  for (const bool agrees : {true, false})
    for (const std::uint16_t qid : {std::uint16_t{0}, std::uint16_t{3}}) {
      two_steps auth(agrees);
      connect_machine m(host_stage::fabrics_connect, request(qid), &auth);
      m.start();
      action a = m.on_reply(answer(0x0002'0001), {});
      REQUIRE(std::holds_alternative<send_command>(a));
      CHECK(auth.qid_ == qid);
      CHECK(auth.required_ == 2);
      a = m.on_reply(answer(0), {});
      REQUIRE(std::holds_alternative<send_command>(a));
      a = m.on_reply(answer(0), {});
      CHECK(std::holds_alternative<finished>(a) == agrees);
      if (!agrees) CHECK(std::get<failed>(a).why.detail == "the secrets differ");
      CHECK(m.cntlid() == 1);
    }
}

TEST_CASE(
    "an authenticator that is refused ends the machine; without need it is asked all the same") {
  two_steps auth(true);
  connect_machine m(host_stage::fabrics_connect, request(), &auth);
  m.start();
  action a = m.on_reply(answer(0x0000'0001), {});
  REQUIRE(std::holds_alternative<send_command>(a));
  CHECK(auth.required_ == 0);
  a = m.on_reply(answer(0, 0x002), {});
  REQUIRE(std::holds_alternative<failed>(a));
  CHECK(std::get<failed>(a).why.fctype == 0x05);
}

TEST_CASE("a reserved controller ID counts on the admin queue only") {
  for (const unsigned cntlid : {0xffefu, 0xfff0u, 0xffffu}) {
    connect_machine admin(host_stage::fabrics_connect, request(), nullptr);
    admin.start();
    CHECK(std::holds_alternative<failed>(admin.on_reply(answer(cntlid), {})) == (cntlid > 0xffef));
    connect_machine io(host_stage::io_queues, request(1), nullptr);
    io.start();
    CHECK(std::holds_alternative<finished>(io.on_reply(answer(cntlid), {})));
  }
}
