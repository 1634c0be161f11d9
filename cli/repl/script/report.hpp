// SPDX-License-Identifier: BSD-2-Clause
// Expectations that were met and those that were not: counted, printed as TAP while the script
// runs, written as JUnit's XML at its end.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace nvmf::cli::repl {

// One expectation, or another line that failed.
struct tested {
  std::string name;  // "c1.status == success"
  std::string source;
  std::size_t number = 0;
  bool met = true;
  std::string why{};                   // not met: a sentence
  std::vector<std::string> details{};  // and what was found, line by line
  std::chrono::nanoseconds took{};
};

class report {
 public:
  static constexpr std::size_t kept_max = 65536;  // for JUnit; more are counted

  // Lines of TAP go there.
  void tap_to(std::function<void(std::string_view)> print);
  // Keep what write_junit needs.
  void keep() { keeping_ = true; }

  void add(tested o);
  // The plan.
  void end();
  std::string junit(std::string_view suite) const;

  std::size_t met() const { return met_; }
  std::size_t unmet() const { return unmet_; }

 private:
  std::function<void(std::string_view)> tap_;
  bool keeping_ = false;
  std::size_t met_ = 0, unmet_ = 0;
  std::vector<tested> kept_;
};

}  // namespace nvmf::cli::repl
