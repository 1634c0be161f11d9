// SPDX-License-Identifier: BSD-2-Clause
// Expected bytes are written by hand from Base 2.0, 3.3.3.1 and the sections of the commands.
#include "capsule_plan.hpp"

#include <doctest/doctest.h>

#include <map>
#include <sstream>

using namespace nvmf;
using namespace nvmf::cli;

namespace {

std::optional<std::uint32_t> known(std::uint32_t nsid) {
  static const std::map<std::uint32_t, std::uint32_t> sizes{{1, 512}, {2, 4096}};
  const auto at = sizes.find(nsid);
  return at == sizes.end() ? std::nullopt : std::optional{at->second};
}

struct request : capsule_request {
  request(std::string command_text, std::vector<std::string> fields_text = {}) {
    command = std::move(command_text);
    fields = std::move(fields_text);
  }
};

capsule_plan plan(const capsule_request& r, const block_size_of& sizes = known,
                  const std::string& input = "") {
  std::istringstream in{input};
  auto p = plan_capsule(r, sizes, in);
  REQUIRE_MESSAGE(p.has_value(), (p ? "" : p.error()));
  return *p;
}
std::string error(const capsule_request& r, const block_size_of& sizes = known) {
  std::istringstream in;
  const auto p = plan_capsule(r, sizes, in);
  return p ? "no error" : p.error();
}

// The SQE as {offset, byte} pairs; all other bytes are zero.
void check_sqe(const capsule_plan& p, std::map<std::size_t, unsigned> bytes) {
  for (std::size_t i = 0; i < p.sqe.size(); ++i)
    CHECK_MESSAGE(std::to_integer<unsigned>(p.sqe[i]) == (bytes.contains(i) ? bytes[i] : 0), i);
}

}  // namespace

TEST_CASE("identify: 4096 bytes from the admin queue") {
  const auto p = plan(request{"identify", {"cns=controller"}});
  check_sqe(p, {{0, 0x06}, {1, 0x40}, {40, 0x01}});
  CHECK(p.qid == 0);
  CHECK(p.admin);
  CHECK(p.way == direction::receive);
  CHECK(p.data.size() == 4096);
  REQUIRE(p.data_form() != nullptr);
  CHECK(p.data_form()->name == "identify-controller");
}

TEST_CASE("a number alone is an opcode of the queue that is named") {
  request r{"0x7e"};
  CHECK(error(r).find("could be an admin or an I/O command") != std::string::npos);
  r.qid = 0;
  check_sqe(plan(r), {{0, 0x7e}, {1, 0x40}});
  CHECK(plan(r).admin);
  r.qid = 3;
  CHECK_FALSE(plan(r).admin);
  CHECK(plan(r).command.set == wire::command_set::nvm);
  CHECK(plan(r).qid == 3);
}

TEST_CASE("identify of a namespace means the one of the address, or the first") {
  check_sqe(plan(request{"identify", {"cns=0"}}), {{0, 0x06}, {1, 0x40}, {4, 1}});
  request r{"identify", {"cns=0"}};
  r.nsid = 7;
  check_sqe(plan(r), {{0, 0x06}, {1, 0x40}, {4, 7}});
  check_sqe(plan(request{"identify", {"cns=0", "nsid=0"}}), {{0, 0x06}, {1, 0x40}});
}

TEST_CASE("read: blocks of the namespace's format, on I/O queue 1") {
  const auto p = plan(request{"read", {"slba=0x1234", "nlb=7"}});
  check_sqe(p, {{0, 0x02}, {1, 0x40}, {4, 1}, {40, 0x34}, {41, 0x12}, {48, 7}});
  CHECK(p.qid == 1);
  CHECK(!p.admin);
  CHECK(p.data.size() == 8 * 512);
  CHECK(plan(request{"read", {"nsid=2", "nlb=1"}}).data.size() == 2 * 4096);
  CHECK(plan(request{"read"}).data.size() == 512);
}

