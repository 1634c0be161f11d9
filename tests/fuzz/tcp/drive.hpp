// SPDX-License-Identifier: BSD-2-Clause
// An input is a script for a session: what the peer sends (raw bytes, or PDUs whose fields come
// from the input and whose digests are right, to get past them) and what the user does, in any
// order. Whatever happens, every data callback runs exactly once, nothing runs after the close, and
// every byte that is read or written, also by an observer, is one that the session may touch.
//
// seeds.py writes such scripts. NVMF_FUZZ_TRACE=1 makes a run tell its events on stderr.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nvmf/transport.hpp>
#include <vector>

#include "fuzz/input.hpp"
#include "support/virtual_executor.hpp"
#include "tcp/session/encode.hpp"
#include "tcp/session/session.hpp"
#include "wire/crc32c.hpp"

namespace nvmf::fuzz {

// Callbacks given out against callbacks that ran.
struct ledger {
  std::size_t given = 0, ran = 0;
  bool closed = false;
  data_callback hook(std::size_t most) {
    ++given;
    return [this, most, once = false](std::size_t bytes, std::error_code) mutable {
      require(!once && !closed && bytes <= most);
      once = true;
      ++ran;
    };
  }
};

struct no_link final : tcp::wire_link {
  void begin() override {}
  void wake() noexcept override {}
  void finish(bool) override {}
  void reset() override {}
  void half_close() override {}
};

// Looks at every byte that it is shown.
class witness final : public observer {
 public:
  void on_event(const event& e) noexcept override {
    sum_ = wire::crc32c(sum_, e.header);
    for (const segment& s : e.data) sum_ = wire::crc32c(sum_, {s.data, s.size});
    static const bool tell = std::getenv("NVMF_FUZZ_TRACE") != nullptr;
    if (!tell) return;
    const auto name = event_name(e.type);
    std::fprintf(stderr, "%.*s cid=%u header=%zu a=%llu b=%llu %s\n", static_cast<int>(name.size()),
                 name.data(), unsigned{e.cid}, e.header.size(),
                 static_cast<unsigned long long>(e.a), static_cast<unsigned long long>(e.b),
                 e.error ? e.error.message().c_str() : "");
  }

 private:
  std::uint32_t sum_ = 0;
};

// A session between a peer and a user that both follow the script.
class stage {
 public:
  stage(role side, input& in) : in_(in) {
    const std::uint8_t o = in.byte();
    const std::uint8_t p = in.byte();
    agreed_ = {.header_digest = (o & 1) != 0,
               .data_digest = (o & 2) != 0,
               .host_alignment = (o & 4) != 0 ? 64u : 4u,
               .controller_alignment = (o & 8) != 0 ? 128u : 4u,
               .max_r2t = (o >> 4 & 3) + 1u,
               .max_h2c_data = (p & 1) != 0 ? 32'768u : 4096u};
    params_.side = side;
    params_.queue_size = (o >> 6) * 8 + 4u;
    if ((p & 2) != 0) params_.watched_by = &watching_;
  }
  tcp::session_setup setup() {
    return {.on = &on,
            .memory = std::make_shared<tcp::memory_pool>(),
            .params = params_,
            .agreed = agreed_,
            .id = 1,
            .peer = {},
            .local = {}};
  }
  void attach(std::shared_ptr<tcp::session> made) {
    machine = std::move(made);
    machine->attach(std::make_shared<no_link>());
    q = qpair{machine};
  }

  void feed(std::span<const std::byte> bytes) {
    machine->enter_turn();
    // A part of a large payload may be read straight into its place.
    std::array<segment, 4> pieces;
    const std::size_t count = machine->direct(pieces);
    std::size_t direct = 0;
    for (std::size_t i = 0; i < count && machine->wants_input(); ++i) {
      const auto part = bytes.first(std::min(bytes.size(), pieces[i].size));
      std::ranges::copy(part, pieces[i].data);
      bytes = bytes.subspan(part.size());
      direct += part.size();
    }
    machine->took_direct(direct);
    if (machine->wants_input()) machine->consume(bytes);
    machine->leave_turn();
    on.run();
  }
  // A PDU of the peer with right digests around what the script says, whole or in pieces.
  void feed_pdu(wire::pdu_type type) {
    const wire::layout& form = *wire::pdu_layout(static_cast<std::uint8_t>(type));
    tcp::tx_pdu p;
    const auto header = std::span{p.head}.first(form.size);
    std::ranges::copy(in_.take(form.size - 8), header.begin() + 8);
    const std::uint8_t flags = in_.byte() & 0xcu;
    const std::size_t size = in_.number(2) % 20'000;
    data_.assign(size, std::byte{in_.byte()});
    if (type == wire::pdu_type::capsule_resp || type == wire::pdu_type::r2t) data_.clear();
    if (type == wire::pdu_type::c2h_data || type == wire::pdu_type::h2c_data)
      wire::store_le(header, 16, 4, data_.size());
    p.data = memdesc::of(std::span{data_});
    const bool host = params_.side == role::host;
    tcp::seal(p, form, type, flags,
              {.header_digest = agreed_.header_digest,
               .data_digest = agreed_.data_digest,
               .alignment = host ? agreed_.host_alignment : agreed_.controller_alignment});
    std::vector<std::byte> whole(p.head.begin(), p.head.begin() + p.head_size);
    whole.insert(whole.end(), data_.begin(), data_.end());
    whole.insert(whole.end(), p.tail.begin(), p.tail.begin() + p.tail_size);
    const std::uint8_t how = in_.byte();
    if (how == 0xbd) whole.back() ^= std::byte{1};
    const std::size_t step = how < 0xc0 ? whole.size() : std::size_t{7} << (how & 0xf);
    for (std::span rest{whole}; !rest.empty(); rest = rest.subspan(std::min(step, rest.size())))
      feed(rest.first(std::min(step, rest.size())));
  }
  void drain(std::size_t most) {
    while (machine->has_output() && most > 0) {
      std::array<segment, 16> pieces;
      const std::size_t count = machine->gather(pieces, std::min<std::size_t>(most, 65536));
      std::size_t total = 0;
      for (const segment& s : std::span{pieces}.first(count)) {
        // Read as a socket would: a byte that is not ours to read shows under ASan.
        sum_ = wire::crc32c(sum_, {s.data, s.size});
        total += s.size;
      }
      require(total > 0 && total <= most);
      machine->enter_turn();
      machine->sent(total);
      machine->leave_turn();
      most -= total;
    }
    on.run();
  }
  void end(bool eof) {
    machine->enter_turn();
    if (eof)
      machine->end_of_input();
    else
      machine->broken(std::make_error_code(std::errc::connection_reset));
    machine->leave_turn();
    on.run();
  }

  witness watching_;
  test::virtual_executor on;
  std::shared_ptr<tcp::session> machine;
  qpair q;
  ledger callbacks;

 private:
  input& in_;
  tcp::negotiated agreed_;
  qpair_params params_;
  std::vector<std::byte> data_;
  std::uint32_t sum_ = 0;
};

}  // namespace nvmf::fuzz
