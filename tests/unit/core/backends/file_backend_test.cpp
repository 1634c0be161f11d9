// SPDX-License-Identifier: BSD-2-Clause
// file: what is kept, and each way a file can fail.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "backend_rig.hpp"

using namespace nvmf;
using namespace nvmf::test;
namespace fs = std::filesystem;

namespace {

std::vector<std::byte> content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::vector<std::byte> data(text.size());
  std::ranges::transform(text, data.begin(), [](char c) { return static_cast<std::byte>(c); });
  return data;
}

std::string error_of(std::string_view spec) {
  const auto made = parse_backend(spec);
  REQUIRE_FALSE(made.has_value());
  return made.error();
}

}  // namespace

TEST_CASE("file: what is acknowledged is in the file") {
  const scratch dir;
  const std::string path = dir.file("disk, with a comma", 1 << 20);
  backend_rig r("file:" + path);
  CHECK(r.store->geometry().blocks == 2048);
  CHECK(r.store->describe() == "file:" + path);
  const auto data = bytes(128 * 512, 4);
  CHECK(r.write(100, data) == 0);
  const auto now = content(path);
  CHECK(std::ranges::equal(std::span{now}.subspan(100 * 512, data.size()), data));
  CHECK(r.get(100, 128) == data);
  CHECK(r.write(0, bytes(512, 1), true) == 0);
  CHECK(r.flush() == 0);
  CHECK(r.write_zeroes(110, 10) == 0);
  CHECK(r.get(110, 10) == zeroes(5120));
  CHECK(r.get(120, 1) == std::vector(data.begin() + 20 * 512, data.begin() + 21 * 512));
  CHECK(r.write_zeroes(100, 5, true, true) == 0);
  CHECK(r.get(100, 5) == zeroes(2560));
  CHECK(fs::file_size(path) == 1 << 20);
}

TEST_CASE("file: deallocation gives the disk its space back") {
  const scratch dir;
  const std::string path = dir.file("disk", 1 << 20);
  backend_rig r("file:" + path + ",bs=4096");
  REQUIRE(r.store->geometry().deallocates);
  CHECK(r.write(0, bytes(1 << 20, 1)) == 0);
  CHECK(r.flush() == 0);
  const auto used = [&] {
    struct stat st{};
    REQUIRE(::stat(path.c_str(), &st) == 0);
    return st.st_blocks * 512;
  };
  CHECK(used() >= 1 << 20);
  CHECK(r.deallocate(16, 240) == 0);
  CHECK(used() <= 128 << 10);
  CHECK(r.get(16, 240) == zeroes(240 * 4096));
  CHECK(fs::file_size(path) == 1 << 20);
}

TEST_CASE("file: read only") {
  const scratch dir;
  const std::string path = dir.file("disk", 4096);
  ::chmod(path.c_str(), 0400);
  backend_rig r("file:" + path + ",ro,bs=4096");
  CHECK(r.store->geometry().read_only);
  CHECK_FALSE(r.store->geometry().deallocates);
  CHECK(r.store->describe() == "file:" + path + ",ro,bs=4096");
  CHECK(r.get(0, 1) == zeroes(4096));
  CHECK(r.flush() == 0);
  // The target refuses writes before they come here; should one come, it fails by its name.
  CHECK(r.write(0, bytes(4096, 1)) == 0x020);
}

TEST_CASE("file: cut short under us, what is beyond its end fails until it is whole again") {
  const scratch dir;
  const std::string path = dir.file("disk", 1 << 20);
  backend_rig r("file:" + path);
  CHECK(r.write(0, bytes(1 << 20, 1)) == 0);
  fs::resize_file(path, 300 * 512 + 100);
  std::vector<std::byte> got;
  CHECK(r.read(299, 1, got) == 0);
  CHECK(r.read(300, 1, got) == 0x281);  // Unrecovered Read Error, half of it is there
  CHECK(got.empty());
  CHECK(r.read(0, 2048, got) == 0x281);
  CHECK(r.read(2047, 1, got) == 0x281);
  // A write that made it longer would turn what was lost before it into zeroes.
  CHECK(r.write(1000, bytes(512, 2)) == 0x280);  // Write Fault
  CHECK(r.write(300, bytes(512, 2)) == 0x280);
  CHECK(r.write_zeroes(1500, 10, true) == 0x280);
  CHECK(r.write_zeroes(1500, 10, false) == 0x280);
  CHECK(fs::file_size(path) == 300 * 512 + 100);
  CHECK(r.write(299, bytes(512, 3)) == 0);
  fs::resize_file(path, 1 << 20);
  CHECK(r.write(1000, bytes(512, 2)) == 0);
  CHECK(r.read(1000, 1, got) == 0);
  CHECK(got == bytes(512, 2));
  CHECK(r.write_zeroes(1500, 10, true) == 0);
}

TEST_CASE("file: a limit on the file's size is Capacity Exceeded") {
  const scratch dir;
  const std::string path = dir.file("disk", 1 << 20);
  backend_rig r("file:" + path);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit low{65536, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &low) == 0);
  const unsigned within = r.write(0, bytes(65536, 1));
  const unsigned beyond = r.write(128, bytes(512, 1));
  const unsigned across = r.write(100, bytes(65536, 1));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(within == 0);
  CHECK(beyond == 0x081);
  CHECK(across == 0x081);
  CHECK(r.write(128, bytes(512, 1)) == 0);  // it passes
}

