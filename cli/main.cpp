// SPDX-License-Identifier: BSD-2-Clause
// The process: its streams, its transports, its exit status. Nothing else touches them.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>

#include "app.hpp"
#include "transports.hpp"

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

bool is_dumb() {
  const std::string type = variable("TERM");
  return type.empty() || type == "dumb";
}

// The first of them that is set decides (POSIX, 8.2).
bool says_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (const std::string told = variable(name); !told.empty())
      return told.ends_with("UTF-8") || told.ends_with("utf8");
  return false;
}

std::optional<nvmf::cli::terminal> person() {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) return std::nullopt;
  return nvmf::cli::terminal{STDIN_FILENO, STDOUT_FILENO, is_dumb()};
}

std::optional<int> slow_in() {
  struct stat about{};
  if (::fstat(STDIN_FILENO, &about) != 0) return std::nullopt;
  const bool slow =
      S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode) || ::isatty(STDIN_FILENO) == 1;
  return slow ? std::optional{STDIN_FILENO} : std::nullopt;
}

std::string state_home() {
  const std::string told = variable("XDG_STATE_HOME"), home = variable("HOME");
  if (told.starts_with('/')) return told;  // others are not valid, says the XDG specification
  return home.empty() ? "" : home + "/.local/state";
}

// Before a command runs nobody else has an answer to this, and an exception may have no room
// either.
[[noreturn]] void no_memory_to_begin() {
  constexpr std::string_view sentence =
      "nvmfctl: out of memory before it began; ulimit -v shows the limit\n";
  (void)!::write(STDERR_FILENO, sentence.data(), sentence.size());
  ::_exit(static_cast<int>(nvmf::cli::exit_status::internal_error));
}
std::terminate_handler ordinary_end = nullptr;
void begin() { ordinary_end = std::set_terminate(no_memory_to_begin); }
// Libraries allocate before main, and before anything else of ours: this comes before them.
[[gnu::section(".preinit_array"), gnu::used]] void (*const first_of_all)() = begin;

}  // namespace

int main(int argc, char** argv) try {
  using namespace nvmf::cli;
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  const surroundings world{
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
      .err_is_terminal = ::isatty(STDERR_FILENO) == 1,
      .no_color = !variable("NO_COLOR").empty(),
      .default_uri = variable("NVMF_URI"),
      .person = person(),
      .in_descriptor = STDIN_FILENO,
      .state_home = state_home(),
      .slow_in = slow_in(),
      .unicode = says_utf8(),
      .out_terminal = ::isatty(STDOUT_FILENO) == 1 && !is_dumb() ? STDOUT_FILENO : -1,
      .sudo_uid = variable("SUDO_UID"),
      .sudo_gid = variable("SUDO_GID"),
  };
  nvmf::transport_registry transports;
  add_transports(transports);
  const std::vector<std::string> words(argv + 1, argv + argc);
  std::set_terminate(ordinary_end);
  return static_cast<int>(run_app(words, world, transports));
} catch (const std::bad_alloc&) {
  no_memory_to_begin();
}
