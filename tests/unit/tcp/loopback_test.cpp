// SPDX-License-Identifier: BSD-2-Clause
// Host and controller over real sockets: every way that data travels, with every combination of
// digests and alignments.
#include "loopback.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

// A controller that keeps one area of memory: opcode 01h writes it, 02h reads it, 00h does nothing.
class tiny_controller {
 public:
  tiny_controller(qpair& q, std::size_t size) : q_(q), area(size) {
    q_.start({.on_receive = [this](capsule c) { take(std::move(c)); },
              .on_error =
                  [this](const qpair_error& e) {
                    ++errors;
                    error = e;
                  }});
  }

  std::vector<std::byte>& memory() { return area; }
  int errors = 0;
  qpair_error error{};
  std::vector<nvme_status> statuses{};

 private:
  void take(capsule c) {
    const auto status = q_.validate_command(c);
    statuses.push_back(status);
    if (!status.ok()) return respond(c, status);
    const auto opcode = std::to_integer<unsigned>(c.sqe()[0]);
    const std::uint32_t length = q_.data_length(c);
    if (opcode == 1 && length > 0) {
      auto held = std::make_shared<capsule>(std::move(c));
      const auto refused = q_.receive_controller_data(
          *held, 0, memdesc::of(std::span{area}.first(length)), length,
          [this, held](std::size_t, std::error_code e) {
            respond(*held, e ? nvme_status{status_code::transient_transport_error} : nvme_status{});
          });
      REQUIRE_FALSE(refused);
      return;
    }
    if (opcode == 2) {
      // In two uneven parts, to have more than one call.
      const std::uint32_t first = length / 3;
      if (first > 0) {
        const auto answer =
            q_.send_controller_data(c, 0, buffer({area.data(), first}, nullptr, nullptr));
        CHECK(answer.result == send_result::more);
      }
      const auto answer = q_.send_controller_data(
          c, first, buffer({area.data() + first, length - first}, nullptr, nullptr));
      if (answer.result == send_result::success_sent) return;
      CHECK(answer.result == send_result::success);
    }
    respond(c, {});
  }
  void respond(const capsule& c, nvme_status status) {
    cqe_bytes cqe{};
    wire::set<wire::cqe_layout, "cid">(cqe, c.cid());
    wire::store_le(cqe, 14, 2, status.cqe_word());
    auto response = q_.allocate_response(cqe);
    REQUIRE(response.has_value());
    REQUIRE_FALSE(q_.transmit_response(std::move(*response)));
  }

  qpair& q_;
  std::vector<std::byte> area;
};

// A host that runs requests and stops the reactor when all have come back.
class tiny_host {
 public:
  explicit tiny_host(loopback& net) : net_(net), q_(net.host) {
    q_.start({.on_receive = [this](capsule c) { answered(std::move(c)); },
              .on_error =
                  [this](const qpair_error& e) {
                    ++errors;
                    error = e;
                    net_.stop();
                  }});
  }
  request& run(std::uint8_t opcode, const memdesc& memory, direction way) {
    auto& r = *requests_.emplace_back(std::make_unique<request>());
    auto c = q_.allocate_command(sqe_of(opcode));
    REQUIRE(c.has_value());
    r.command = std::move(*c);
    REQUIRE_FALSE(q_.append_data(r.command, memory, memory.size(), way, r.data.hook()));
    REQUIRE_FALSE(q_.transmit(r.command));
    ++out_;
    return r;
  }
  int errors = 0;
  qpair_error error{};

 private:
  void answered(capsule c) {
    for (auto& r : requests_) {
      if (!r->command || r->command.cid() != c.cid()) continue;
      r->cqe.emplace();
      std::ranges::copy(c.cqe(), r->cqe->begin());
      r->sqhd_valid = c.sqhd_valid();
      r->command.reset();
    }
    if (--out_ == 0) net_.stop();
  }
  loopback& net_;
  qpair& q_;
  std::vector<std::unique_ptr<request>> requests_{};
  int out_ = 0;
};

