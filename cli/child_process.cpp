// SPDX-License-Identifier: BSD-2-Clause
#include "child_process.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

namespace nvmf::cli {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const std::string& t : texts) list.push_back(const_cast<char*>(t.c_str()));
  list.push_back(nullptr);
  return list;
}

// This process's environment with the additions, which win.
std::vector<std::string> joined(const std::vector<std::string>& additions) {
  std::vector<std::string> all = additions;
  for (char** at = ::environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view now{*at};
    bool replaced = false;
    for (const std::string& a : additions)
      replaced = replaced || now.starts_with(std::string_view{a}.substr(0, a.find('=') + 1));
    if (!replaced) all.emplace_back(now);
  }
  return all;
}

}  // namespace

child_process::child_process(reactor& on, std::move_only_function<void(int)> ended)
    : children_(on.context(), SIGCHLD), ended_(std::move(ended)) {}

std::expected<void, std::string> child_process::start(const std::vector<std::string>& command,
                                                      const std::vector<std::string>& environment) {
  const std::vector<std::string> variables = joined(environment);
  wait();
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, command[0].c_str(), nullptr, nullptr,
                                   pointers(command).data(), pointers(variables).data());
  if (error != 0)
    return std::unexpected(fmt::format("cannot run {}: {}", command[0], std::strerror(error)));
  pid_ = pid;
  return {};
}

void child_process::signal(int number) {
  if (running()) ::kill(pid_, number);
}

void child_process::wait() {
  children_.async_wait([this](const boost::system::error_code& stopped, int) {
    if (stopped) return;
    int status = 0;
    if (!running() || ::waitpid(pid_, &status, WNOHANG) != pid_) return wait();
    pid_ = -1;
    ended_(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  });
}

}  // namespace nvmf::cli
