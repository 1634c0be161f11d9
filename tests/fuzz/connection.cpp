// SPDX-License-Identifier: BSD-2-Clause
#include "fuzz/connection.hpp"

#include <cstdio>

#include "support/raw_bytes.hpp"

namespace nvmf::fuzz {
namespace {

using std::chrono::milliseconds;

// What the first byte of an op says is to be done to a PDU. Below: so many PDUs pass untouched.
enum op : std::uint8_t {
  op_field = 0x80,  // another field, digests made right
  op_spoil,         // another field, digests as they were
  op_before,        // raw bytes, then it
  op_instead,
  op_after,
  op_drop,
  op_twice,
  op_cut,
  op_hold,  // it comes after the next one
  op_end,   // the stream ends behind it
  op_reset,
  op_only_raw,  // from here on the end's own words are bytes of the input
  ops,
};

constexpr duration pauses[] = {milliseconds(1),     milliseconds(100),   milliseconds(1'000),
                               milliseconds(2'100), milliseconds(6'000), milliseconds(31'000)};

// Data that has a digest gets the right one.
void renew_data_digest(sim::octets& pdu) {
  const sim::pdu_view view{pdu};
  const std::size_t from = view.data_offset();
  if ((view.flags() & 2) == 0 || from < sim::common_header || pdu.size() < from + 4) return;
  const auto data = std::span{pdu}.subspan(from, pdu.size() - from - sim::digest_bytes);
  test::put(pdu, pdu.size() - sim::digest_bytes, 4, wire::crc32c(0, data));
}

void renew_digests(sim::octets& pdu) {
  const sim::pdu_view view{pdu};
  if (view.header() + sim::digest_bytes <= pdu.size()) sim::renew_header_digest(pdu);
  renew_data_digest(pdu);
}

sim::network_shape plain_network() {
  sim::network_shape s;
  s.splits = false;
  return s;
}

}  // namespace

// --- The end in the input's hands ---------------------------------------------------------------

void meddler::set_field(sim::octets& pdu) {
  const std::size_t at = script_.number(2) % pdu.size();
  const std::size_t size = std::min<std::size_t>(script_.byte() % 8 + 1, pdu.size() - at);
  test::put(pdu, at, size, script_.number(size));
}

void meddler::operator()(sim::pipe& through, sim::octets pdu) {
  if (through.to_host() != to_host_) return through.put(std::move(pdu), false);
  if (only_raw_) {
    pdu = raw();
  } else if (untouched_ > 0) {
    --untouched_;
  } else {
    const std::uint8_t what = script_.byte();
    if (what < op_field) {
      untouched_ = what;
    } else {
      switch (static_cast<op>(op_field + (what - op_field) % (ops - op_field))) {
        case op_field:
          set_field(pdu);
          renew_digests(pdu);
          break;
        case op_spoil:
          set_field(pdu);
          break;
        case op_before:
          through.put(raw(), false);
          break;
        case op_instead:
          pdu = raw();
          break;
        case op_after:
          through.put(std::exchange(pdu, {}), false);
          pdu = raw();
          break;
        case op_drop:
          pdu.clear();
          break;
        case op_twice:
          through.put(pdu, false);
          break;
        case op_cut:
          pdu.resize(script_.number(2) % pdu.size());
          break;
        case op_hold:
          held_.insert(held_.end(), pdu.begin(), pdu.end());
          return;
        case op_end:
          through.put(std::move(pdu), false);
          return through.put({}, true);
        case op_reset:
          return through.lose(false);
        case op_only_raw:
          only_raw_ = true;
          pdu = raw();
          break;
        case ops:
          break;
      }
    }
  }
  through.put(std::move(pdu), false);
  if (!held_.empty()) through.put(std::exchange(held_, {}), false);
}

// --- Both ends ----------------------------------------------------------------------------------

connection::connection(role hostile, input& in)
    : choices_(in.byte()),
      net_(time_, luck_, log_, watch_, honest_, plain_network()),
      transport_(std::make_shared<sim::sim_transport>(net_)) {
  const auto steps = in.take(in.number(2));
  input script(reinterpret_cast<const std::uint8_t*>(steps.data()), steps.size());
  net_.meddler = meddler(hostile == role::controller, in);
  registry_.add(transport_);
  set_up_target();
  associate();
  run(script);
  at_the_end();
}

connection::~connection() = default;

void connection::set_up_target() {
  target_ = target::make(registry_, {&target_on_}, {.connect_timeout = milliseconds(5'000)},
                         nullptr, {.on_notice = {}});
  require(target_->add_subsystem({.nqn = std::string(subsystem_nqn)}).has_value());
  require(target_->add_namespace(subsystem_nqn, {.nsid = 1, .store = *make_ram_backend(disk_bytes)})
              .has_value());
  transport_options settings;
  settings.header_digest = (choices_ & 1) != 0;
  settings.data_digest = (choices_ & 2) != 0;
  settings.max_in_capsule = (choices_ & 4) != 0 ? 0 : 8192;
  settings.max_h2c_data = 4096;
  require(target_->listen({.transport = "sim", .at = {"target", 4420}, .settings = settings})
              .has_value());
}

void connection::associate() {
  if (host_ != nullptr || lives_ == 3) return;
  ++lives_;
  association_options o;
  o.transport = "sim";
  o.to = {"target", 4420};
  o.subsystem_nqn = subsystem_nqn;
  o.host_nqn = "nqn.2026-11.io.example:fuzz-host";
  o.host_id[0] = std::byte{1};
  o.keep_alive = (choices_ & 8) != 0 ? milliseconds(0) : milliseconds(2'000);
  o.io_queues = (choices_ & 16) != 0 ? 2 : 1;
  o.io_queue_size = (choices_ & 32) != 0 ? 4 : 32;
  o.disable_sq_flow_control = (choices_ & 64) != 0;
  o.transport_settings.header_digest = (choices_ & 1) != 0;
  o.transport_settings.data_digest = (choices_ & 2) != 0;
  o.transport_settings.max_r2t = (choices_ & 128) != 0 ? 4 : 1;
  o.timeout = milliseconds(3'000);
  gone_ = up_told_ = lost_told_ = false;
  host_ = association::start(registry_, host_on_, std::move(o),
                             {.on_stage = {},
                              .on_up =
                                  [this](std::expected<void, host_failure> r) {
                                    require(!gone_ && !up_told_);
                                    up_told_ = true;
                                    ups_ += r.has_value() ? 1 : 0;
                                  },
                              .on_lost =
                                  [this](const host_failure&) {
                                    require(!gone_ && up_told_ && !lost_told_);
                                    lost_told_ = true;
                                  },
                              .on_async_event =
                                  [this](std::uint32_t, std::span<const std::byte> log) {
                                    require(!gone_ && log.size() <= 4096);
                                  }});
}

void connection::let_go() {
  if (host_ == nullptr) return;
  host_.reset();
  if (!in_callback_) {
    gone_ = true;
    require(given_ == ended_);
    return;
  }
  host_on_.post([this, life = lives_] { gone_ = gone_ || life == lives_; });
}

void connection::submit(std::uint16_t qid, const std::array<std::byte, 64>& sqe, std::size_t size,
                        direction way) {
  if (host_ == nullptr || given_ - ended_ > 64) return;
  auto c = std::make_unique<command>();
  c->memory.resize(size, std::byte{0x5a});
  const auto mem = size == 0 ? memdesc{} : memdesc::of(std::span{c->memory});
  ++given_;
  host_->submit(qid, sqe, mem, way, {}, [this, c = std::move(c)](const command_result& r) mutable {
    require(c != nullptr && !std::exchange(c->ended, true) && r.bytes <= c->memory.size());
    ++ended_;
    succeeded_ += r.ok() ? 1 : 0;
    c.reset();  // whoever still has a pointer to it is found out
    if (!std::exchange(let_go_in_callback_, false)) return;
    in_callback_ = true;
    let_go();
    in_callback_ = false;
  });
}

void connection::submit_io(input& steps) {
  const std::uint8_t kind = steps.byte(), where = steps.byte();
  constexpr std::uint8_t opcodes[] = {0x01, 0x02, 0x05, 0x08, 0x00, 0x0c, 0x09};
  const std::uint8_t opcode = opcodes[kind % std::size(opcodes)];
  // 1 to 64 blocks of 512 bytes, from the device's first half.
  const std::uint32_t blocks = 1u << (where % 7);
  const std::size_t size = opcode == 0x01 || opcode == 0x02 || opcode == 0x05 ? blocks * 512u : 0;
  const direction way = size == 0        ? direction::none
                        : opcode == 0x02 ? direction::receive
                                         : direction::send;
  const auto sqe = opcode == 0x09 || opcode == 0x00
                       ? test::sqe(opcode, 0, 1)
                       : test::block_sqe(opcode, 0, 1, where / 7u, blocks, 0);
  submit(static_cast<std::uint16_t>(1 + (kind >> 7)), sqe, size, way);
}

void connection::submit_admin(input& steps) {
  const std::uint8_t kind = steps.byte();
  struct row {
    std::uint8_t opcode;
    std::uint32_t cdw10;
    std::uint16_t size;
  };
  constexpr row rows[] = {
      {0x06, 0x01, 4096},       {0x06, 0x02, 4096},       {0x06, 0x03, 4096},
      {0x02, 0x007f'0001, 512}, {0x02, 0x007f'0002, 512}, {0x02, 0x03ff'0070, 4096},
      {0x0a, 0x07, 0},          {0x09, 0x06, 0},          {0x18, 0, 0},
      {0x08, 0x0003'0001, 0}};
  const row& r = rows[kind % std::size(rows)];
  submit(0, test::with(test::sqe(r.opcode, 0, kind >> 7), 40, 4, r.cdw10), r.size,
         r.size == 0 ? direction::none : direction::receive);
}

void connection::shut_down() {
  if (host_ == nullptr) return;
  ++given_;
  host_->shutdown([this, once = false](std::error_code) mutable {
    require(!std::exchange(once, true));
    ++ended_;
    ++shutdowns_;
  });
}

void connection::step(std::uint8_t what, input& steps) {
  switch (what % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
      return submit_io(steps);
    case 4:
      return submit_admin(steps);
    case 5:
    case 6:
      time_.run();
      return;
    case 7:
    case 8:
    case 9:
      return time_.advance(pauses[steps.byte() % std::size(pauses)]);
    case 10:
      time_.advance_to_next_timer();
      return;
    case 11:
      return shut_down();
    case 12:
      return let_go();
    case 13:
      let_go_in_callback_ = true;
      return;
    case 14:
      if (host_ != nullptr && (!up_told_ || host_->up())) return;
      let_go();
      return associate();
    default:
      // A namespace comes or goes: an event for the host.
      if (!target_->remove_namespace(subsystem_nqn, 2))
        (void)target_->add_namespace(subsystem_nqn,
                                     {.nsid = 2, .store = *make_null_backend(1 << 20)});
  }
}

void connection::run(input& steps) {
  // The bring-up has its time first, unless the input is in a hurry.
  if (steps.byte() % 4 != 3) time_.run();
  for (int n = 0; !steps.done() && n < 200; ++n) step(steps.byte(), steps);
  time_.run();
}

void connection::at_the_end() {
  let_go();
  time_.run();
  require(gone_ && given_ == ended_);
  static const bool tell = std::getenv("NVMF_FUZZ_TRACE") != nullptr;
  if (tell)
    std::fprintf(stderr,
                 "%zu of %d associations came up, %zu of %zu commands succeeded, %zu shutdowns\n",
                 ups_, lives_, succeeded_, given_ - shutdowns_, shutdowns_);
  bool stopped = false;
  target_->stop([&] { stopped = true; });
  // Every wait has a limit.
  time_.advance(std::chrono::minutes(3));
  require(stopped && target_->controllers().empty() && transport_->qpairs() == 0);
  target_.reset();
  time_.run();
  require(host_on_.timers() == 0 && target_on_.timers() == 0);
}

int play(role hostile, const std::uint8_t* data, std::size_t size) {
  input in(data, size);
  const connection c(hostile, in);
  return 0;
}

}  // namespace nvmf::fuzz
