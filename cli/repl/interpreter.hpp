// SPDX-License-Identifier: BSD-2-Clause
// Runs lines. A person's mistake is told and the session goes on; a script stops at its first.
#pragma once

#include <istream>

#include "verb.hpp"

namespace nvmf::cli::repl {

class workbench;

class interpreter {
 public:
  explicit interpreter(workbench& bench) : bench_(bench) {}

  // Where it stopped.
  struct stop {
    complaint why;
    std::string source;
    std::size_t number = 0;
  };
  const std::optional<stop>& last_stop() const { return last_stop_; }
  std::size_t lines_run() const { return lines_run_; }

  // One whole line. The complaint has been told already.
  done run_line(std::string text, std::string source, std::size_t number);
  // All lines of `in`, joined at backslashes, until one is wrong or `quit`.
  done run_stream(std::istream& in, const std::string& source);

 private:
  void tell(const complaint& c, const line& l);

  workbench& bench_;
  std::optional<stop> last_stop_;  // the last line that was wrong
  std::size_t lines_run_ = 0;      // with words in them
};

// Takes a line end off, also one with a carriage return. False: the text goes on in the next line.
bool complete_line(std::string& text);

}  // namespace nvmf::cli::repl