TEST_CASE("read: the length asked for sets nlb, unless nlb is given") {
  request r{"read"};
  r.receive = 4096;
  auto p = plan(r);
  CHECK(p.sqe[48] == std::byte{7});
  CHECK(p.data.size() == 4096);
  r.fields = {"nlb=0"};
  p = plan(r);
  CHECK(p.sqe[48] == std::byte{0});
  CHECK(p.data.size() == 4096);
  r.fields = {};
  r.receive = 1000;
  CHECK(error(r) == "1000 bytes are not a multiple of 512, the block size of the namespace");
  r.receive = 512ull * 65537;
  CHECK(error(r) == "33554944 bytes are more than a command can move: 65536 times 512");
}

TEST_CASE("write: the data sets nlb") {
  request r{"write", {"slba=1"}};
  r.send = "fill:0xa5";
  auto p = plan(r);
  CHECK(p.way == direction::send);
  CHECK(p.data == std::vector<std::byte>(512, std::byte{0xa5}));
  r.send = "hex:" + std::string(2048, '1');
  p = plan(r);
  CHECK(p.data == std::vector<std::byte>(1024, std::byte{0x11}));
  CHECK(p.sqe[48] == std::byte{1});
  r.send = "-";
  p = plan(r, known, std::string(1536, 'x'));
  CHECK(p.sqe[48] == std::byte{2});
  r.send = "hex:00";
  CHECK(error(r) == "1 bytes are not a multiple of 512, the block size of the namespace");
}

TEST_CASE("get-log-page: the whole page, or as much as is asked for") {
  auto p = plan(request{"get-log-page", {"lid=smart"}});
  check_sqe(p, {{0, 0x02}, {1, 0x40}, {40, 0x02}, {42, 127}});
  CHECK(p.data.size() == 512);
  request r{"get-log-page", {"lid=0x70"}};
  r.receive = 0x50000;
  p = plan(r);
  check_sqe(p, {{0, 0x02}, {1, 0x40}, {40, 0x70}, {42, 0xff}, {43, 0x3f}, {44, 1}});
  CHECK(plan(request{"get-log-page", {"lid=2", "numdl=0"}}).data.size() == 4);
  CHECK(plan(request{"get-log-page", {"cdw10=0x00030002"}}).data.size() == 16);
  r.receive = 6;
  CHECK(error(r) == "6 bytes are not a multiple of 4, the bytes of a dword");
}

TEST_CASE("features move data only when they have some") {
  CHECK(plan(request{"get-features", {"fid=number-of-queues"}}).way == direction::none);
  const auto stamp = plan(request{"get-features", {"fid=timestamp"}});
  CHECK(stamp.way == direction::receive);
  CHECK(stamp.data.size() == 8);
  const auto set = plan(request{"set-features", {"fid=7", "nsqr=3", "ncqr=3"}});
  check_sqe(set, {{0, 0x09}, {1, 0x40}, {40, 7}, {44, 3}, {46, 3}});
  CHECK(set.way == direction::none);
}

TEST_CASE("dataset-management: ranges by field, or as bytes") {
  const auto p = plan(request{
      "dsm",
      {"ad=1", "nr=1", "data.range[0].slba=8", "data.range[0].nlb=4", "data.range[1].slba=99"}});
  check_sqe(p, {{0, 0x09}, {1, 0x40}, {4, 1}, {40, 1}, {44, 4}});
  REQUIRE(p.data.size() == 32);
  CHECK(p.data[4] == std::byte{4});
  CHECK(p.data[8] == std::byte{8});
  CHECK(p.data[24] == std::byte{99});
  request r{"dsm", {"ad=1"}};
  r.send = "hex:" + std::string(96, '0');
  CHECK(plan(r).sqe[40] == std::byte{2});
  r.send = "hex:0011";
  CHECK(error(r) == "2 bytes are not a multiple of 16, the bytes of a range");
}

TEST_CASE("connect says who the host is") {
  request r{"connect", {"sqsize=31", "kato=5000", "nosqfc=1", "data.cntlid=0xfffe"}};
  r.connect_data = {"subnqn=nqn.2026-01.io.example:s", "cntlid=0xffff"};
  const auto p = plan(r);
  check_sqe(p, {{0, 0x7f}, {1, 0x40}, {4, 1}, {44, 31}, {46, 4}, {48, 0x88}, {49, 0x13}});
  CHECK(p.qid == 0);
  CHECK(p.admin);
  REQUIRE(p.data.size() == 1024);
  CHECK(p.data[16] == std::byte{0xfe});
  CHECK(p.data[17] == std::byte{0xff});
  CHECK(p.data[256] == std::byte{'n'});
}

