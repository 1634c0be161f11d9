// SPDX-License-Identifier: BSD-2-Clause
// A controller for tests of the host that is nothing but a script: a transport whose qpairs hand
// each command to a function of the test. What the function leaves alone is answered as a decent
// controller would, from bytes made by hand (no layout or codec of ours is used here).
#pragma once

#include <map>
#include <optional>

#include "fake_qpair.hpp"

namespace nvmf::test {

// A transport of fake qpairs. `script` sees each command first; true: it has dealt with it (or
// means to stay silent).
class fake_controller final : public transport {
 public:
  fake_controller();

  // What a decent controller answers; the test changes it at will.
  std::uint64_t cap = 0x0000'0020'0f01'007f;  // NVM set, TO 7.5 s, CQR, MQES 127
  std::uint32_t vs = 0x0001'0400;
  std::uint32_t crto = 0;
  std::uint32_t cc = 0;
  std::uint32_t csts = 0;
  std::uint32_t polls_until_ready = 0;
  std::uint32_t polls_until_shut_down = 0;
  std::uint16_t cntlid = 0x0005;
  std::uint32_t queues = 64;  // granted at most
  std::vector<std::byte> identify = std::vector<std::byte>(4096);
  std::map<std::uint32_t, std::vector<std::byte>> namespaces;  // CNS 00h by NSID
  std::map<std::uint8_t, std::vector<std::byte>> logs;
  std::function<bool(const fake_command&)> script;
  std::function<std::optional<connect_error>(std::uint16_t qid)> refuse_connection;
  bool silent_connection = false;  // connect never answers, until it is cancelled
  capabilities caps;
  qpair_limits limits;

  void add_namespace(std::uint32_t nsid, std::uint64_t blocks, std::uint8_t lbads = 9);
  // Answers an AER that is waiting; false when there is none.
  bool event(std::uint32_t dw0);

  // What was seen.
  std::vector<fake_command> seen;
  std::vector<std::string> names() const;
  std::size_t count(std::string_view name) const;
  std::vector<endpoint> dialled;
  std::vector<qpair_params> dialled_with;
  std::vector<std::weak_ptr<fake_qpair>> queues_made;
  std::shared_ptr<fake_qpair> queue(std::size_t qid) const { return queues_made.at(qid).lock(); }
  std::vector<fake_command> waiting_events;

  // transport
  std::string_view type() const override { return "fake"; }
  int priority() const override { return 0; }
  bool accepts(const qpair_params&) const override { return true; }
  std::shared_ptr<connect_attempt> connect(executor& on, const endpoint& to,
                                           const qpair_params& params,
                                           connect_callback done) override;
  std::expected<std::unique_ptr<listener>, std::error_code> listen(executor&, const endpoint&,
                                                                   const qpair_params&,
                                                                   executor_chooser,
                                                                   accept_callback) override {
    return std::unexpected(make_error_code(errc::not_supported));
  }
  std::size_t qpairs() const override { return 0; }

  void decent(const fake_command& c);

 private:
  void on_command(fake_command c);
  void fabrics(const fake_command& c);
  void do_identify(const fake_command& c);

