// SPDX-License-Identifier: BSD-2-Clause
#include "awaited_input.hpp"

#include <unistd.h>

#include <cerrno>

#include "workbench.hpp"

namespace nvmf::cli::repl {

awaited_bytes::awaited_bytes(workbench& bench, int descriptor)
    : bench_(bench), input_(bench.on().context(), ::dup(descriptor)) {}

awaited_bytes::~awaited_bytes() {
  boost::system::error_code ignored;
  input_.cancel(ignored);
  bench_.settle();  // what was due already finds this object
}

// False: interrupted.
bool awaited_bytes::wait() {
  if (!waiting_ && !readable_) {
    waiting_ = true;
    input_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [this](const boost::system::error_code& e) {
                        if (e == boost::asio::error::operation_aborted) return;
                        waiting_ = false;
                        readable_ = true;
                        bench_.stop_waiting();
                      });
  }
  // What is due may be an interrupt, or that it is readable already.
  if (bench_.take_interrupt()) return false;
  if (!readable_ && !bench_.run_until_stopped([] {})) return false;
  readable_ = false;
  return true;
}

awaited_bytes::int_type awaited_bytes::underflow() {
  if (gptr() < egptr()) return traits_type::to_int_type(*gptr());
  for (;;) {
    if (!wait()) {
      bench_.interrupt();
      return traits_type::eof();
    }
    const ssize_t n = ::read(input_.native_handle(), bytes_.data(), bytes_.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return traits_type::eof();
    setg(bytes_.data(), bytes_.data(), bytes_.data() + n);
    return traits_type::to_int_type(*gptr());
  }
}

script_input::script_input(workbench& bench) : plain_(bench.world().in) {
  if (!bench.world().slow_in) return;
  bytes_ = std::make_unique<awaited_bytes>(bench, *bench.world().slow_in);
  awaited_ = std::make_unique<std::istream>(bytes_.get());
}

}  // namespace nvmf::cli::repl
