// SPDX-License-Identifier: BSD-2-Clause
// Lines put together to statements: a block is one, from its first line to its `end`.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "../verb.hpp"
#include "../words.hpp"

namespace nvmf::cli::repl {

// What the interpreter does itself; the rest are verbs.
enum class statement_kind : std::uint8_t {
  plain,
  let,
  expect,
  mark,
  if_,
  elif,
  else_,
  end,
  repeat,
  for_,
  source,
  must_fail,
  exit,
};

// Where such a word stands in help. It runs in the interpreter, never by run().
class script_verb final : public verb {
 public:
  script_verb(verb_info info, statement_kind kind) : info_(info), kind_(kind) {}
  const verb_info& info() const override { return info_; }
  statement_kind kind() const { return kind_; }
  done run(workbench& bench, arguments args) const override;

 private:
  verb_info info_;
  statement_kind kind_;
};

struct statement;
struct statement_branch {
  line head;
  std::vector<statement> body;
};
struct statement {
  line at;  // its words have not been taken apart
  statement_kind kind = statement_kind::plain;
  std::vector<statement_branch> branches{};  // of if, repeat and for
};

inline constexpr std::size_t block_depth_max = 64;
inline constexpr std::size_t block_lines_max = 64 * 1024;

// The first word of a line; nothing in an empty line and in a comment.
std::optional<word> first_word(std::string_view text);
// By the first word; what no verb is called is plain and fails when it runs.
statement_kind kind_of(const word& first);
// The line with its first `n` bytes blanked, so that columns of what is left stay as they are.
line without(const line& l, std::size_t n);

class block_reader {
 public:
  // A statement when the line ends one (one that is not within a block does at once); nothing:
  // more lines are needed, or the line is empty. The complaint is of this line, and leaves what
  // was open as it was.
  std::expected<std::optional<statement>, complaint> take(line l);
  bool open() const { return !open_.empty(); }
  // The complaint of an input that ends within a block, and the line that opened that.
  std::pair<complaint, line> unfinished() const;
  void forget();

 private:
  done join(line l, statement_kind kind, const word& first);

  std::vector<statement> open_;  // each within the one before
  std::size_t lines_ = 0;
};

}  // namespace nvmf::cli::repl
