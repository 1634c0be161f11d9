// SPDX-License-Identifier: BSD-2-Clause
#include "lookup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

namespace nvmf {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

error_code last_error() { return {errno, boost::system::system_category()}; }

error_code of_resolver(int code) {
  switch (code) {
    case EAI_SYSTEM:
      return last_error();
    case EAI_AGAIN:
      return asio::error::host_not_found_try_again;
    case EAI_FAIL:
      return asio::error::no_recovery;
    case EAI_MEMORY:
      return asio::error::no_memory;
    default:
      return asio::error::host_not_found;
  }
}

// Shared with the thread, which may outlive everything else.
struct question {
  std::string host, port;
  int wake = -1;  // an eventfd
  std::mutex lock;
  error_code error;
  lookup::addresses found;

  question() = default;
  question(const question&) = delete;
  question& operator=(const question&) = delete;
  ~question() {
    if (wake >= 0) ::close(wake);
  }

  void answer() {
    addrinfo hints{};
    hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
    const error_code why = code == 0 ? error_code{} : of_resolver(code);
    const std::scoped_lock hold{lock};
    error = why;
    for (const addrinfo* a = list; a != nullptr; a = a->ai_next) {
      tcp::endpoint at;
      if (a->ai_addrlen > at.capacity()) continue;
      std::memcpy(at.data(), a->ai_addr, a->ai_addrlen);
      at.resize(a->ai_addrlen);
      found.push_back(at);
    }
    if (list != nullptr) ::freeaddrinfo(list);
    const std::uint64_t one = 1;
    // It cannot block: the count goes from 0 to 1.
    [[maybe_unused]] const auto written = ::write(wake, &one, sizeof one);
  }
};

// Signals are for the threads that wait for them.
class signals_blocked {
 public:
  signals_blocked() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  signals_blocked(const signals_blocked&) = delete;
  signals_blocked& operator=(const signals_blocked&) = delete;
  ~signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

error_code start_thread(const std::shared_ptr<question>& asked) {
  const signals_blocked while_it_starts;
  try {
    std::thread{[asked] { asked->answer(); }}.detach();
  } catch (const std::system_error& e) {
    return {e.code().value(), boost::system::system_category()};
  }
  return {};
}

}  // namespace

void lookup::start(const std::string& host, std::uint16_t port, callback done) {
  const auto asked = std::make_shared<question>();
  asked->host = host;
  asked->port = fmt::to_string(port);
  asked->wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int watched = asked->wake < 0 ? -1 : ::fcntl(asked->wake, F_DUPFD_CLOEXEC, 0);
  error_code failed = watched < 0 ? last_error() : error_code{};
  if (!failed) {
    arrived_.assign(watched, failed);
    if (failed) ::close(watched);
  }
  if (!failed) failed = start_thread(asked);
  if (failed) {
    asio::post(arrived_.get_executor(), [done = std::move(done), failed] { done(failed, {}); });
    return;
  }
  arrived_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [this, asked, done = std::move(done)](const error_code& stopped) {
                        if (stopped || !arrived_.is_open()) return;  // or cancelled meanwhile
                        cancel();
                        std::unique_lock hold{asked->lock};
                        const error_code error = asked->error;
                        addresses found = std::move(asked->found);
                        hold.unlock();
                        done(error, std::move(found));
                      });
}

void lookup::cancel() {
  error_code ignored;
  arrived_.close(ignored);
}

}  // namespace nvmf