TEST_CASE("file: a full disk is Capacity Exceeded") {
  const scratch dir;
  if (::mount("none", dir.path().c_str(), "tmpfs", 0, "size=262144") != 0) {
    MESSAGE("skipped: mounting a tmpfs needs CAP_SYS_ADMIN");
    return;
  }
  {
    const std::string path = dir.file("disk", 1 << 20);
    backend_rig r("file:" + path);
    CHECK(r.write(0, bytes(131072, 1)) == 0);
    CHECK(r.write(1024, bytes(262144, 1)) == 0x081);
    CHECK(r.get(0, 256) == bytes(131072, 1));
    CHECK(r.deallocate(0, 2048) == 0);
    CHECK(r.write(0, bytes(131072, 2)) == 0);
  }
  ::umount(dir.path().c_str());
}

TEST_CASE(
    "file: many operations at once all end, and the backend may go before its last callback") {
  const scratch dir;
  const std::string path = dir.file("disk", 1 << 20);
  backend_rig r("file:" + path);
  int ended = 0;
  const auto data = bytes(4096, 1);
  for (unsigned i = 0; i < 200; ++i) {
    r.store->write(r.on, (i * 8) % 2048, data, false, [&](nvme_status s) { ended += s.ok(); });
    r.store->read(r.on, (i * 8) % 2048, 8, [&](nvme_status s, buffer) { ended += s.ok(); });
  }
  r.store.reset();
  for (int i = 0; i < 400; ++i) r.on.run_one();
  CHECK(ended == 400);
}

TEST_CASE("file: dropped callbacks leak nothing") {
  const scratch dir;
  const std::string path = dir.file("disk", 1 << 20);
  auto store = *parse_backend("file:" + path);
  auto token = std::make_shared<int>(1);
  {
    backend_rig::waiting_executor on;
    for (int i = 0; i < 20; ++i)
      store->read(on, 0, 8, [token](nvme_status, buffer) { CHECK(false); });
    store.reset();
    // Every job has posted; then the executor goes, with all of them.
    for (int i = 0; i < 20; ++i) on.wait_for_post();
  }
  CHECK(token.use_count() == 1);
}

TEST_CASE("parse_backend: one clear line for each mistake") {
  const scratch dir;
  const std::string odd = dir.file("odd", 4096 + 100), empty = dir.file("empty", 0);
  const std::string half = dir.file("half", 4096 + 512);
  struct row {
    std::string spec, says;
  };
  const row rows[] = {
      {"", "must be ram:SIZE, file:PATH"},
      {"disk", "must be ram:SIZE, file:PATH"},
      {"disk:64M", "must be ram:SIZE, file:PATH"},
      {"ram:", "size"},
      {"ram:0", "size of 0"},
      {"ram:64Q", "size"},
      {"ram:-1", "size"},
      {"ram:1000", "not whole blocks of 512"},
      {"ram:512,bs=4096", "not whole blocks of 4096"},
      {"ram:1M,bs=1024", "bs=1024"},
      {"ram:1M,bs=", "bs"},
      {"ram:1M,ro", "unknown option 'ro'"},
      {"ram:99999999999999999999", "size"},
      {"ram:8388608T", "beyond 4 EiB"},
      {"ram:16777216T", "size"},
      {"null:0", "size of 0"},
      {"pattern:1", "not whole blocks"},
      {"file:", "a path must follow file:"},
      {"file:/nowhere/at/all", "/nowhere/at/all: there is no such file, make it first"},
      {"file:" + dir.path(), "cannot be opened: Is a directory"},
      {"file:" + dir.path() + ",ro", "regular file or a block device"},
      {"file:/dev/null", "regular file or a block device"},
      {"file:" + empty, "size of 0"},
      {"file:" + odd, "4196 bytes is not whole blocks of 512"},
      {"file:" + half + ",bs=4096", "not whole blocks of 4096"},
  };
  for (const row& r : rows) {
    CAPTURE(r.spec);
    const std::string e = error_of(r.spec);
    CAPTURE(e);
    CHECK(e.find(r.says) != std::string::npos);
    CHECK(e.starts_with("namespace '" + r.spec.substr(0, 20)));
    CHECK(e.find('\n') == std::string::npos);
  }
  CHECK((*parse_backend("ram:64M"))->describe() == "ram:64M");
  CHECK((*parse_backend("null:1536K,bs=4096"))->describe() == "null:1536K,bs=4096");
  CHECK((*parse_backend("pattern:512"))->describe() == "pattern:512");
}

TEST_CASE("file: a FIFO is refused at once, and an unreadable file by its reason") {
  const scratch dir;
  const std::string fifo = dir.path() + "/fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(error_of("file:" + fifo).find("regular file") != std::string::npos);
  CHECK(error_of("file:" + fifo + ",ro").find("regular file") != std::string::npos);
  if (::geteuid() == 0) return;  // root reads everything
  const std::string path = dir.file("disk", 4096);
  ::chmod(path.c_str(), 0);
  CHECK(error_of("file:" + path).find("Permission denied") != std::string::npos);
}
