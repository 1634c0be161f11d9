// SPDX-License-Identifier: BSD-2-Clause
// The host side of a queue as a transport would provide it, without a wire: commands go to a
// function of the test, which answers by answer(), respond() and fail().
#pragma once

#include <algorithm>
#include <cassert>
#include <cstring>
#include <deque>
#include <functional>
#include <nvmf/host.hpp>
#include <string>
#include <vector>

#include "raw_bytes.hpp"
#include "virtual_executor.hpp"

namespace nvmf::test {

class fake_qpair;

// A command as the controller sees it.
struct fake_command {
  std::uint16_t qid = 0;
  std::uint16_t cid = 0;
  sqe_bytes sqe{};
  std::vector<std::byte> data;  // that came with it
  fake_qpair* on = nullptr;

  std::uint8_t opcode() const { return std::to_integer<std::uint8_t>(sqe[0]); }
  std::uint32_t dword(int n) const {
    return static_cast<std::uint32_t>(peek(sqe, static_cast<std::size_t>(n) * 4, 4));
  }
  // "connect 0", "get 0x00", "set 0x14", "identify 1", "features 7", "aer", "keep-alive", ...
  std::string name() const;
};

// The answer to a command.
struct fake_answer {
  std::uint16_t status = 0;  // SCT << 8 | SC
  bool dnr = false;
  std::uint64_t result = 0;  // dwords 0 and 1
  std::vector<std::byte> data{};
  std::uint16_t sqhd = 0;
  std::error_code data_error{};  // the data callback's error
  bool data_last = false;        // the data callback runs after the response
};

// One end of nothing: the host side of a queue, as a transport would provide it.
class fake_qpair final : public transport_qpair, public std::enable_shared_from_this<fake_qpair> {
 public:
  using sink = std::function<void(fake_command)>;
  fake_qpair(executor& on, const qpair_params& p, sink commands, capabilities caps = {});

  void start(qpair_callbacks callbacks) override { callbacks_ = std::move(callbacks); }
  void set_queue(std::uint16_t qid, std::uint32_t size, bool flow_control) override {
    limits_.queue_size = size;
    limits_.sq_flow_control = flow_control;
    set_queue_calls.push_back({qid, size, flow_control});
  }
  void set_max_in_capsule(std::uint32_t bytes) override { limits_.max_in_capsule = bytes; }
  qpair_limits limits() const override { return limits_; }
  capsule_slot* allocate(bool command) override;
  void release(capsule_slot* slot) noexcept override;
  std::error_code transmit(capsule_slot* slot) override;
  std::error_code withdraw_data(capsule_slot* slot, std::error_code error) override;
  nvme_status validate_command(const capsule_slot*) const override { return {}; }
  std::span<const std::byte> in_capsule_data(const capsule_slot*) const override { return {}; }
  std::error_code receive_controller_data(capsule_slot*, std::uint32_t, const memdesc&,
                                          std::uint32_t, data_callback) override {
    return errc::wrong_role;
  }
  send_answer send_controller_data(capsule_slot*, std::uint32_t, buffer, bool) override {
    return {send_result::failed, {}};
  }
  void close(bool clean) override;
  void defer(task t) override;

  // For the script.
  void answer(std::uint16_t cid, const fake_answer& a);
  // A response capsule for any CID, asked for or not.
  void respond(std::uint16_t cid, const fake_answer& a);
  void fail(qpair_error e);
  bool closed() const { return closed_; }
  std::size_t taken() const;
  qpair_limits& limits_now() { return limits_; }
  bool withdraws = true;  // false: as RDMA, where the peer writes memory
  bool refuse_transmit = false;
  struct set_queue_call {
    std::uint16_t qid;
    std::uint32_t size;
    bool flow_control;
  };
  std::vector<set_queue_call> set_queue_calls;
  bool closed_clean = false;

 private:
  struct slot : capsule_slot {
    bool taken = false;
    bool answered = false;
  };
  void run_data(slot& s, std::size_t bytes, std::error_code error);
  void leave();

  executor& on_;
  sink commands_;
  qpair_callbacks callbacks_;
  qpair_limits limits_;
  std::vector<slot> slots_;
  std::deque<slot> responses_;
  std::vector<task> deferred_;
  int depth_ = 0;  // callbacks that are running
  bool closed_ = false;
  bool failed_ = false;
};

// ---- fake_qpair -----------------------------------------------------------------------------

inline fake_qpair::fake_qpair(executor& on, const qpair_params& p, sink commands, capabilities caps)
    : on_(on), commands_(std::move(commands)), slots_(p.queue_size) {
  who_.id = next_qpair_id();
  who_.side = p.side;
  who_.caps = caps;
  who_.peer = "fake:4420";
  who_.local = "fake:50000";
  who_.runs_on = &on;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].owner = this;
    slots_[i].index = static_cast<std::uint16_t>(i);
  }
}

inline capsule_slot* fake_qpair::allocate(bool command) {
  assert(command);
  for (slot& s : slots_)
    if (!s.taken) {
      s.taken = true;
      s.answered = s.transmitted = false;
      s.way = direction::none;
      s.length = 0;
      return &s;
    }
  return nullptr;
}

inline void fake_qpair::release(capsule_slot* c) noexcept {
  if (!c->command) {
    std::erase_if(responses_, [&](const slot& s) { return &s == c; });
    return;
  }
  slot& s = static_cast<slot&>(*c);
  if (s.answered || !s.transmitted) s.taken = false;
}

