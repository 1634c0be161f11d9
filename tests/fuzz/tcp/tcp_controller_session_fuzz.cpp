// SPDX-License-Identifier: BSD-2-Clause
// A controller against a host that may say anything at any moment, under an engine that does
// whatever an engine may.
#include "drive.hpp"
#include "tcp/session/controller_session.hpp"

using namespace nvmf;
using namespace nvmf::fuzz;

namespace {

class controller_stage : public stage {
 public:
  explicit controller_stage(input& in) : stage(role::controller, in), in_(in) {
    attach(std::make_shared<tcp::controller_session>(setup()));
    const std::uint8_t o = in.byte();
    if ((o & 1) != 0) q.set_queue(o & 2 ? 1 : 0, 4 + (o >> 4), (o & 4) != 0);
    q.start({.on_receive =
                 [this](capsule c) {
                   require(!over_ && q);
                   (void)q.validate_command(c);
                   require(q.in_capsule_data(c).size() <= 8192);
                   held_.push_back(std::move(c));
                   require(held_.size() < 10'000);
                   if (in_.byte() % 4 == 0) answer();
                 },
             .on_error =
                 [this](const qpair_error&) {
                   require(!over_);
                   over_ = true;
                   if (in_.byte() % 2 == 0) close();
                 }});
  }

  void receive() {
    if (!q || held_.empty()) return;
    const capsule& c = held_[in_.byte() % held_.size()];
    const std::uint32_t total = q.data_length(c);
    const auto offset = static_cast<std::uint32_t>(in_.number(2));
    const auto length = static_cast<std::uint32_t>(in_.number(2));
    auto& memory = memories_.emplace_back(std::make_unique<std::vector<std::byte>>(length));
    ++callbacks.given;
    const auto refused = q.receive_controller_data(
        c, offset, memdesc::of(std::span{*memory}), length,
        [this, length, once = false](std::size_t bytes, std::error_code) mutable {
          require(!once && !callbacks.closed && bytes <= length);
          once = true;
          ++callbacks.ran;
        });
    if (refused) --callbacks.given;
    require(refused || offset + std::uint64_t{length} <= total);
  }
  void send() {
    if (!q || held_.empty()) return;
    const capsule& c = held_[in_.byte() % held_.size()];
    const std::size_t size = in_.number(2);
    ++buffers_given_;
    auto* bytes = new std::byte[size + 1]();
    buffer b(
        std::span<const std::byte>{bytes, size},
        [](void* self, std::span<const std::byte> mine) noexcept {
          ++*static_cast<std::size_t*>(self);
          delete[] mine.data();
        },
        &buffers_back_);
    // Mostly where the last one ended.
    auto& next = sent_[c.slot()->index];
    const std::uint32_t offset = in_.byte() % 8 == 0 ? in_.byte() : next;
    const auto answer = q.send_controller_data(c, offset, std::move(b), in_.byte() % 4 == 0);
    if (answer.result != send_result::failed) next = offset + static_cast<std::uint32_t>(size);
  }
  void answer() {
    if (!q || held_.empty()) return;
    const std::size_t which = in_.byte() % held_.size();
    cqe_bytes cqe{};
    const std::uint16_t cid =
        in_.byte() % 16 == 0 ? static_cast<std::uint16_t>(in_.number(2)) : held_[which].cid();
    wire::store_le(cqe, 12, 2, cid);
    auto r = q.allocate_response(cqe);
    if (!r) std::abort();
    (void)q.transmit_response(std::move(*r));
    if (in_.byte() % 4 != 0) let_go(which);
  }
  void let_go() {
    if (!held_.empty()) let_go(in_.byte() % held_.size());
  }
  void close() { q = {}; }
  void finish() {
    close();
    on.run();
    require(callbacks.given == callbacks.ran);
    require(buffers_given_ == buffers_back_);
    callbacks.closed = true;
    memories_.clear();
    drain(SIZE_MAX);
    held_.clear();
  }

 private:
  void let_go(std::size_t which) {
    sent_[held_[which].slot()->index] = 0;
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(which));
  }

  input& in_;
  bool over_ = false;
  std::vector<capsule> held_;
  std::map<std::uint16_t, std::uint32_t> sent_;
  std::vector<std::unique_ptr<std::vector<std::byte>>> memories_;
  std::size_t buffers_given_ = 0, buffers_back_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  input in(data, size);
  controller_stage s(in);
  for (int steps = 0; !in.done() && steps < 300; ++steps) {
    switch (in.byte() % 10) {
      case 0:
      case 1:
        s.feed_pdu(wire::pdu_type::capsule_cmd);
        break;
      case 2:
        s.feed(in.take(in.byte()));
        break;
      case 3:
      case 4:
        s.feed_pdu(wire::pdu_type::h2c_data);
        break;
      case 5:
        s.receive();
        break;
      case 6:
        s.send();
        break;
      case 7:
        s.answer();
        break;
      case 8:
        s.drain(in.byte() % 2 == 0 ? SIZE_MAX : in.number(2));
        break;
      case 9:
        if (const auto what = in.byte() % 16; what == 0)
          s.end(in.byte() % 2 == 0);
        else if (what < 8)
          s.let_go();
        break;
    }
  }
  s.finish();
  return 0;
}
