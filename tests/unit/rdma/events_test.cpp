// SPDX-License-Identifier: BSD-2-Clause
// Work requests in the stream of events, between the capsules that they belong to.
#include <fmt/format.h>

#include "pair.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

class recorder final : public observer {
 public:
  void on_event(const event& e) noexcept override {
    const bool work = e.type == event_type::work_posted || e.type == event_type::work_done;
    if (!work && e.type != event_type::command_in && e.type != event_type::response_out &&
        e.type != event_type::command_out && e.type != event_type::response_in)
      return;
    std::string line{event_name(e.type)};
    if (work) line += fmt::format(" {} {} cid {}", e.text, e.a, e.cid);
    if (work && e.b != 0) line += " with a key";
    if (e.error) line += " " + e.error.message();
    of[e.qpair].push_back(std::move(line));
  }
  std::map<std::uint32_t, std::vector<std::string>> of;
};

// The same parameters serve both ends of a pair.
struct watched : rdma_pair {
  explicit watched(fake_fabric with = {}) : rdma_pair(with, {.piece_bytes = 8192}) {
    params.watched_by = &seen;
    REQUIRE(connect());
    start();
    seen.of.clear();
  }
  ~watched() { end(); }
  // What the end has to tell of one command, by the event that only it tells.
  std::vector<std::string> of_command(int code, std::size_t bytes, std::string_view end) {
    seen.of.clear();
    send(code, bytes);
    run();
    for (const auto& [qpair, told] : seen.of)
      if (std::ranges::find(told, end) != told.end()) return told;
    return {};
  }
  recorder seen;
};

using lines = std::vector<std::string>;
constexpr std::string_view host = "command-out", controller = "command-in";

}  // namespace

TEST_CASE("rdma events: a read is WRITEs by the controller, and then its response") {
  watched p;
  CHECK(p.of_command(2, 10'000, controller) == lines{
                                                   "command-in",
                                                   "work-posted RDMA WRITE 8192 cid 0 with a key",
                                                   "work-posted RDMA WRITE 1808 cid 0 with a key",
                                                   "response-out",
                                                   "work-posted SEND 16 cid 0",
                                                   "work-done RDMA WRITE 8192 cid 0 with a key",
                                                   "work-done RDMA WRITE 1808 cid 0 with a key",
                                                   "work-done SEND 16 cid 0",
                                               });
  CHECK(p.of_command(2, 10'000, host) == lines{
                                             "command-out",
                                             "work-posted SEND 64 cid 1",
                                             "work-done SEND 64 cid 1",
                                             "response-in",
                                         });
}

TEST_CASE("rdma events: a write is READs by the controller; what is in a capsule needs none") {
  watched p;
  CHECK(p.of_command(1, 5'000, controller) == lines{
                                                  "command-in",
                                                  "work-posted RDMA READ 5000 cid 0 with a key",
                                                  "work-done RDMA READ 5000 cid 0 with a key",
                                                  "response-out",
                                                  "work-posted SEND 16 cid 0",
                                                  "work-done SEND 16 cid 0",
                                              });
  const lines small = p.of_command(1, 1'000, host);
  REQUIRE(small.size() == 4);
  CHECK(small[1] == "work-posted SEND 1064 cid 1");
}

TEST_CASE("rdma events: a key that is lent, and taken back") {
  fake_fabric with;
  with.limits.windows = true;
  watched p(with);
  const lines lent = p.of_command(2, 5'000, host);
  REQUIRE(lent.size() == 6);
  CHECK(lent[1] == "work-posted BIND 5000 cid 0 with a key");
  CHECK(std::ranges::count(p.of_command(2, 5'000, controller),
                           "work-posted SEND with invalidate 16 cid 1 with a key") == 1);
}

TEST_CASE("rdma events: why a work request failed") {
  watched p;
  p.fabric->fails = {.side = role::controller,
                     .number = p.fabric->work_done[1] + 2,  // after the receive of the command
                     .status = rdma::work_status::remote_access};
  CHECK(std::ranges::count(p.of_command(2, 5'000, controller),
                           "work-done remote access error 5000 cid 0 with a key " +
                               make_error_code(errc::reset).message()) == 1);
}

TEST_CASE("rdma events: a work request has its capsule or the memory it is about, and its data") {
  struct last final : observer {
    void on_event(const event& e) noexcept override {
      if (e.type != event_type::work_posted && e.type != event_type::work_done) return;
      header.assign(e.header.begin(), e.header.end());
      std::size_t bytes = 0;
      for (const segment& s : e.data) bytes += s.size;
      const std::string key = fmt::format("{} {}", e.type == event_type::work_done, e.text);
      headers[key] = header;
      carried[key] = bytes;
    }
    std::vector<std::byte> header;
    std::map<std::string, std::vector<std::byte>> headers;
    std::map<std::string, std::size_t> carried;
  } seen;
  rdma_pair p;
  p.params.watched_by = &seen;
  REQUIRE(p.connect());
  p.start();
  p.send(2, 5'000);
  p.run();
  const auto& about = seen.headers["false RDMA WRITE"];
  REQUIRE(about.size() == 16);
  // 5000 bytes, type 4 (Base 4.1.2).
  CHECK(about[8] == std::byte{0x88});
  CHECK(about[9] == std::byte{0x13});
  CHECK(about[15] == std::byte{0x40});
  CHECK(seen.carried["false RDMA WRITE"] == 5'000);
  p.send(1, 5'000);
  p.run();
  CHECK(seen.headers["false RDMA READ"].size() == 16);
  CHECK(seen.carried["false RDMA READ"] == 0);
  CHECK(seen.carried["true RDMA READ"] == 5'000);
  CHECK(seen.headers["false SEND"].size() == 16);  // the response
  CHECK(seen.carried["false SEND"] == 0);
}
