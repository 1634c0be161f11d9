// SPDX-License-Identifier: BSD-2-Clause
#include "output_file.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace nvmf::cli;
namespace fs = std::filesystem;

namespace {

struct folder {
  folder() {
    std::string name = (fs::temp_directory_path() / "nvmfctl-test.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~folder() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator{path}, {}));
  }
  fs::path path;
};

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}
std::string content(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

TEST_CASE("a file is written whole, over an old one too, which keeps its mode") {
  folder f;
  REQUIRE(write_file(f / "a", bytes("hello")));
  CHECK(content(f / "a") == "hello");
  REQUIRE(::chmod((f / "a").c_str(), 0600) == 0);
  REQUIRE(write_file(f / "a", bytes("second")));
  CHECK(content(f / "a") == "second");
  struct stat s{};
  REQUIRE(::stat((f / "a").c_str(), &s) == 0);
  CHECK((s.st_mode & 0777) == 0600);
  CHECK(f.files() == 1);
}

TEST_CASE("a file that cannot be written leaves nothing behind") {
  folder f;
  const auto done = write_file(f / "none/a", bytes("x"));
  REQUIRE(!done);
  CHECK(done.error().ends_with("/none/a: cannot be created: No such file or directory"));
  fs::create_directory(f / "d");
  CHECK(!write_file(f / "d", bytes("x")));
  CHECK(f.files() == 1);
}

TEST_CASE("what is not a regular file is written in place") {
  CHECK(write_file("/dev/null", bytes("x")));
  const auto full = write_file("/dev/full", bytes("x"));
  REQUIRE(!full);
  CHECK(full.error() == "/dev/full: cannot be written: No space left on device");
}

TEST_CASE("a file that comes in pieces stands under its name when it is whole") {
  folder f;
  {
    auto file = output_file::create(f / "a");
    REQUIRE(file);
    file->write(bytes("hello "));
    CHECK(!fs::exists(f / "a"));
    output_file moved = std::move(*file);
    moved.write(bytes(std::string(400'000, 'x')));  // more than is kept back
    moved.write(bytes("!"));
    CHECK(!fs::exists(f / "a"));
    REQUIRE(moved.commit());
  }
  CHECK(content(f / "a") == "hello " + std::string(400'000, 'x') + "!");
  CHECK(f.files() == 1);
  {
    auto file = output_file::create(f / "a");
    REQUIRE(file);
    file->write(bytes("never"));
  }
  CHECK(content(f / "a").starts_with("hello"));
  CHECK(f.files() == 1);
  CHECK(!output_file::create(f / "none/a"));
}

TEST_CASE("a file that does not fit leaves what was there before") {
  folder f;
  REQUIRE(write_file(f / "a", bytes("old")));
  rlimit whole{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &whole) == 0);
  const auto before = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit little{.rlim_cur = 100'000, .rlim_max = whole.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &little) == 0);
  {
    auto file = output_file::create(f / "a");
    REQUIRE(file);
    for (int i = 0; i < 10; ++i) file->write(bytes(std::string(100'000, 'x')));
    CHECK(file->failed());
    const auto done = file->commit();
    REQUIRE(!done);
    CHECK(done.error().ends_with("/a: cannot be written: File too large"));
  }
  CHECK(::setrlimit(RLIMIT_FSIZE, &whole) == 0);
  ::signal(SIGXFSZ, before);
  CHECK(content(f / "a") == "old");
  CHECK(f.files() == 1);
}

TEST_CASE("a pipe gets the bytes as they come") {
  folder f;
  REQUIRE(::mkfifo((f / "p").c_str(), 0600) == 0);
  const int reader = ::open((f / "p").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(reader >= 0);
  auto file = output_file::create(f / "p");
  REQUIRE(file);
  file->write(bytes("now"));
  file->flush();
  char got[8] = {};
  CHECK(::read(reader, got, sizeof got) == 3);
  CHECK(std::string_view{got} == "now");
  REQUIRE(file->commit());
  ::close(reader);
}

TEST_CASE("whether a file can be written is known before, and asking leaves nothing behind") {
  folder f;
  CHECK(check_writable(f / "new"));
  CHECK(f.files() == 0);
  REQUIRE(write_file(f / "old", bytes("x")));
  CHECK(check_writable(f / "old"));
  CHECK(content(f / "old") == "x");
  CHECK(check_writable("/dev/null"));
  CHECK(check_writable(f / "none/a")
            .error()
            .ends_with("/none/a: cannot be created: No such file or directory"));
  fs::create_directory(f / "d");
  CHECK(check_writable(f / "d").error().ends_with(
      "/d: cannot be opened for writing: Is a directory"));
}

TEST_CASE("a file is read up to a limit") {
  folder f;
  REQUIRE(write_file(f / "a", bytes("12345")));
  CHECK(read_file(f / "a", 5).value().size() == 5);
  CHECK(read_file(f / "a", 4).error().ends_with("/a: longer than 4 bytes"));
  CHECK(read_file(f / "b", 4)
            .error()
            .ends_with("cannot be opened for reading: No such file or directory"));
  CHECK(read_file("/dev/zero", 100000).error() == "/dev/zero: longer than 100000 bytes");
  CHECK(!read_file(f.path.string(), 5));
}
