// SPDX-License-Identifier: BSD-2-Clause
// nvmf_gen_docs DIR: writes docs/generated and removes pages that are no more.
// nvmf_gen_docs --check DIR: says what is stale and fails.
// nvmf_gen_docs --self-test DIR: shows in an empty folder that the check can fail.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "pages.hpp"

namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool write_file(const fs::path& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  return static_cast<bool>(out.flush());
}

// The pages of the folder that the rows do not make.
std::vector<fs::path> strangers(const fs::path& dir) {
  const auto pages = nvmf::docs::all_pages();
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(dir))
    if (!pages.contains(entry.path().filename().string())) out.push_back(entry.path());
  return out;
}

int write_all(const fs::path& dir) {
  fs::create_directories(dir);
  for (const auto& [name, text] : nvmf::docs::all_pages()) {
    if (write_file(dir / name, text)) continue;
    fmt::print(stderr, "cannot write {}\n", (dir / name).string());
    return 1;
  }
  for (const fs::path& p : strangers(dir)) fs::remove(p);
  return 0;
}

int check(const fs::path& dir) {
  if (!fs::is_directory(dir)) {
    fmt::print(stderr, "there is no folder {}\n", dir.string());
    return 1;
  }
  int stale = 0;
  for (const auto& [name, text] : nvmf::docs::all_pages()) {
    if (read_file(dir / name) == text) continue;
    fmt::print(stderr, "stale or missing: {}\n", (dir / name).string());
    ++stale;
  }
  for (const fs::path& p : strangers(dir)) {
    fmt::print(stderr, "made from no row: {}\n", p.string());
    ++stale;
  }
  if (stale > 0) fmt::print(stderr, "make them anew with: ninja -C BUILD docs\n");
  return stale > 0 ? 1 : 0;
}

int self_test(const fs::path& dir) {
  fs::remove_all(dir);
  const fs::path page = dir / "table-fes.md";
  bool good = check(dir) != 0;
  good = good && write_all(dir) == 0 && check(dir) == 0;
  good = good && write_file(page, read_file(page) + " ") && check(dir) != 0;
  good = good && write_all(dir) == 0 && fs::remove(page) && check(dir) != 0;
  good = good && write_all(dir) == 0 && write_file(dir / "old.md", "x") && check(dir) != 0;
  good = good && write_all(dir) == 0 && check(dir) == 0;
  fs::remove_all(dir);
  fmt::print(stderr, "self-test {}\n", good ? "passed: the lines above were wanted" : "FAILED");
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> args(argv + 1, argv + argc);
  if (args.size() == 1 && !args[0].starts_with('-')) return write_all(args[0]);
  if (args.size() == 2 && args[0] == "--check") return check(args[1]);
  if (args.size() == 2 && args[0] == "--self-test") return self_test(args[1]);
  fmt::print(stderr, "usage: nvmf_gen_docs [--check | --self-test] DIR\n");
  return 2;
}
