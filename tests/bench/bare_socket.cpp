// SPDX-License-Identifier: BSD-2-Clause
// The bare loopback TCP program that `nvmfctl bench` is measured beside: the same sizes on the
// wire, no protocol. What it reaches is what any implementation over kernel sockets can reach.
//
// Two processes, one connection, TCP_NODELAY. The client keeps `depth` requests on their way and
// sends new ones as replies arrive, all that are due with one send; the server answers all that it
// has read with one send. Polling: non-blocking recv in a loop; else blocking calls. Figures go to
// stdout as JSON; none of them passes or fails anything.
//
//   bare_socket                                    the rows of the usual table
//   bare_socket --request 72 --reply 4120 --depth 32 --poll --server-cpu 0 --client-cpu 1
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/histogram.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

struct row {
  std::size_t request = 72;  // bytes
  std::size_t reply = 24 + 4096;
  std::size_t depth = 1;
  bool poll = false;
};

struct settings {
  std::vector<row> rows;
  double seconds = 3;
  int server_cpu = -1, client_cpu = -1;  // -1: wherever the kernel likes
  std::string congestion{};              // TCP_CONGESTION, empty: the system's
};

struct figures {
  std::uint64_t exchanges = 0;
  double seconds = 0;
  double client_cpu = 0, server_cpu = 0;  // seconds of user and system time
  nvmf::cli::histogram latency_ns{};
};

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "bare_socket: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

void pin(int cpu) {
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0) die("sched_setaffinity");
}

double cpu_seconds(const rusage& use) {
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

// One end of the connection: bytes come in, whole messages are counted, bytes go out. What they
// say does not matter, so one block of memory serves all messages.
class peer {
 public:
  peer(int fd, std::size_t in_size, std::size_t out_size, const row& r)
      : fd_(fd),
        in_size_(in_size),
        out_size_(out_size),
        poll_(r.poll),
        in_room_(std::max<std::size_t>(in_size * r.depth, 65536)),
        out_room_(out_size * r.depth),
        memory_(std::make_unique<char[]>(std::max(in_room_, out_room_))) {
    const int on = 1;
    if (setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0) die("TCP_NODELAY");
    if (poll_ && fcntl(fd_, F_SETFL, O_NONBLOCK) != 0) die("O_NONBLOCK");
  }

  void owe(std::size_t messages) { owed_ += messages * out_size_; }
  // Sends what is owed; polling: as much as the socket takes now.
  void flush() {
    while (owed_ > 0) {
      const ssize_t n = send(fd_, memory_.get(), std::min(owed_, out_room_), MSG_NOSIGNAL);
      if (n > 0) {
        owed_ -= static_cast<std::size_t>(n);
        continue;
      }
      if (poll_ && (errno == EAGAIN || errno == EINTR)) return;
      if (errno == EPIPE || errno == ECONNRESET) {
        owed_ = 0;
        closed_ = true;
        return;
      }
      die("send");
    }
  }
  // Whole messages that have arrived; 0 when nothing has (polling) or the peer has closed.
  std::size_t take() {
    const ssize_t n = recv(fd_, memory_.get(), in_room_, 0);
    if (n < 0) {
      if (errno == EAGAIN || errno == EINTR) return 0;
      if (errno != ECONNRESET) die("recv");
    }
    if (n <= 0) {
      closed_ = true;
      return 0;
    }
    have_ += static_cast<std::size_t>(n);
    const std::size_t whole = have_ / in_size_;
    have_ %= in_size_;
    return whole;
  }
  bool closed() const { return closed_; }

 private:
  int fd_;
  std::size_t in_size_, out_size_;
  bool poll_;
  std::size_t in_room_, out_room_;
  std::unique_ptr<char[]> memory_;
  std::size_t have_ = 0;  // bytes of the message that is arriving
  std::size_t owed_ = 0;  // bytes to be sent
  bool closed_ = false;
};

void serve(int fd, const row& r) {
  peer self(fd, r.request, r.reply, r);
  while (!self.closed()) {
    self.owe(self.take());
    self.flush();
  }
}

// Runs for a while to warm up, then counts for `seconds`.
figures ask(int fd, const row& r, double seconds) {
  peer self(fd, r.reply, r.request, r);
  figures f;
  // When each request on its way was sent; replies come in the same order.
  std::vector<clock_type::time_point> sent(r.depth);
  std::size_t oldest = 0;
  const auto begin = clock_type::now();
  const auto warm = begin + std::chrono::duration_cast<clock_type::duration>(
                                std::chrono::duration<double>(std::min(0.2, seconds / 4)));
  const auto length =
      std::chrono::duration_cast<clock_type::duration>(std::chrono::duration<double>(seconds));
  bool counting = false;
  auto start = begin;
  rusage before{}, after{};
  std::ranges::fill(sent, begin);
  self.owe(r.depth);
  self.flush();
  for (;;) {
    const std::size_t replies = self.take();
    if (self.closed()) die("the server closed");
    if (replies == 0) {
      self.flush();
      continue;
    }
    // One look at the clock for all that came together.
    const auto now = clock_type::now();
    for (std::size_t i = 0; i < replies; ++i) {
      if (counting) f.latency_ns.add(static_cast<std::uint64_t>((now - sent[oldest]).count()));
      sent[oldest] = now;
      oldest = oldest + 1 == r.depth ? 0 : oldest + 1;
    }
    if (counting) f.exchanges += replies;
    if (!counting && now >= warm) {
      counting = true;
      start = now;
      getrusage(RUSAGE_SELF, &before);
    }
    if (counting && now - start >= length) {
      getrusage(RUSAGE_SELF, &after);
      f.seconds = std::chrono::duration<double>(now - start).count();
      f.client_cpu = cpu_seconds(after) - cpu_seconds(before);
      return f;
    }
    self.owe(replies);
    self.flush();
  }
}

void choose_congestion(int fd, const settings& s) {
  if (s.congestion.empty()) return;
  if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, s.congestion.data(),
                 static_cast<socklen_t>(s.congestion.size())) != 0)
    die("TCP_CONGESTION");
}

