// SPDX-License-Identifier: BSD-2-Clause
// A host against a controller that may say anything at any moment.
#include "drive.hpp"
#include "tcp/session/host_session.hpp"

using namespace nvmf;
using namespace nvmf::fuzz;

namespace {

class host_stage : public stage {
 public:
  explicit host_stage(input& in) : stage(role::host, in), in_(in) {
    attach(std::make_shared<tcp::host_session>(setup()));
    q.start({.on_receive =
                 [this](capsule c) {
                   require(!over_);
                   const std::uint16_t cid = c.cid();
                   std::erase_if(sent_, [&](const capsule& s) { return s.cid() == cid; });
                   if (held_.size() < 4) held_.push_back(std::move(c));
                   // Users send the next command from here.
                   if (in_.byte() % 4 == 0) send();
                 },
             .on_error =
                 [this](const qpair_error&) {
                   require(!over_);
                   over_ = true;
                   if (in_.byte() % 2 == 0) close();
                 }});
  }

  void send() {
    if (!q) return;
    std::array<std::byte, 64> sqe{};
    sqe[0] = static_cast<std::byte>(in_.byte());
    auto c = q.allocate_command(sqe);
    if (!c) return;
    const auto size = static_cast<std::size_t>(in_.number(2));
    const auto way = static_cast<direction>(in_.byte() % 3);
    auto& memory = memories_.emplace_back(std::make_unique<std::vector<std::byte>>(size));
    auto& list = lists_.emplace_back(std::make_unique<std::vector<segment>>());
    const std::size_t cut = size / 3;
    *list = {{memory->data(), cut}, {nullptr, 0}, {memory->data() + cut, size - cut}};
    const bool data = size > 0 && way != direction::none;
    if (q.append_data(*c, memdesc::of_list(*list), size, way,
                      data ? callbacks.hook(size) : data_callback{}))
      std::abort();
    if (in_.byte() % 16 == 0) return;  // let go of, never sent
    if (q.transmit(*c)) {
      q.abort_data(*c, errc::aborted);
      return;
    }
    sent_.push_back(std::move(*c));
  }
  void withdraw() {
    if (!q || sent_.empty()) return;
    auto& c = sent_[in_.byte() % sent_.size()];
    if (q.withdraw_data(c, errc::timed_out)) std::abort();
  }
  void let_go() {
    if (!sent_.empty()) sent_.erase(sent_.begin() + in_.byte() % static_cast<int>(sent_.size()));
  }
  void close() { q = {}; }
  void finish() {
    close();
    on.run();
    require(callbacks.given == callbacks.ran);
    callbacks.closed = true;
    // From here on the user's memory is gone; what still leaves must not lie in it.
    memories_.clear();
    lists_.clear();
    drain(SIZE_MAX);
    sent_.clear();
    held_.clear();
  }

 private:
  input& in_;
  bool over_ = false;
  std::vector<capsule> sent_, held_;
  std::vector<std::unique_ptr<std::vector<std::byte>>> memories_;
  std::vector<std::unique_ptr<std::vector<segment>>> lists_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  input in(data, size);
  host_stage s(in);
  for (int steps = 0; !in.done() && steps < 300; ++steps) {
    switch (in.byte() % 12) {
      case 0:
      case 1:
        s.send();
        break;
      case 2:
        s.feed(in.take(in.byte()));
        break;
      case 3:
      case 4:
        s.feed_pdu(wire::pdu_type::c2h_data);
        break;
      case 5:
        s.feed_pdu(wire::pdu_type::r2t);
        break;
      case 6:
        s.feed_pdu(wire::pdu_type::capsule_resp);
        break;
      case 7:
        s.drain(in.number(2));
        break;
      case 8:
        s.withdraw();
        break;
      case 9:
        s.let_go();
        break;
      case 10:
        s.drain(SIZE_MAX);
        break;
      case 11:
        if (in.byte() % 8 == 0) s.end(in.byte() % 2 == 0);
        break;
    }
  }
  s.finish();
  return 0;
}
