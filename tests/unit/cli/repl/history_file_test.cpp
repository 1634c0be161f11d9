// SPDX-License-Identifier: BSD-2-Clause
#include "repl/history_file.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace nvmf::cli::repl;

namespace {

struct folder {
  std::string path;
  folder() : path("/tmp/nvmf_history_XXXXXX") { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~folder() { std::filesystem::remove_all(path); }
  std::string file() const { return path + "/nvmfctl/history"; }
};

}  // namespace

TEST_CASE("keys, and lines that begin with a blank, are not remembered") {
  CHECK(worth_remembering("echo hello"));
  CHECK(worth_remembering("connect nvme+tcp://h/nqn.x hdgst"));
  CHECK_FALSE(worth_remembering(""));
  CHECK_FALSE(worth_remembering(" echo hello"));
  CHECK_FALSE(worth_remembering("\techo hello"));
  CHECK_FALSE(worth_remembering("connect x hostkey=abc"));
  CHECK_FALSE(worth_remembering("connect x HostKey=abc"));
  CHECK_FALSE(worth_remembering("connect x secret=abc"));
  CHECK_FALSE(worth_remembering("echo DHHC-1:00:abc:"));
  CHECK_FALSE(worth_remembering("echo NVMeTLSkey-1:01:abc:"));
  CHECK_FALSE(worth_remembering("connect x dhchap-secret x"));
}

TEST_CASE("lines are added behind those of other sessions, for the owner's eyes only") {
  const folder at;
  history_file one(at.path), other(at.path);
  CHECK(one.load()->empty());
  REQUIRE(one.add("first"));
  REQUIRE(other.add("second"));
  REQUIRE(one.add("third"));
  CHECK(*other.load() == std::vector<std::string>{"first", "second", "third"});
  struct ::stat s{};
  REQUIRE(::stat(at.file().c_str(), &s) == 0);
  CHECK((s.st_mode & 0777) == 0600);
}

TEST_CASE("a file that is too long is cut, and who has it open goes on") {
  const folder at;
  history_file h(at.path);
  REQUIRE(h.add("0"));
  {
    std::ofstream more(at.file(), std::ios::app);
    for (std::size_t n = 1; n <= 2 * history_file::lines_max; ++n) more << n << "\n";
  }
  auto lines = h.load();
  REQUIRE(lines->size() == history_file::lines_max);
  CHECK(lines->back() == fmt::format("{}", 2 * history_file::lines_max));
  REQUIRE(h.add("last"));
  std::ifstream in(at.file());
  std::size_t count = 0;
  for (std::string line; std::getline(in, line); lines->back() = line) ++count;
  CHECK(count == history_file::lines_max + 1);
  CHECK(lines->back() == "last");
}

TEST_CASE("no folder is no error, a folder that is none is one") {
  history_file none("");
  CHECK(none.load()->empty());
  CHECK(none.add("x"));
  history_file bad("/dev/null");
  CHECK(bad.load()->empty());
  const auto added = bad.add("x");
  REQUIRE_FALSE(added);
  CHECK(added.error().starts_with("history: /dev/null/nvmfctl: "));
}
