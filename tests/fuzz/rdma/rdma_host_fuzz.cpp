// SPDX-License-Identifier: BSD-2-Clause
// A controller of any bytes against a host over the made-up device: its private data is taken or
// refused, its responses are believed or end the queue, its RDMA READs and WRITEs and what it takes
// back hit what was lent or fail. Every callback of the host runs once, and nothing is left.
#include <algorithm>
#include <array>
#include <list>
#include <optional>

#include "fuzz/input.hpp"
#include "rdma/rdma.hpp"
#include "rdma/session/private_data.hpp"
#include "support/fake_verbs.hpp"
#include "support/virtual_executor.hpp"
#include "wire/bytes.hpp"

using namespace nvmf;
using namespace nvmf::test;

namespace {

using fuzz::require;
using namespace std::chrono_literals;

constexpr std::size_t place = 8192, places = 16, room = 65536;

// What the controller does, as its bytes say.
class any_controller final : rdma::link_events {
 public:
  any_controller(const std::shared_ptr<fake_fabric>& fabric, virtual_executor& on, fuzz::input& in)
      : in_(in) {
    fake_verbs device(fabric);
    port_ = std::move(*device.listen(on, {.host = "here", .port = 0},
                                     [this](rdma::cm_request_event e) { request(std::move(e)); }));
  }
  // One message, or a move of data; `how` says which.
  void act(std::uint8_t how) {
    if (wire_ == nullptr) return;
    const std::size_t which = how >> 4;
    rdma::work_request work;
    std::size_t size = 16;
    const std::span<std::byte> at = memory_->bytes().subspan(places * place, room);
    std::ranges::fill(at.first(32), std::byte{0});
    switch (how & 7) {
      case 0:  // the right response to a command that came
      case 1:
        if (which < cids_.size()) std::ranges::copy(cids_[which], at.begin() + 12);
        if ((how & 8) != 0) std::ranges::copy(in_.take(2), at.begin() + 14);
        if ((how & 1) != 0) take_key(work, which);
        break;
      case 2:  // any bytes, with or without a key
      case 3: {
        const auto any = in_.take(in_.byte() % 32);
        size = any.size();
        std::ranges::copy(any, at.begin());
        if ((how & 1) != 0) take_key(work, which);
        break;
      }
      case 4:  // data of a command, or beyond it
      case 5:
        work.kind = (how & 1) != 0 ? rdma::work_kind::read : rdma::work_kind::write;
        if (which < lent_.size()) {
          work.remote_address = lent_[which].address + std::uint64_t{256} * (in_.byte() & 15);
          work.remote_key = lent_[which].key + ((how & 8) != 0 ? 1u : 0u);
        }
        size = static_cast<std::size_t>(in_.number(2));
        break;
      case 6:
        return wire_->disconnect();
      default:
        return wire_.reset();
    }
    const rdma::piece whole{at.data(), static_cast<std::uint32_t>(size), memory_->local_key()};
    work.pieces = std::span{&whole, 1};
    static_cast<void>(wire_->post(work));
  }
  void leave() {
    if (wire_ != nullptr) wire_->tell(nullptr);
    wire_.reset();
    memory_.reset();
    port_.reset();
  }

 private:
  struct lent {
    std::uint64_t address = 0;
    std::uint32_t key = 0;
  };

  void request(rdma::cm_request_event e) {
    const auto asked = rdma::parse_request(e.terms.private_data,
                                           {.max_sends_admin = 64, .max_sends = 64, .max_qid = 1});
    require(asked.has_value() && asked->sends == 16 && asked->receives == 16);
    wire_ = std::move(e.from);
    wire_->tell(this);
    require(!wire_->make_queue({.sends = 64, .receives = places, .pieces = 1}));
    memory_ = std::move(*wire_->allocate(places * place + room, rdma::access::local_write));
    for (std::uint64_t i = 0; i < places; ++i) receive(i);
    wire_->arm();
    // The first byte: accept or reject, and with how much.
    const auto how = in_.byte();
    const auto data = in_.take(how & 0x3f);
    if ((how & 0x80) != 0) {
      const auto why = rdma::explain_reject(data);
      require(why ? !why->empty() : !why.error().reason.empty());
      return wire_->reject(data);
    }
    require(!wire_->accept({.private_data = data, .reads_out = 4}));
    if ((how & 0x40) != 0) act(in_.byte());
  }
  void receive(std::uint64_t i) {
    static_cast<void>(
        wire_->post_receive(i, {memory_->bytes().data() + i * place, place, memory_->local_key()}));
  }
  void take_key(rdma::work_request& work, std::size_t which) const {
    work.kind = rdma::work_kind::send_invalidate;
    if (which < lent_.size()) work.remote_key = lent_[which].key;
  }
  void on_cm(const rdma::cm_event&) override {}
  void on_completions() override {
    wire_->arm();
    std::array<rdma::completion, 8> some;
    for (std::size_t n = 0; (n = wire_->poll(some)) != 0;)
      for (const rdma::completion& c : std::span{some}.first(n)) {
        if (c.kind != rdma::work_kind::receive || c.status != rdma::work_status::success) continue;
        // What a host sends is right, whatever is sent to it.
        const auto at = memory_->bytes().subspan(c.id * place, c.length);
        require(c.length >= 64 && (at[1] & std::byte{0xc0}) == std::byte{0x40});
        const bool keyed = (at[39] >> 4) == std::byte{4};
        require(keyed ? c.length == 64 : at[39] == std::byte{1});
        cids_.push_back({at[2], at[3]});
        lent_.push_back({.address = wire::load_le(at, 24, 8),
                         .key = static_cast<std::uint32_t>(wire::load_le(at, 35, 4))});
        receive(c.id);
      }
  }