void exchange_all(const transport_options& wants, const transport_options& has, bool polling) {
  loopback net{polling};
  net.connect(wants, has);
  tiny_controller controller{net.controller, 1 << 20};
  tiny_host host{net};
  unsigned seed = 1;
  for (const std::size_t size : {1u, 4u, 511u, 4096u, 8192u, 8193u, 70'000u, 1u << 20}) {
    auto out = pattern(size, seed++);
    auto& write = host.run(1, memdesc::of(std::span{out}), direction::send);
    net.run();
    REQUIRE(write.cqe.has_value());
    CHECK(write.data.calls == 1);
    CHECK(write.data.bytes == size);
    CHECK_FALSE(write.data.error);
    CHECK(std::equal(out.begin(), out.end(), controller.memory().begin()));

    std::vector<std::byte> in(size);
    const std::size_t cut = size / 2;
    const std::array<segment, 3> list{segment{in.data(), cut}, segment{nullptr, 0},
                                      segment{in.data() + cut, size - cut}};
    auto& read = host.run(2, memdesc::of_list(list), direction::receive);
    net.run();
    REQUIRE(read.cqe.has_value());
    CHECK(read.data.calls == 1);
    CHECK(read.data.bytes == size);
    CHECK_FALSE(read.data.error);
    CHECK(in == out);
  }
  auto& nothing = host.run(0, {}, direction::none);
  net.run();
  CHECK(nothing.cqe.has_value());
  CHECK(host.errors == 0);
  CHECK(controller.errors == 0);
  net.host.close();
  net.on.post([&] { net.stop(); });
}

}  // namespace

TEST_CASE("data travels whole both ways with every digest and alignment") {
  for (const bool digests : {false, true})
    for (const std::uint32_t alignment : {4u, 8u, 64u, 128u}) {
      CAPTURE(digests);
      CAPTURE(alignment);
      transport_options o;
      o.header_digest = o.data_digest = digests;
      o.alignment = alignment;
      o.max_h2c_data = 65536;
      exchange_all(o, o, false);
    }
}

TEST_CASE("a polling reactor moves the same data") {
  transport_options o;
  o.data_digest = true;
  exchange_all(o, o, true);
}

TEST_CASE("a digest that only one side wants is not used") {
  transport_options wants, has;
  wants.header_digest = true;
  has.data_digest = true;
  loopback net;
  net.connect(wants, has);
  CHECK_FALSE(net.host.limits().header_digest);
  CHECK_FALSE(net.host.limits().data_digest);
  CHECK_FALSE(net.controller.limits().header_digest);
  CHECK_FALSE(net.controller.limits().data_digest);
}

TEST_CASE("the connect tells its steps and what was agreed") {
  transport_options wants, has;
  wants.alignment = 16;
  wants.max_r2t = 4;
  wants.header_digest = has.header_digest = true;
  has.alignment = 128;
  has.max_h2c_data = 8192;
  loopback net;
  net.connect(wants, has);
  REQUIRE(net.steps.size() == 3);
  CHECK(net.steps[0].name == "resolve");
  CHECK(net.steps[1].name == "tcp");
  CHECK(net.steps[2].name == "ic");
  for (const qpair* q : {&net.host, &net.controller}) {
    const auto l = q->limits();
    CHECK(l.host_alignment == 16);
    CHECK(l.controller_alignment == 128);
    CHECK(l.max_r2t == 4);
    CHECK(l.max_h2c_data == 8192);
    CHECK(l.header_digest);
    CHECK_FALSE(l.data_digest);
  }
  CHECK(net.host.peer() == net.controller.local());
  CHECK(net.host.local() == net.controller.peer());
  CHECK(net.tcp->qpairs() == 2);
  net.host.close();
  CHECK(net.tcp->qpairs() == 1);
}

TEST_CASE("without SQ flow control a read ends with its last data") {
  loopback net;
  net.connect({}, {});
  net.host.set_queue(1, 32, false);
  net.controller.set_queue(1, 32, false);
  tiny_controller controller{net.controller, 65536};
  tiny_host host{net};
  std::vector<std::byte> in(65536);
  auto& read = host.run(2, memdesc::of(std::span{in}), direction::receive);
  net.run();
  REQUIRE(read.cqe.has_value());
  CHECK_FALSE(read.sqhd_valid);
  CHECK(in == controller.memory());
}

TEST_CASE("a clean close is told as one, once") {
  loopback net;
  net.connect({}, {});
  tiny_controller controller{net.controller, 16};
  tiny_host host{net};
  net.controller.close();
  net.run();
  CHECK(host.errors == 1);
  CHECK_FALSE(host.error.code);
}
