// SPDX-License-Identifier: BSD-2-Clause
#include "repl/completion.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "bench_session.hpp"

using namespace nvmf::cli;
using namespace nvmf::cli::repl;
using strings = std::vector<std::string>;

namespace {

struct session : bench_session {
  explicit session(const strings& lines = {}) {
    for (const std::string& line : lines) REQUIRE(runs.run_line(line, "", 1));
  }
  strings words(std::string_view before) const { return complete_at(bench, before).words; }
  bool offers(std::string_view before, std::string_view word) const {
    const strings all = words(before);
    return std::ranges::find(all, word) != all.end();
  }
};

}  // namespace

TEST_CASE("commands, of the debugger and of the tables") {
  const session s;
  CHECK(s.words("hexd") == strings{"hexdump"});
  CHECK(s.words("  hexd") == strings{"hexdump"});
  CHECK(complete_at(s.bench, "  hexd").from == 2);
  CHECK(s.words("nonsense x").empty());
  CHECK(s.offers("sqe r id", "identify"));
  CHECK(s.offers("help hex", "hexdump"));
  CHECK(s.words("echo # he").empty());
  CHECK(s.words("echo 'he").empty());
}

TEST_CASE("fields of the command, and the names of their values") {
  const session s({"sqe id identify", "sqe r read"});
  CHECK(s.words("sqe x read ns") == strings{"nsid="});
  CHECK(s.offers("set id cn", "cns="));
  CHECK_FALSE(s.offers("set r cn", "cns="));
  CHECK(s.words("set id cns=controll").front().starts_with("cns=controller"));
  CHECK(s.offers("set r cdw1", "cdw10="));
  CHECK(s.words("set nobody cn").empty());
}

TEST_CASE("names of things that are there, and only of the right kind") {
  const session s({"buf bytes 512", "memdesc mem bytes", "sqe id identify"});
  CHECK(s.words("hexdump ") == strings{"bytes"});
  CHECK(s.words("attach id ") == strings{"bytes", "mem"});
  CHECK(s.words("attach ") == strings{"id"});
  CHECK(s.offers("wait ", "id"));
  CHECK(s.offers("wait ", "all"));
  CHECK(s.words("send id ") == strings{"on"});
}

TEST_CASE("options and what they take") {
  const session s;
  CHECK(s.offers("open nvme+tcp://h hd", "hdgst"));
  CHECK(s.offers("open nvme+tcp://h max", "maxr2t="));
  CHECK(s.words("buf b 4K f") == strings{"fill="});
  CHECK(s.words("buf b 4K fill=z") == strings{"fill=zero"});
  CHECK(s.words("buf b 4K fill=file:/dev/nul") == strings{"fill=file:/dev/null"});
  CHECK(s.words("load b /dev/nul") == strings{"/dev/null"});
  CHECK(s.words("fill b as identify-controller nn") == strings{"nn="});
  CHECK(s.words("fill b as sgl subtype=off") == strings{"subtype=offset"});
  CHECK(s.words("watch ") == strings{"all", "off", "on"});
}

TEST_CASE("break points and looks inside") {
  const session s;
  CHECK(s.words("break on p") == strings{"pdu"});
  CHECK(s.words("break on pdu r") == strings{"r2t", "response"});
  CHECK(s.words("break on event digest") == strings{"digest-error"});
  CHECK(s.offers("break on status lba-", "lba-out-of-range"));
  CHECK(s.words("break on cid 3 of a") == strings{"all"});
  CHECK(s.words("info r") == strings{"r2t"});
  CHECK(s.words("trace on p") == strings{"pcap"});
  CHECK(s.offers("watch on io", "io_cb"));
}

TEST_CASE("variables, where a $ stands for one") {
  session s({"let first = 1", "let fifth = 5", "let other = 2"});
  const auto at = [&](std::string_view before) {
    return complete_at(s.bench, before, s.runs.vars().names());
  };
  CHECK(at("echo $fi").words == strings{"$fifth", "$first"});
  CHECK(at("echo $fi").from == 5);
  CHECK(at("read slba=$o").words == strings{"$other"});
  CHECK(at("read slba=$o").from == 10);
  CHECK(at("echo \"a b ${fir").words == strings{"${first}"});
  CHECK(at("echo $none").words.empty());
  CHECK(at("echo '$fi").words.empty());
  CHECK(at("echo \"\\$fi").words.empty());
  CHECK(at("echo # $fi").words.empty());
  CHECK(at("echo $first hexd").words.empty());
  CHECK(at("$first; hexd").words.empty());
}

TEST_CASE("what is found is shown in columns") {
  CHECK(in_columns({"a", "bb", "c"}, 80) == "a   bb  c\n");
  CHECK(in_columns({"a", "bb", "c"}, 8) == "a   c\nbb\n");
  CHECK(in_columns({"long"}, 2) == "long\n");
  CHECK(in_columns(strings(241, "x"), 300).ends_with("and 1 more\n"));
}
