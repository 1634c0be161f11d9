// SPDX-License-Identifier: BSD-2-Clause
// One program run beside a reactor, which learns of its end.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "core/reactor.hpp"

namespace nvmf::cli {

class child_process {
 public:
  // `ended` runs on `on`, once, with the exit status, or 128 and the number of the signal that
  // ended it.
  child_process(reactor& on, std::move_only_function<void(int)> ended);
  // Does not end the program.
  ~child_process() = default;

  // `environment` ("NAME=value") is added to this process's. The program is looked up in PATH and
  // has this process's standard streams.
  std::expected<void, std::string> start(const std::vector<std::string>& command,
                                         const std::vector<std::string>& environment);
  bool running() const { return pid_ > 0; }
  void signal(int number);

 private:
  void wait();

  boost::asio::signal_set children_;
  std::move_only_function<void(int)> ended_;
  int pid_ = -1;
};

}  // namespace nvmf::cli