inline std::size_t fake_qpair::taken() const {
  return static_cast<std::size_t>(std::ranges::count(slots_, true, &slot::taken));
}

inline std::error_code fake_qpair::transmit(capsule_slot* c) {
  if (refuse_transmit) return errc::closed;
  c->transmitted = true;
  fake_command f;
  f.cid = c->index;
  f.sqe = c->entry;
  if (c->way == direction::send) {
    f.data.resize(c->length);
    c->data.copy_out(0, f.data);
  }
  // SGL 1: the length, and the type of a transport data block.
  put(c->entry, 32, 4, c->length);
  c->entry[39] = std::byte{0x5a};
  f.sqe = c->entry;
  on_.post([self = weak_from_this(), f = std::move(f)]() mutable {
    const auto q = self.lock();
    if (!q || q->closed_ || q->failed_) return;
    f.on = q.get();
    q->commands_(std::move(f));
  });
  return {};
}

inline void fake_qpair::run_data(slot& s, std::size_t bytes, std::error_code error) {
  if (s.way == direction::none) return;
  s.way = direction::none;
  auto done = std::exchange(s.on_data, nullptr);
  done(bytes, error);
}

inline std::error_code fake_qpair::withdraw_data(capsule_slot* c, std::error_code error) {
  if (!withdraws) return errc::not_supported;
  slot& s = static_cast<slot&>(*c);
  s.data = {};
  defer([this, &s, error] { run_data(s, 0, error); });
  return {};
}

inline void fake_qpair::defer(task t) {
  deferred_.push_back(std::move(t));
  if (depth_ > 0) return;
  on_.post([self = weak_from_this()] {
    const auto q = self.lock();
    if (!q) return;
    ++q->depth_;
    q->leave();
  });
}

// Ends a callback; the outermost runs what was put off until now.
inline void fake_qpair::leave() {
  while (depth_ == 1 && !deferred_.empty())
    for (task& t : std::exchange(deferred_, {})) t();
  --depth_;
}

inline void fake_qpair::answer(std::uint16_t cid, const fake_answer& a) {
  const auto self = shared_from_this();
  if (closed_) return;
  slot& s = slots_.at(cid);
  assert(s.taken && s.transmitted && !s.answered);
  ++depth_;
  const auto give_data = [&] {
    if (s.way == direction::none) return;
    std::size_t moved = 0;
    if (s.way == direction::receive && !a.data.empty()) {
      moved = std::min<std::size_t>(a.data.size(), s.length);
      s.data.copy_in(0, std::span(a.data).first(moved));
    } else if (s.way == direction::send && a.status == 0) {
      moved = s.length;
    }
    run_data(s, moved, a.data_error);
  };
  if (!a.data_last) give_data();
  if (!closed_) respond(cid, a);
  if (a.data_last && !closed_) give_data();
  leave();
}

inline void fake_qpair::respond(std::uint16_t cid, const fake_answer& a) {
  const auto self = shared_from_this();
  if (cid < slots_.size()) {
    slot& s = slots_[cid];
    s.answered = true;
    if (!s.handle_live) s.taken = false;
  }
  slot& r = responses_.emplace_back();
  r.owner = this;
  r.command = false;
  put(r.entry, 0, 8, a.result);
  put(r.entry, 8, 2, a.sqhd);
  put(r.entry, 12, 2, cid);
  put(r.entry, 14, 2, static_cast<std::uint64_t>(a.status) << 1 | (a.dnr ? 0x8000u : 0u));
  ++depth_;
  callbacks_.on_receive(make_handle(&r));
  leave();
}

inline void fake_qpair::fail(qpair_error e) {
  const auto self = shared_from_this();
  if (closed_ || std::exchange(failed_, true)) return;
  ++depth_;
  callbacks_.on_error(e);
  leave();
}

inline void fake_qpair::close(bool clean) {
  closed_ = true;
  closed_clean = clean;
  const auto abort_all = [this, self = shared_from_this()] {
    for (slot& s : slots_)
      if (s.taken) run_data(s, 0, errc::aborted);
  };
  if (depth_ > 0)
    deferred_.emplace_back(abort_all);
  else
    abort_all();
}

inline std::string fake_command::name() const {
  const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(sqe[i]); };
  const auto hex2 = [](unsigned v) {
    constexpr char digits[] = "0123456789abcdef";
    return std::string("0x") + digits[v >> 4 & 15] + digits[v & 15];
  };
  if (opcode() == 0x7f) {
    switch (byte(4)) {
      case 0x00:
        return "set " + hex2(byte(44));
      case 0x01:
        return "connect " + std::to_string(peek(sqe, 42, 2));
      case 0x04:
        return "get " + hex2(byte(44));
      default:
        return "fabrics " + hex2(byte(4));
    }
  }
  if (qid != 0) return "io " + hex2(opcode());
  switch (opcode()) {
    case 0x02:
      return "log " + hex2(byte(40));
    case 0x06:
      return "identify " + std::to_string(byte(40));
    case 0x08:
      return "abort";
    case 0x09:
      return "features " + std::to_string(byte(40));
    case 0x0c:
      return "aer";
    case 0x18:
      return "keep-alive";
    default:
      return "admin " + hex2(opcode());
  }
}

}  // namespace nvmf::test
