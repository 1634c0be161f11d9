// SPDX-License-Identifier: BSD-2-Clause
// A line typed at a terminal. libedit stands behind this file, and nothing else knows it.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nvmf::cli::repl {

// What Tab may put in the place of the word before the cursor.
struct completions {
  std::size_t from = 0;            // byte of the text where that word, or its last part, begins
  std::vector<std::string> words;  // that begin like it
};

class line_editor {
 public:
  struct hooks {
    // The next byte of the terminal, which it waits for; nothing: there is a reason to stop.
    std::function<std::optional<char>()> next_byte;
    // Is a byte there that needs no wait?
    std::function<bool()> more;
    // Drawn before the text, computed anew each time; may hold colours, but not at its end.
    std::function<std::string()> prompt;
    std::function<completions(std::string_view before_cursor)> complete;
    // Shows what Tab found, when it is more than one thing.
    std::function<void(const std::vector<std::string>&)> list;
  };

  // Descriptors of the terminal, which stay the caller's. Until the destructor the terminal does
  // not echo, so that what is typed ahead shows once, at the prompt that it is for.
  line_editor(int in, int out, hooks h);
  ~line_editor();
  line_editor(const line_editor&) = delete;
  line_editor& operator=(const line_editor&) = delete;

  // A line without its end; nothing: end of file, or next_byte gave none.
  std::optional<std::string> read();
  void remember(const std::string& line);

  // While read() waits for a byte: takes prompt and text off the screen, and draws them again.
  void hide();
  void show();
  // Puts the cursor behind all of the text, for what ends a line that is given up.
  void leave_line();
  // The terminal has another size.
  void resize();
  // Someone else has had the terminal: the shell, after Ctrl-Z.
  void reclaim();
  unsigned columns() const;

  struct state;  // of libedit, in line_editor.cpp

 private:
  std::unique_ptr<state> state_;
};

}  // namespace nvmf::cli::repl
