// SPDX-License-Identifier: BSD-2-Clause
// Every example that help shows runs, in a session that has what it names. None fails by design:
// one that comes to do so says must-fail, or is told apart here.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "bench_session.hpp"

using namespace nvmf::cli;
using namespace nvmf::cli::repl;
using strings = std::vector<std::string>;

namespace {

struct session : bench_session {
  done all(const strings& lines) {
    for (const std::string& line : lines)
      if (auto d = runs.run_line(line, "", 1); !d) return d;
    return {};
  }
};

// A folder for what is saved, with what is loaded.
struct folder {
  std::filesystem::path before = std::filesystem::current_path(), made;
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "examples-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    made = name;
    std::filesystem::current_path(made);
    std::ofstream("setup.nvmf") << "buf of-setup $1\n";
  }
  ~folder() {
    std::filesystem::current_path(before);
    std::filesystem::remove_all(made);
  }
};

// A connection to a target of ours, l1, and what the examples call things.
const strings connected{
    "listen nvme+loop://lab auto ns=ram:1M",
    "let uri = \"nvme+loop://lab/nqn.2026-01.io.nvmfctl:default\"",
    "connect l1 kato=0s hostnqn=nqn.2026-01.io.example:me",
    "timeout 5s",
    "buf b1 4K fill=seq",
    "buf b2 4K fill=seq",
    "buf b3 16",
    "memdesc m1 b1[0,512] b2[100,300]",
    "buf done 4K",
    "sqe c1 read nsid=1 nlb=7",
    "attach c1 done",
    "send c1",
    "wait c1",
    "sqe id identify cns=controller",
    "sqe r read nsid=1 nlb=7",
    "sqe w write nsid=1 nlb=7",
};
// A target that is the person, l1, with two queues and five commands that wait.
const strings by_hand{
    "listen nvme+tcp://127.0.0.1:0",
    "open l1 name=h",
    "wait t1",
    "open l1 name=other",
    "wait t2",
    "use h",
    "timeout 5s",
    "buf b1 4K",
    "buf b2 4K",
    "buf who 1K",
    "sqe c connect kato=0 sqsize=31",
    "attach c who",
    "send c",
    "buf data 16K",
    "sqe put admin:0xc1",
    "attach put data",
    "send put",
    "buf page 4K",
    "sqe get identify cns=controller",
    "attach get page",
    "send get",
    "sqe g4 property-get",
    "send g4",
    "sqe g5 property-get",
    "send g5",
    "wait in5",
};

strings with(strings lines, const strings& more) {
  lines.insert(lines.end(), more.begin(), more.end());
  return lines;
}
const strings breaking =
    with(by_hand, {"open l1 name=bare", "strict off bare", "strict off h", "use bare"});
const strings paused = with(by_hand, {"pause t1", "sqe a property-get", "sqe b property-get",
                                      "sqe d property-get", "send a", "send b", "send d"});

// What comes before the examples of a verb, or before one line; else `connected`.
strings before(std::string_view verb, std::string_view line) {
  const static std::map<std::string_view, strings> setups{
      {"connect m name=own nowait", with(connected, {"listen nvme+loop://m name=m"})},
      {"detach", with(connected, {"attach r b1"})},
      {"load", with(connected, {"save b1[0,512] first.bin"})},
      {"send", with(connected, {"attach r done", "attach id b1"})},
      {"wait", with(connected, {"attach r done", "send r"})},
      {"wait in1", by_hand},
      {"abort", with(connected, {"sqe w async-event-request", "send w on a1:0"})},
      {"must-fail", with(connected, {"attach r done", "send r"})},
      {"expect event io_cb bytes=4096 within 1s", with(connected, {"mark", "send c1"})},
      {"elif", with(connected, {"if c1.status != success"})},
      {"else", with(connected, {"if c1.status != success"})},
      {"end", with(connected, {"if c1.status == success"})},
      {"auto", with({"listen nvme+loop://lab"}, {"open l1 name=h", "wait t1"})},
      {"setqueue", by_hand},
      {"ins", by_hand},
      {"receive", by_hand},
      {"incapsule", by_hand},
      {"senddata", by_hand},
      {"senddata in3 b1[1024] 1024", with(by_hand, {"senddata in3 b1[0,1024] 0"})},
      {"respond", by_hand},
      {"strict", with(connected, {"open $uri name=bare"})},
      {"pdu", breaking},
      {"split", breaking},
      {"trace off", with(connected, {"trace on"})},
      {"termreq", breaking},
      {"reset", by_hand},
      {"half-close", breaking},
      {"stop-reading", breaking},
      {"resume-reading", with(breaking, {"stop-reading"})},
      {"break on pdu r2t", by_hand},
      {"break clear 1", with(connected, {"break on cid 3"})},
      {"pause t1", by_hand},
      {"step", paused},
      {"step send", with(by_hand, {"pause h", "sqe g6 property-get", "send g6"})},
      {"continue", paused},
      {"info r2t", with(by_hand, {"use t1"})},
  };
  if (const auto it = setups.find(line); it != setups.end()) return it->second;
  if (const auto it = setups.find(verb); it != setups.end()) return it->second;
  return connected;
}

// What ends a block that the line begins, or is in.
strings after(std::string_view verb) {
  if (verb == "if" || verb == "elif" || verb == "else" || verb == "for" || verb == "repeat")
    return {"echo within", "end"};
  return {};
}

}  // namespace

TEST_CASE("every example of every verb runs") {
  const folder here;
  std::size_t count = 0;
  for (const auto& v : all_verbs()) {
    const auto& info = v->info();
    CHECK_MESSAGE(!info.examples.empty(), info.name);
    for (const example& e : info.examples) {
      CAPTURE(e.line);
      session s;
      if (const auto d = s.all(before(info.name, e.line)); !d) {
        FAIL_CHECK(fmt::format("before {}: {}", e.line, s.err.str()));
        continue;
      }
      const auto d = s.all(with({std::string{e.line}}, after(info.name)));
      CHECK_MESSAGE(d, s.err.str());
      CHECK_MESSAGE(s.err.str().empty(), s.err.str());
      CHECK(!s.runs.in_block());
      ++count;
    }
  }
  CHECK(count >= 100);
}

TEST_CASE("an example that names what is not there fails") {
  session s;
  CHECK(s.all(connected));
  CHECK(!s.all({"hexdump b9[0,64]"}));
  CHECK(!s.all({"respond in3"}));
}