figures run(const row& r, const settings& s) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) die("socket");
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  auto* const address = reinterpret_cast<sockaddr*>(&at);
  choose_congestion(listener, s);
  if (bind(listener, address, size) != 0 || listen(listener, 1) != 0 ||
      getsockname(listener, address, &size) != 0)
    die("listen");
  const pid_t server = fork();
  if (server < 0) die("fork");
  if (server == 0) {
    pin(s.server_cpu);
    const int fd = accept(listener, nullptr, nullptr);
    if (fd < 0) die("accept");
    serve(fd, r);
    _exit(0);
  }
  close(listener);
  pin(s.client_cpu);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  choose_congestion(fd, s);
  if (connect(fd, address, size) != 0) die("connect");
  figures f = ask(fd, r, s.seconds);
  close(fd);
  int status = 0;
  rusage use{};
  if (wait4(server, &status, 0, &use) != server || status != 0) {
    std::fprintf(stderr, "bare_socket: the server failed\n");
    std::exit(1);
  }
  f.server_cpu = cpu_seconds(use);
  return f;
}

void print(const row& r, const figures& f, bool first) {
  const auto count = static_cast<double>(std::max<std::uint64_t>(f.exchanges, 1));
  const auto us = [&](double share) {
    return static_cast<double>(f.latency_ns.percentile(share)) / 1e3;
  };
  const double rate = count / f.seconds;
  std::printf("%s\n    {\"request\": %zu, \"reply\": %zu, \"depth\": %zu, \"poll\": %s, ",
              first ? "" : ",", r.request, r.reply, r.depth, r.poll ? "true" : "false");
  std::printf("\"iops\": %.0f, \"mib_per_s\": %.1f, \"mean_us\": %.2f, ", rate,
              rate * static_cast<double>(std::max(r.request, r.reply)) / 1048576,
              f.latency_ns.mean() / 1e3);
  // The server's time includes the warm-up and is therefore slightly high.
  std::printf("\"p50_us\": %.2f, \"p99_us\": %.2f, \"p99_9_us\": %.2f, ", us(0.5), us(0.99),
              us(0.999));
  std::printf("\"client_cpu_us\": %.3f, \"server_cpu_us\": %.3f, \"seconds\": %.2f}",
              f.client_cpu * 1e6 / count, f.server_cpu * 1e6 / count, f.seconds);
  std::fflush(stdout);
}

std::vector<row> usual_rows() {
  std::vector<row> rows;
  for (const bool poll : {true, false})
    for (const row& r : {row{72, 24 + 4096, 1}, row{72, 24 + 4096, 32}, row{72 + 4096, 24, 1},
                         row{72 + 4096, 24, 32}, row{72, 24 + 131072, 8}}) {
      rows.push_back(r);
      rows.back().poll = poll;
    }
  return rows;
}

[[noreturn]] void usage(const char* why) {
  std::fprintf(stderr,
               "bare_socket: %s\n"
               "usage: bare_socket [--request BYTES --reply BYTES --depth N [--poll]]\n"
               "                   [--seconds S] [--server-cpu N] [--client-cpu N]\n"
               "                   [--congestion NAME]\n"
               "Without sizes: the usual rows, polling and blocking.\n",
               why);
  std::exit(2);
}

template <class T>
T number(std::string_view text, T least, T most) {
  T value{};
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (bad != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    usage("a number is malformed or out of range");
  return value;
}

settings parse(int argc, char** argv) {
  settings s;
  row r;
  bool sizes = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--poll") {
      r.poll = sizes = true;
      continue;
    }
    if (i + 1 == argc) usage("an option is unknown or has no value");
    const std::string_view value = argv[++i];
    constexpr std::size_t largest = 64u << 20;
    if (option == "--seconds") {
      s.seconds = number(value, 0.01, 3600.0);
    } else if (option == "--server-cpu") {
      s.server_cpu = number(value, 0, CPU_SETSIZE - 1);
    } else if (option == "--client-cpu") {
      s.client_cpu = number(value, 0, CPU_SETSIZE - 1);
    } else if (option == "--congestion") {
      s.congestion = value;
    } else {
      sizes = true;
      if (option == "--request")
        r.request = number<std::size_t>(value, 1, largest);
      else if (option == "--reply")
        r.reply = number<std::size_t>(value, 1, largest);
      else if (option == "--depth")
        r.depth = number<std::size_t>(value, 1, 4096);
      else
        usage("an option is unknown or has no value");
    }
  }
  s.rows = sizes ? std::vector{r} : usual_rows();
  return s;
}

}  // namespace

int main(int argc, char** argv) {
  const settings s = parse(argc, argv);
  std::printf("{\"schema\": \"nvmfctl-bare-socket-1\", \"rows\": [");
  std::fflush(stdout);  // the children must not print it again
  for (std::size_t i = 0; i < s.rows.size(); ++i) print(s.rows[i], run(s.rows[i], s), i == 0);
  std::printf("\n]}\n");
  return 0;
}
