// SPDX-License-Identifier: BSD-2-Clause
// A stream to the terminal, whoever writes to it, while a line may be being typed there: whole
// lines are printed above the prompt.
#pragma once

#include <functional>
#include <ostream>
#include <streambuf>
#include <string>

namespace nvmf::cli::repl {

class above_prompt final : public std::streambuf {
 public:
  // Takes the place of the buffer of `of`. `print` is called around the printing: it is given what
  // prints, and takes the prompt away before, if there is one. `may_wait`: is there one?
  above_prompt(std::ostream& of, std::function<bool()> prompted,
               std::function<void(const std::function<void()>&)> print)
      : of_(of), below_(of.rdbuf(this)), prompted_(std::move(prompted)), print_(std::move(print)) {}
  ~above_prompt() override {
    pass(text_.size());
    of_.rdbuf(below_);
  }
  above_prompt(const above_prompt&) = delete;
  above_prompt& operator=(const above_prompt&) = delete;

 protected:
  int_type overflow(int_type c) override {
    if (!traits_type::eq_int_type(c, traits_type::eof())) text_ += traits_type::to_char_type(c);
    return traits_type::not_eof(c);
  }
  std::streamsize xsputn(const char* s, std::streamsize n) override {
    text_.append(s, static_cast<std::size_t>(n));
    return n;
  }
  int sync() override {
    if (text_.empty()) return below_->pubsync();
    if (!prompted_()) return pass(text_.size());
    const std::size_t lines = text_.rfind('\n') + 1;  // a part of one waits for the rest
    int result = 0;
    if (lines > 0) print_([&] { result = pass(lines); });
    return result;
  }

 private:
  int pass(std::size_t bytes) {
    const auto n = static_cast<std::streamsize>(bytes);
    const bool good = below_->sputn(text_.data(), n) == n && below_->pubsync() == 0;
    text_.erase(0, bytes);
    return good ? 0 : -1;
  }

  std::ostream& of_;
  std::streambuf* below_;
  std::function<bool()> prompted_;
  std::function<void(const std::function<void()>&)> print_;
  std::string text_;
};

}  // namespace nvmf::cli::repl
