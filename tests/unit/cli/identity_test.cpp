// SPDX-License-Identifier: BSD-2-Clause
#include "identity.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "output_file.hpp"
#include "render/json.hpp"

using namespace nvmf::cli;
namespace fs = std::filesystem;

namespace {

// The three files in a folder of their own; a file that is not written is not there.
struct files {
  files() {
    std::string name = (fs::temp_directory_path() / "nvmfctl-test.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
    at = {name + "/hostnqn", name + "/hostid", name + "/machine-id"};
  }
  ~files() { fs::remove_all(folder); }
  static void put(const std::string& path, std::string_view text) {
    REQUIRE(write_file(path, std::as_bytes(std::span{text.data(), text.size()})));
  }
  host_identity who(const std::string& nqn = "", const std::string& id = "") const {
    const auto w = make_identity(nqn, id, at);
    REQUIRE_MESSAGE(w.has_value(), (w ? "" : w.error()));
    return *w;
  }
  std::string error(const std::string& nqn = "", const std::string& id = "") const {
    const auto w = make_identity(nqn, id, at);
    return w ? "no error" : w.error();
  }
  fs::path folder;
  identity_files at;
};

constexpr const char* uuid = "11223344-5566-7788-99aa-bbccddeeff00";
constexpr const char* uuid_digits = "112233445566778899aabbccddeeff00";
const std::string uuid_nqn = std::string{"nqn.2014-08.org.nvmexpress:uuid:"} + uuid;

}  // namespace

TEST_CASE("the files of nvme-cli say who the host is") {
  files f;
  files::put(f.at.hostnqn, "  nqn.2026-01.io.example:host \nmore\n");
  files::put(f.at.hostid, std::string{uuid} + "\n");
  const auto w = f.who();
  CHECK(w.nqn == "nqn.2026-01.io.example:host");
  CHECK(hex_text(w.id) == uuid_digits);
  CHECK(w.source == f.at.hostnqn);
}

TEST_CASE("an NQN of one's own does not take the identifier of another") {
  files f;
  files::put(f.at.hostnqn, "nqn.2026-01.io.example:host");
  files::put(f.at.hostid, uuid);
  const auto w = f.who("nqn.2026-01.io.example:other");
  CHECK(w.source == "option --hostnqn");
  CHECK(hex_text(w.id) != uuid_digits);
  CHECK(hex_text(w.id) == hex_text(f.who("nqn.2026-01.io.example:other").id));
  CHECK(hex_text(w.id) != hex_text(f.who("nqn.2026-01.io.example:third").id));
  CHECK(hex_text(w.id).at(12) == '5');  // a UUID of version 5
}

TEST_CASE("the UUID form brings its identifier") {
  files f;
  CHECK(hex_text(f.who(uuid_nqn).id) == uuid_digits);
  files::put(f.at.hostnqn, uuid_nqn);
  CHECK(hex_text(f.who().id) == uuid_digits);
}

TEST_CASE("without them the machine's identity is the base, the same each time and not shown") {
  files f;
  files::put(f.at.machine_id, "0123456789abcdef0123456789abcdef\n");
  const auto w = f.who();
  CHECK(w.source == f.at.machine_id);
  CHECK(w.nqn.starts_with("nqn.2014-08.org.nvmexpress:uuid:"));
  CHECK(w.nqn.find("01234567") == std::string::npos);
  CHECK(f.who().nqn == w.nqn);
  // The derivation is part of what users rely on: access lists hold this NQN.
  CHECK(w.nqn == "nqn.2014-08.org.nvmexpress:uuid:3af69341-c0a4-56e5-9f86-4950c2c686cb");
  files::put(f.at.machine_id, "fedcba9876543210fedcba9876543210\n");
  CHECK(f.who().nqn != w.nqn);
}

TEST_CASE("without any of them an identity is made up") {
  files f;
  const auto w = f.who();
  CHECK(w.source == "made up for this run");
  CHECK(w.nqn != f.who().nqn);
  CHECK(hex_text(w.id).at(12) == '4');
}

TEST_CASE("an empty file is as no file") {
  files f;
  files::put(f.at.hostnqn, " \n");
  files::put(f.at.machine_id, "0123456789abcdef0123456789abcdef\n");
  CHECK(f.who().source == f.at.machine_id);
}

TEST_CASE("options win, and what is wrong is named with its place") {
  files f;
  files::put(f.at.hostnqn, "nqn.2026-01.io.example:host");
  CHECK(hex_text(f.who("", uuid_digits).id) == uuid_digits);
  CHECK(f.error("host").starts_with("option --hostnqn: "));
  CHECK(f.error("", "xyz").starts_with("option --hostid: "));
  CHECK(f.error("", "00000000-0000-0000-0000-000000000000").starts_with("option --hostid: "));
  files::put(f.at.hostid, "nonsense");
  CHECK(f.error().starts_with(f.at.hostid + ": "));
  files::put(f.at.hostnqn, "nonsense");
  CHECK(f.error().starts_with(f.at.hostnqn + ": "));
  CHECK(
      f.error("nqn.2026-01.io.example:" + std::string(250, 'x')).starts_with("option --hostnqn: "));
}
