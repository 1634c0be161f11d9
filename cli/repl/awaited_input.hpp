// SPDX-License-Identifier: BSD-2-Clause
// Lines that come slowly: from a pipe or a terminal, while the reactor runs. Keep alives leave, and
// callbacks fire, until the next line is there.
#pragma once

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <istream>
#include <memory>
#include <streambuf>

namespace nvmf::cli::repl {

class workbench;

// Reads a descriptor, which stays the caller's. At an interrupt the input ends, and the interrupt
// is left for workbench::take_interrupt().
class awaited_bytes final : public std::streambuf {
 public:
  awaited_bytes(workbench& bench, int descriptor);
  ~awaited_bytes() override;

 protected:
  int_type underflow() override;

 private:
  bool wait();

  workbench& bench_;
  boost::asio::posix::stream_descriptor input_;
  std::array<char, 4096> bytes_{};
  bool waiting_ = false, readable_ = false;
};

// The lines of standard input: awaited when they may come slowly, else just read.
class script_input {
 public:
  explicit script_input(workbench& bench);
  std::istream& stream() { return awaited_ ? *awaited_ : plain_; }

 private:
  std::istream& plain_;
  std::unique_ptr<awaited_bytes> bytes_;
  std::unique_ptr<std::istream> awaited_;
};

}  // namespace nvmf::cli::repl