TEST_CASE("any opcode, any field, any queue") {
  request r{"admin:0xc1", {"cdw10=5", "cdw2=0xffffffff", "opc=0xc2", "cid=9"}};
  auto p = plan(r);
  check_sqe(p, {{0, 0xc2}, {1, 0x40}, {2, 9}, {8, 255}, {9, 255}, {10, 255}, {11, 255}, {40, 5}});
  CHECK(p.way == direction::none);
  r.receive = 512;
  p = plan(r);
  CHECK(p.way == direction::receive);
  CHECK(p.data.size() == 512);
  r.qid = 3;
  CHECK(plan(r).qid == 3);
  CHECK(plan(request{"nvm:0x90"}).qid == 1);
  CHECK(plan(request{"property-get", {"ofst=cap", "attrib=1"}}).sqe[4] == std::byte{4});
}

TEST_CASE("an SQE given whole is sent as it is, but for the fields that change it") {
  request r{""};
  r.sqe = "06" + std::string(126, '0');
  auto p = plan(r);
  check_sqe(p, {{0, 0x06}});
  CHECK(p.command.name == "identify");
  CHECK(p.data.size() == 4096);
  r.fields = {"cns=1"};
  check_sqe(plan(r), {{0, 0x06}, {40, 1}});
  r.fields = {};
  r.qid = 1;
  CHECK(plan(r).command.set == wire::command_set::nvm);
  r.sqe = "06";
  CHECK(error(r) == "--sqe: 1 byte given, an SQE has 64");
  r.sqe = "0x0";
  CHECK(error(r).starts_with("--sqe: has an odd number of digits"));
}

TEST_CASE("without a connection blocks have no size, and that is all right") {
  auto p = plan(request{"read", {"nlb=7"}}, {});
  CHECK(!p.length_known);
  CHECK(p.way == direction::receive);
  request r{"write"};
  r.send = "hex:00";
  CHECK(error(r, {}) == "the block size of namespace 1 is not known (give nlb=)");
  r.fields = {"nlb=0"};
  CHECK(plan(r, {}).data.size() == 1);
  CHECK(error(request{"read", {"nsid=9"}})
            .starts_with("the block size of namespace 9 is not known (the controller lists"));
}

TEST_CASE("each mistake is named") {
  CHECK(error(request{""}) == "a command is missing (see nvmfctl describe command)");
  CHECK(error(request{"wirte"})
            .starts_with("command: 'wirte' is not a command; did you mean write?"));
  CHECK(error(request{"write", {"slbaa=3"}}) ==
        "slbaa: write has no such field; did you mean slba?");
  CHECK(error(request{"identify", {"cns=256"}}) ==
        "cns: 256 does not fit in 8 bits, the largest value is 255 (0xff)");
  CHECK(error(request{"identify", {"cns"}}).starts_with("cns: a field needs a value"));
  CHECK(error(request{"identify", {"data.x=1"}})
            .starts_with("data.x=1: identify (06h) sends no data"));
  CHECK(error(request{"dsm", {"data.slbaa=1"}}) ==
        "slbaa: dsm-range-list has no such field (nvmfctl describe dsm-range-list lists them)");
  request r{"write"};
  for (const auto& [text, said] : std::map<std::string, std::string>{
           {"hex:0", "--send: hex has an odd number of digits"},
           {"hex:", "--send: there are no bytes in it"},
           {"fill:256", "--send: fill 256 is more than 255"},
           {"/none/such", "--send: /none/such: cannot be opened for reading"},
           {"-", "--send: there are no bytes in it"}}) {
    r.send = text;
    CHECK_MESSAGE(error(r).starts_with(said), error(r));
  }
  r.send = "fill:1";
  r.receive = 5;
  CHECK(error(r) == "--send and --recv: a command moves data one way");
}
