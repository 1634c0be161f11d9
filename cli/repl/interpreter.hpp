// SPDX-License-Identifier: BSD-2-Clause
// Runs the lines of the language: statements and blocks itself, all else as verbs. A person's
// mistake is told and the session goes on; a script stops at its first, unless told otherwise.
#pragma once

#include <istream>

#include "script/expression.hpp"
#include "script/report.hpp"
#include "script/statement.hpp"
#include "script/variables.hpp"
#include "verb.hpp"

namespace nvmf::cli::repl {

class workbench;

class interpreter {
 public:
  explicit interpreter(workbench& bench);

  // Where a line failed.
  struct stop {
    complaint why;
    std::string source;
    std::size_t number = 0;
  };
  static constexpr std::size_t failures_max = 1000;  // that are kept
  // The last line that was wrong, and all of them, in order.
  const std::optional<stop>& last_stop() const { return last_stop_; }
  const std::vector<stop>& failures() const { return failures_; }
  std::size_t lines_run() const { return lines_run_; }
  // Of expectations.
  report& tests() { return report_; }
  const report& tests() const { return report_; }
  variables& vars() { return variables_; }
  // A line that fails does not stop a script; run_stream() and finish() answer with the first.
  void keep_going(bool on) { keep_going_ = on; }
  bool keeps_going() const { return keep_going_; }

  // One line. When it ends a statement (it is one, or the `end` of a block) that is run; within a
  // block nothing runs yet. The complaint has been told already.
  enum class fed : std::uint8_t { ran, needs_more };
  std::expected<fed, complaint> feed(std::string text, std::string source, std::size_t number);
  bool in_block() const { return reader_.open(); }
  // Lets go of a block that has been begun: Ctrl-C at a prompt.
  void forget_block() { reader_.forget(); }
  // No more lines follow: a complaint when a block is open.
  done finish();

  // As feed().
  done run_line(std::string text, std::string source, std::size_t number);
  // All lines of `in`, joined at backslashes, until one is wrong, `exit` or `quit`. It is a
  // complaint if a block of it has no end.
  done run_stream(std::istream& in, const std::string& source);
  // The lines of the file `path`, which what it sources is looked for beside; "-": standard input.
  done run_script(std::istream& in, const std::string& path);

  // The value of `text` from column `from` on.
  std::expected<value, complaint> value_of(std::string_view text, std::size_t from,
                                           std::vector<compared>* made = nullptr);

 private:
  done take(block_reader& reader, std::string text, const std::string& source, std::size_t number);
  // Told, counted, and kept; `as` it stands in the report, `found` behind the message only.
  std::unexpected<complaint> fail(complaint c, const line& l, tested as = {},
                                  const std::vector<std::string>& found = {});
  void tell(const complaint& c, const line& l, const std::vector<std::string>& details);
  done split(line& l);
  names_of_words names();
  std::optional<std::expected<value, std::string>> path(std::string_view text);
  std::vector<std::string> last_events() const;

  // One for each kind of statement, in script/execute.cpp; complaints have not been told.
  done execute(const statement& s);
  done execute_body(const std::vector<statement>& body);
  done simple(const statement& s);
  done plain(line l);
  done let(const line& l, const word& first);
  done set_mark(line l);
  done source(line l);
  done must_fail(const line& l, const word& first);
  done exit_by(line l);
  // These tell by themselves.
  done expect(const line& l, const word& first);
  done expect_event(line l);
  done conditional(const statement& s);
  done repeat(const statement& s);
  done loop(const statement& s);
  done one_round(const statement& s);
  done met(tested o, const line& l, complaint why);

  workbench& bench_;
  variables variables_;
  report report_;
  block_reader reader_;
  std::optional<stop> last_stop_;
  std::vector<stop> failures_;
  std::optional<complaint> failure_;  // that must-fail waited for
  std::vector<std::string> files_;    // that are being read, each by a `source` of the one before
  std::uint64_t mark_ = 0;            // `expect event` looks at events from this one on
  std::size_t lines_run_ = 0;         // with words in them
  std::size_t quiet_ = 0;             // failures are waited for and not told
  bool keep_going_ = false;
};

// Takes a line end off, also one with a carriage return. False: the text goes on in the next line.
bool complete_line(std::string& text);

}  // namespace nvmf::cli::repl