  std::uint32_t polls_ = 0;
};

inline fake_controller::fake_controller() {
  put(identify, 4, 3, 0x53'4e'53);     // SN "SNS"
  put(identify, 24, 3, 0x4d'4f'4d);    // MN "MOM"
  put(identify, 64, 1, 0x31);          // FR "1"
  put(identify, 77, 1, 5);             // MDTS: 32 pages of 4096
  put(identify, 78, 2, cntlid);        // CNTLID
  put(identify, 80, 4, 0x0001'0400);   // VER
  put(identify, 92, 4, 0x100);         // OAES: namespace attributes
  put(identify, 111, 1, 1);            // CNTRLTYPE: I/O
  put(identify, 258, 1, 3);            // ACL, 0's based
  put(identify, 259, 1, 3);            // AERL, 0's based
  put(identify, 320, 2, 10);           // KAS: 1 s
  put(identify, 512, 1, 0x66);         // SQES
  put(identify, 513, 1, 0x44);         // CQES
  put(identify, 514, 2, 128);          // MAXCMD
  put(identify, 516, 4, 1024);         // NN
  put(identify, 536, 4, 0x0030'0001);  // SGLS: supported, offset, transport
  const std::string nqn = "nqn.2024-01.io.example:sub";
  std::memcpy(identify.data() + 768, nqn.data(), nqn.size());
  put(identify, 1792, 4, 516);  // IOCCSZ: 64 + 8192 bytes
  put(identify, 1796, 4, 1);    // IORCSZ
  put(identify, 1803, 1, 1);    // MSDBD
  limits.max_in_capsule = 8192;
  add_namespace(1, 2048);
}

inline void fake_controller::add_namespace(std::uint32_t nsid, std::uint64_t blocks,
                                           std::uint8_t lbads) {
  std::vector<std::byte> b(4096);
  put(b, 0, 8, blocks);
  put(b, 8, 8, blocks);
  put(b, 16, 8, blocks);
  put(b, 130, 1, lbads);  // LBAF0: LBADS
  namespaces[nsid] = std::move(b);
}

inline std::vector<std::string> fake_controller::names() const {
  std::vector<std::string> out;
  for (const fake_command& c : seen) out.push_back(c.name());
  return out;
}

inline std::size_t fake_controller::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(seen, [&](const fake_command& c) { return c.name() == name; }));
}

inline bool fake_controller::event(std::uint32_t dw0) {
  if (waiting_events.empty()) return false;
  const fake_command c = waiting_events.front();
  waiting_events.erase(waiting_events.begin());
  c.on->answer(c.cid, {.result = dw0});
  return true;
}

inline std::shared_ptr<connect_attempt> fake_controller::connect(executor& on, const endpoint& to,
                                                                 const qpair_params& params,
                                                                 connect_callback done) {
  struct attempt final : connect_attempt {
    executor* on = nullptr;
    connect_callback done;
    void cancel() override {
      if (!done) return;
      on->post([d = std::exchange(done, nullptr)]() mutable {
        d(std::unexpected(connect_error{.code = errc::aborted, .violation = {}, .detail = {}}));
      });
    }
  };
  dialled.push_back(to);
  dialled_with.push_back(params);
  auto a = std::make_shared<attempt>();
  a->on = &on;
  a->done = std::move(done);
  if (silent_connection) return a;
  std::optional<connect_error> refusal;
  if (refuse_connection) refusal = refuse_connection(params.qid);
  auto q = std::make_shared<fake_qpair>(
      on, params,
      [this, qid = params.qid](fake_command c) {
        c.qid = qid;
        on_command(std::move(c));
      },
      caps);
  q->limits_now() = limits;
  q->limits_now().queue_size = params.queue_size;
  queues_made.push_back(q);
  on.post([a, q, refusal]() mutable {
    if (!a->done) return;
    auto d = std::exchange(a->done, nullptr);
    if (refusal) return d(std::unexpected(*refusal));
    d(connected{
        .queue = qpair(q),
        .steps = {{"resolve", {}, {{"address", "192.0.2.7"}}}, {"tcp", {}, {}}, {"ic", {}, {}}},
        .reached = {"192.0.2.7", 4420}});
  });
  return a;
}

inline void fake_controller::on_command(fake_command c) {
  seen.push_back(c);
  // A copy: the script may replace itself.
  const auto first = script;
  if (first && first(c)) return;
  decent(c);
}

inline void fake_controller::fabrics(const fake_command& c) {
  const auto offset = peek(c.sqe, 44, 4);
  switch (std::to_integer<unsigned>(c.sqe[4])) {
    case 0x01:  // Connect
      return c.on->answer(
          c.cid, {.result = cntlid,
                  .sqhd = static_cast<std::uint16_t>(peek(c.sqe, 46, 1) & 4 ? 0xffff : 1)});
    case 0x00:  // Property Set
      if (offset == 0x14) {
        cc = static_cast<std::uint32_t>(peek(c.sqe, 48, 4));
        polls_ = 0;
      }
      return c.on->answer(c.cid, {});
    case 0x04: {  // Property Get
      if (offset == 0x1c) {
        const bool ready = (cc & 1) != 0 && polls_ >= polls_until_ready;
        const bool shn = (cc >> 14 & 3) != 0;
        const bool shut = shn && polls_ >= polls_until_shut_down;
        ++polls_;
        const std::uint32_t shst = shut ? 2 : shn ? 1 : 0;
        return c.on->answer(c.cid, {.result = csts | (ready ? 1u : 0u) | shst << 2});
      }
      const std::uint64_t v = offset == 0      ? cap
                              : offset == 0x08 ? vs
                              : offset == 0x14 ? cc
                              : offset == 0x68 ? crto
                                               : 0;
      return c.on->answer(c.cid, {.result = v});
    }
    default:
      return c.on->answer(c.cid, {.status = 0x001});
  }
}

inline void fake_controller::do_identify(const fake_command& c) {
  const std::uint32_t nsid = c.dword(1);
  switch (c.dword(10) & 0xff) {
    case 0: {
      const auto found = namespaces.find(nsid);
      return c.on->answer(c.cid, {.data = found == namespaces.end() ? std::vector<std::byte>(4096)
                                                                    : found->second});
    }
    case 1:
      return c.on->answer(c.cid, {.data = identify});
    case 2: {
      std::vector<std::byte> list(4096);
      std::size_t at = 0;
      for (auto n = namespaces.upper_bound(nsid); n != namespaces.end() && at < 4096; ++n, at += 4)
        put(list, at, 4, n->first);
      return c.on->answer(c.cid, {.data = std::move(list)});
    }
    default:
      return c.on->answer(c.cid, {.status = 0x002, .dnr = true});
  }
}

inline void fake_controller::decent(const fake_command& c) {
  if (c.opcode() == 0x7f) return fabrics(c);
  if (c.qid != 0) return c.on->answer(c.cid, {.data = std::vector<std::byte>(c.dword(8))});
  switch (c.opcode()) {
    case 0x06:
      return do_identify(c);
    case 0x09: {
      if ((c.dword(10) & 0xff) != 7) return c.on->answer(c.cid, {});
      const std::uint32_t n = std::min((c.dword(11) & 0xffff) + 1, queues) - 1;
      return c.on->answer(c.cid, {.result = n | n << 16});
    }
    case 0x0c:
      waiting_events.push_back(c);
      return;
    case 0x02: {
      const auto found = logs.find(static_cast<std::uint8_t>(c.dword(10) & 0xff));
      if (found == logs.end()) return c.on->answer(c.cid, {.status = 0x109, .dnr = true});
      std::vector<std::byte> data((c.dword(10) >> 16 | (c.dword(11) & 0xffff) << 16) * 4 + 4);
      const std::uint64_t offset = c.dword(12) | static_cast<std::uint64_t>(c.dword(13)) << 32;
      for (std::size_t i = 0; i < data.size() && offset + i < found->second.size(); ++i)
        data[i] = found->second[offset + i];
      return c.on->answer(c.cid, {.data = std::move(data)});
    }
    default:
      return c.on->answer(c.cid, {});
  }
}

}  // namespace nvmf::test
