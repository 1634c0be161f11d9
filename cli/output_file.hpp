// SPDX-License-Identifier: BSD-2-Clause
// Files are written whole or not at all: into a temporary file beside the target, which is renamed
// over it when every byte is there. A failure leaves what was there before.
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <vector>

namespace nvmf::cli {

// The error names the file and says why. A target that is not a regular file (a pipe, /dev/null) is
// written in place.
std::expected<void, std::string> write_file(const std::string& path,
                                            std::span<const std::byte> bytes);

// The same for what comes piece by piece: nothing stands under its name before commit(), and
// nothing is left of it without one. What is not a regular file gets the bytes as they come.
class output_file {
 public:
  static std::expected<output_file, std::string> create(const std::string& path);
  output_file(output_file&& other) noexcept;
  output_file& operator=(output_file&&) = delete;
  ~output_file();

  // An error is kept, and told by commit(); nothing is written after one, and what was is gone at
  // once: a disk may be full.
  void write(std::span<const std::byte> bytes);
  // Not a regular file: somebody may read it while it is written.
  bool is_read_along() const { return temporary_.empty(); }
  // What is kept back to be written in larger pieces leaves, where it is read along.
  void flush();
  bool failed() const { return error_ != 0; }
  // Why, with the name of the file.
  std::string trouble() const;
  std::expected<void, std::string> commit();
  const std::string& path() const { return path_; }

 private:
  output_file(std::string path, std::string temporary, int fd, unsigned mode);
  void empty();
  void write_now(std::span<const std::byte> bytes);

  std::string path_;
  std::string temporary_;  // empty: written in place
  int fd_;
  unsigned mode_;
  int error_ = 0;
  std::vector<std::byte> buffer_;
};

// Could write_file() do its part? Asked before the work whose result would be lost.
std::expected<void, std::string> check_writable(const std::string& path);

// Reads at most `most` bytes; a longer file is an error.
std::expected<std::vector<std::byte>, std::string> read_file(const std::string& path,
                                                             std::size_t most);

}  // namespace nvmf::cli
