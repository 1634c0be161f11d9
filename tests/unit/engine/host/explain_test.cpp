// SPDX-License-Identifier: BSD-2-Clause
// What a person is told for each way a bring-up fails (the pains that this program was made for).
#include <doctest/doctest.h>

#include "engine/host/connect.hpp"
#include "engine/host/explain.hpp"

using namespace nvmf;
using namespace nvmf::engine;

namespace {

association_options asked() {
  association_options o;
  o.to = {"target.example", 4420};
  o.subsystem_nqn = "nqn.2024-01.io.example:sub";
  o.host_nqn = "nqn.2024-01.io.example:host";
  o.keep_alive = std::chrono::milliseconds(5000);
  return o;
}

// A Connect that was answered with `status` (SCT << 8 | SC) and, in dword 0, IPO and IATTR.
host_failure refused_connect(std::uint16_t status, std::uint16_t ipo = 0, bool in_data = false,
                             std::uint16_t qid = 0) {
  const association_options o = asked();
  connect_parameters r;
  r.qid = qid;
  r.entries = 32;
  r.kato_ms = 5000;
  r.host_nqn = o.host_nqn;
  r.subsystem_nqn = o.subsystem_nqn;
  const send_command c = connect_command(r);
  host_failure f;
  f.stage = qid == 0 ? host_stage::fabrics_connect : host_stage::io_queues;
  f.opcode = 0x7f;
  f.fctype = 1;
  f.status = nvme_status::from_field(status);
  f.cqe_dw0 = ipo | (in_data ? 0x1'0000u : 0);
  f.sent_sqe.assign(c.sqe.begin(), c.sqe.end());
  f.sent_data = c.send;
  return f;
}

host_failure failure(host_stage stage, std::error_code code) {
  host_failure f;
  f.stage = stage;
  f.code = code;
  return f;
}

host_failure violation(host_stage stage, std::error_code code, std::string_view structure,
                       std::uint32_t offset, std::uint64_t value = 0) {
  host_failure f = failure(stage, code);
  f.violation = protocol_error{.structure = structure,
                               .offset = offset,
                               .fes = 1,
                               .fei = offset,
                               .reason = "so it is",
                               .value = value};
  return f;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

void complete(const explanation& e) {
  CHECK_FALSE(e.what.empty());
  CHECK_FALSE(e.cause.empty());
  CHECK_FALSE(e.advice.empty());
}

}  // namespace

TEST_CASE(
    "Connect Invalid Parameters names the field, the value that was sent, and what it means") {
  const struct {
    std::uint16_t ipo;
    bool in_data;
    std::string_view field, value, cause;
  } cases[] = {
      {256, true, "subnqn (NVM Subsystem NQN), byte 256 of Connect command data",
       "nqn.2024-01.io.example:sub", "no subsystem of that NQN"},
      {300, true, "subnqn", "nqn.2024-01.io.example:sub", "no subsystem of that NQN"},
      {512, true, "hostnqn (Host NQN), byte 512 of Connect command data",
       "nqn.2024-01.io.example:host", "does not allow this host"},
      {0, true, "hostid", "00000000-0000-0000-0000-000000000000", "host identifier"},
      {16, true, "cntlid (Controller ID", "0xffff", "no such controller"},
      {40, false, "recfmt", "0", "another version"},
      {42, false, "qid", "0", "queue"},
      {44, false, "sqsize", "31", "queues of this size"},
      {46, false, "cattr", "0", "attributes"},
      {48, false, "kato", "5000", "Keep Alive Timeout"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.field);
    const explanation e = explain(refused_connect(0x182, c.ipo, c.in_data), asked());
    complete(e);
    CHECK(has(e.what, "Connect Invalid Parameters (1/82h)"));
    CHECK(has(e.field, c.field));
    CHECK(has(e.value, c.value));
    CHECK(has(e.cause, c.cause));
  }
}

TEST_CASE("a field that no hint knows, and a byte beyond the structure") {
  explanation e = explain(refused_connect(0x182, 60, false), asked());
  complete(e);
  CHECK(has(e.field, "byte 60"));
  e = explain(refused_connect(0x182, 5000, true), asked());
  complete(e);
  CHECK(has(e.field, "byte 5000 of Connect command data, which has 1024 bytes"));
  CHECK(e.value.empty());
}

TEST_CASE("the wrong port is suspected") {
  association_options o = asked();
  o.to.port = 8009;
  CHECK(has(explain(refused_connect(0x182, 256, true), o).advice, "port 8009"));
  CHECK(has(explain(refused_connect(0x002), o).advice, "port 8009"));
  o.subsystem_nqn = "nqn.2014-08.org.nvmexpress.discovery";
  CHECK_FALSE(has(explain(refused_connect(0x182, 256, true), o).advice, "port 8009 is"));
  o.to.port = 4420;
  CHECK(has(explain(refused_connect(0x182, 256, true), o).advice, "8009 only"));
}

TEST_CASE("capital letters in an NQN are worth a word") {
  association_options o = asked();
  CHECK_FALSE(has(explain(refused_connect(0x182, 256, true), o).advice, "case sensitive"));
  o.subsystem_nqn = "nqn.2024-01.io.example:Sub";
  CHECK(has(explain(refused_connect(0x182, 256, true), o).advice, "case sensitive"));
}

TEST_CASE("other answers to Connect") {
  const struct {
    std::uint16_t status;
    std::string_view cause;
  } cases[] = {{0x180, "version"},         {0x181, "in use"},
               {0x183, "moved"},           {0x184, "does not allow this host"},
               {0x191, "authenticate"},    {0x002, "does not say which"},
               {0x00c, "does not expect"}, {0x018, "other length"},
               {0x01a, "Keep Alive"},      {0x006, "reason of its own"}};
  for (const auto& c : cases) {
    CAPTURE(c.status);
    const explanation e = explain(refused_connect(c.status), asked());
    complete(e);
    CHECK(has(e.cause, c.cause));
  }
  CHECK(has(explain(refused_connect(0x184), asked()).field, "hostnqn"));
  CHECK(has(explain(refused_connect(0x184), asked()).value, "nqn.2024-01.io.example:host"));
}

TEST_CASE("Connect of an I/O queue is explained too") {
  const explanation e = explain(refused_connect(0x182, 44, false, 1), asked());
  complete(e);
  CHECK(has(e.field, "sqsize"));
}

TEST_CASE("an answer that is not NVMe/TCP tells what it is") {
  const struct {
    std::uint8_t first;
    std::string_view who;
  } cases[] = {{'H', "HTTP"}, {'S', "SSH"},   {0x15, "TLS"},         {'2', "mail"},
               {'Q', "text"}, {0x00, "back"}, {0xfe, "another kind"}};
  for (const auto& c : cases) {
    const explanation e =
        explain(violation(host_stage::exchange, errc::protocol_violation, "pdu-common", 0, c.first),
                asked());
    complete(e);
    CHECK(has(e.cause, c.who));
    CHECK(has(e.advice, "4420"));
  }
}

TEST_CASE("an ICResp that is illegal names its field") {
  const explanation e = explain(
      violation(host_stage::exchange, errc::protocol_violation, "icresp", 12, 4095), asked());
  complete(e);
  CHECK(has(e.field, "maxh2cdata"));
  CHECK(has(e.value, "4095"));
}

TEST_CASE("an ICReq that is refused names what was asked for") {
  for (const auto& [fei, field] : std::initializer_list<std::pair<std::uint32_t, std::string_view>>{
           {8, "pfv"}, {10, "hpda"}, {11, "hdgst_enable"}, {12, "maxr2t"}}) {
    const explanation e =
        explain(violation(host_stage::exchange, errc::terminated, "icreq", fei), asked());
    complete(e);
    CHECK(has(e.field, field));
  }
}

TEST_CASE("silence, closed ports and lost connections") {
  const struct {
    host_failure why;
    std::string_view cause;
  } cases[] = {
      {failure(host_stage::resolve, make_error_code(std::errc::invalid_argument)), "misspelt"},
      {failure(host_stage::connect, make_error_code(std::errc::connection_refused)),
       "nothing listens at target.example:4420"},
      {failure(host_stage::connect, errc::timed_out), "firewall"},
      {failure(host_stage::connect, make_error_code(std::errc::network_unreachable)), "no route"},
      {failure(host_stage::connect, make_error_code(std::errc::permission_denied)), "let us"},
      {failure(host_stage::connect, make_error_code(std::errc::io_error)), "system"},
      {failure(host_stage::connect, errc::no_transport), "no transport"},
      {failure(host_stage::exchange, errc::timed_out), "says nothing"},
      {failure(host_stage::exchange, errc::closed), "no NVMe/TCP service"},
      {failure(host_stage::exchange, errc::reset), "no NVMe/TCP service"},
      {failure(host_stage::fabrics_connect, errc::closed), "closed the connection on Connect"},
      {failure(host_stage::fabrics_connect, errc::timed_out), "does not answer them"},
      {failure(host_stage::identify, errc::reset), "in stage identify"},
      {failure(host_stage::enable, errc::timed_out), "CAP.TO"},
      {failure(host_stage::enable, errc::controller_fatal), "failed"},
      {failure(host_stage::ready, errc::closed), "ended the connection"},
      {failure(host_stage::ready, errc::aborted), "this side"},
      {failure(host_stage::identify, errc::data_digest), "digest"},
      {failure(host_stage::identify, errc::data_incomplete), "had not sent"},
      {failure(host_stage::fabrics_connect, errc::invalid_argument), "option"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.cause);
    const explanation e = explain(c.why, asked());
    complete(e);
    CHECK(has(e.cause, c.cause));
  }
}

TEST_CASE("over RDMA the exchange is that of private data") {
  association_options o = asked();
  o.transport = "rdma";
  const explanation no = explain(failure(host_stage::exchange, errc::refused), o);
  complete(no);
  CHECK(has(no.cause, "does not take a queue"));
  CHECK(has(no.advice, "--queue-size"));
  const explanation mute =
      explain(violation(host_stage::exchange, errc::refused, "rdma-cm-reject", 0), o);
  complete(mute);
  CHECK(has(mute.cause, "speaks no NVMe/RDMA"));
  CHECK_FALSE(has(mute.advice, "--queue-size"));
  const auto bad = [&](std::uint32_t offset, std::uint64_t value, std::uint64_t limit) {
    host_failure f =
        violation(host_stage::exchange, errc::protocol_violation, "rdma-cm-accept", offset, value);
    f.violation->limit = limit;
    const explanation e = explain(f, o);
    complete(e);
    return e;
  };
  CHECK(has(bad(0, 1, 0).cause, "not NVMe/RDMA"));
  CHECK(has(bad(0, 1, 0).field, "recfmt"));
  CHECK(has(bad(0, 10, 32).field, "length"));
  CHECK(has(bad(2, 0, 1).cause, "breaks NVMe/RDMA"));
  CHECK(has(bad(2, 0, 1).field, "crqsize"));
}

TEST_CASE("a source address that does not fit is suspected only when there is one") {
  association_options o = asked();
  const host_failure f =
      failure(host_stage::connect, make_error_code(std::errc::address_not_available));
  CHECK_FALSE(has(explain(f, o).cause, "not an address of this machine"));
  o.transport_settings.source_address = "192.0.2.9";
  CHECK(has(explain(f, o).cause, "192.0.2.9 is not an address of this machine"));
}

TEST_CASE("a Keep Alive that was not answered") {
  host_failure f = failure(host_stage::ready, errc::timed_out);
  f.opcode = 0x18;
  CHECK(has(explain(f, asked()).cause, "Keep Alive"));
}

TEST_CASE("a rule that the peer broke, and one that it says we broke") {
  explanation e = explain(
      violation(host_stage::identify, errc::protocol_violation, "identify-controller", 1792, 3),
      asked());
  complete(e);
  CHECK(has(e.field, "ioccsz"));
  CHECK(has(e.value, "3"));
  CHECK(has(e.cause, "so it is"));

  host_failure f = violation(host_stage::ready, errc::protocol_violation, "capsule-resp", 0);
  f.violation->fes = 3;
  CHECK(has(explain(f, asked()).cause, "digest"));

  e = explain(violation(host_stage::ready, errc::terminated, "capsule-cmd", 3), asked());
  complete(e);
  CHECK(has(e.cause, "Invalid PDU Header Field"));
  CHECK(has(e.field, "pdo"));
  // A structure that no layout has, and an offset beyond it.
  complete(explain(violation(host_stage::ready, errc::terminated, "", 3), asked()));
  complete(explain(violation(host_stage::ready, errc::terminated, "r2t", 9999), asked()));
  complete(explain(violation(host_stage::ready, errc::protocol_violation, "x", 3), asked()));
}

TEST_CASE("other commands that were refused") {
  for (const host_stage stage : {host_stage::properties, host_stage::enable, host_stage::identify,
                                 host_stage::namespaces, host_stage::io_queues}) {
    host_failure f;
    f.stage = stage;
    f.opcode = 0x06;
    f.status = nvme_status::from_field(0x4002);
    const explanation e = explain(f, asked());
    complete(e);
    CHECK(has(e.what, "Invalid Field"));
  }
  host_failure f;
  f.stage = host_stage::properties;
  f.opcode = 0x7f;
  f.fctype = 4;
  f.status = nvme_status::from_field(0x191);
  CHECK(has(explain(f, asked()).cause, "authenticate"));
}