  fuzz::input& in_;
  std::unique_ptr<rdma::port> port_;
  std::unique_ptr<rdma::link> wire_;
  std::unique_ptr<rdma::region> memory_;
  std::vector<std::array<std::byte, 2>> cids_;
  std::vector<lent> lent_;
};

// What a program does: it submits, and counts what comes back.
struct client {
  struct command {
    std::vector<std::byte> memory;
    int calls = 0;
    capsule handle{};
  };
  qpair queue;
  std::list<command> commands;
  std::size_t responses = 0, errors = 0;

  void submit(std::uint8_t what) {
    constexpr std::array<std::size_t, 4> sizes{0, 512, 4097, 20'000};
    const int code = what % 3;
    const std::size_t bytes = code == 0 ? 0 : sizes[(what >> 2) & 3];
    sqe_bytes sqe{};
    sqe[0] = static_cast<std::byte>(code);
    auto made = queue.allocate_command(sqe);
    if (!made) return;
    command& c = commands.emplace_back();
    c.memory.resize(bytes);
    c.handle = std::move(*made);
    if (bytes != 0)
      require(!queue.append_data(c.handle, memdesc::of(std::span{c.memory}), bytes,
                                 code == 1 ? direction::send : direction::receive,
                                 [&c](std::size_t n, std::error_code e) {
                                   ++c.calls;
                                   require(n == 0 || (n == c.memory.size() && !e));
                                 }));
    static_cast<void>(queue.transmit(c.handle));
    if ((what & 0x40) != 0) c.handle.reset();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const auto flags = in.byte();
  virtual_executor on;
  const auto fabric = std::make_shared<fake_fabric>();
  fabric->limits.windows = (flags & 1) != 0;
  const auto provider = make_rdma_transport(
      std::make_shared<fake_verbs>(fabric),
      {.pool_bytes = (flags & 2) != 0 ? std::size_t{64} << 10 : std::size_t{1} << 20});
  qpair_params params;
  params.admin = false;
  params.qid = 1;
  params.queue_size = 16;
  client host;
  {
    any_controller far(fabric, on, in);
    bool ended = false;
    auto attempt = provider->connect(on, {.host = "here", .port = 0}, params, [&](auto result) {
      require(!std::exchange(ended, true));
      if (result)
        host.queue = std::move(result->queue);
      else
        require(result.error().code && !result.error().detail.empty());
    });
    on.advance(1min);
    require(ended);
    if (host.queue) {
      host.queue.set_max_in_capsule(4096);
      host.queue.start({.on_receive = [&](const capsule&) { ++host.responses; },
                        .on_error = [&](const qpair_error&) { ++host.errors; }});
      for (int turn = 0; turn < 64 && !in.done(); ++turn) {
        const auto what = in.byte();
        // Some at once, and some after all that they cause has been done.
        (what & 0x80) != 0 ? host.submit(what) : far.act(in.byte());
        if ((what & 0x20) != 0) on.advance(10ms);
      }
      on.advance(10s);
    }
    far.leave();
    on.advance(10s);
    require(host.errors == (host.queue ? 1u : 0u));
  }
  for (client::command& c : host.commands) c.handle.reset();
  host.queue.close();
  on.advance(30s);
  for (const client::command& c : host.commands) require(c.calls == (c.memory.empty() ? 0 : 1));
  require(host.responses <= host.commands.size());
  require(provider->qpairs() == 0);
  require(fabric->regions == 0 && fabric->links[0] == 0 && fabric->overruns == 0);
  return 0;
}
