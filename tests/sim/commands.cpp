// SPDX-License-Identifier: BSD-2-Clause
#include "commands.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace nvmf::sim {
namespace {

enum opcode : std::uint8_t {
  op_flush = 0x00,
  op_write = 0x01,
  op_read = 0x02,
  op_compare = 0x05,
  op_write_zeroes = 0x08,
  op_get_log_page = 0x02,
  op_identify = 0x06,
  op_abort = 0x08,
  op_set_features = 0x09,
  op_get_features = 0x0a,
  op_fabrics = 0x7f,
};
constexpr std::size_t cdw10 = 40, cdw11 = 44;
constexpr std::uint8_t disconnect_type = 0x08;
constexpr std::uint64_t never_written = ~std::uint64_t{0};

void give_memory(scene& in, command& c, std::size_t size) {
  if (size == 0) return;
  // A crime against memory is to be seen by us, not by AddressSanitizer.
  const bool trap = in.sabotage().what() == crime::none;
  c.memory = &in.retired.emplace_back(size, trap);
}

std::unique_ptr<command> blank(scene& in, deed what) {
  auto c = std::make_unique<command>();
  c->what = what;
  c->id = ++in.last_id;
  return c;
}

void fill(std::span<std::byte> to, const octets& with) { std::ranges::copy(with, to.begin()); }

// One version for each block, now and then one that was never written.
void fill_compare(scene& in, command& c) {
  c.versions = in.model.likely(c.id);
  if (in.luck().one_in(3)) c.versions[in.luck().between(0, c.count - 1)] = never_written;
  for (std::uint32_t i = 0; i < c.count; ++i)
    fill(c.data().subspan(i * block_model::block_bytes), block_content(c.first + i, c.versions[i]));
}

}  // namespace

std::string_view deed_name(deed d) {
  static constexpr std::string_view names[] = {
      "read",         "write",        "write zeroes", "compare",
      "flush",        "disconnect",   "identify",     "identify namespace",
      "get log page", "get features", "set features", "abort"};
  return names[static_cast<std::size_t>(d)];
}

std::unique_ptr<command> block_command(scene& in, deed what, std::uint32_t first,
                                       std::uint32_t count) {
  auto c = blank(in, what);
  c->first = first;
  c->count = count;
  const bool carries = what == deed::read || what == deed::write || what == deed::compare;
  give_memory(in, *c, carries ? count * block_model::block_bytes : 0);
  const auto shape = [&](std::uint8_t op) { return test::block_sqe(op, 0, 1, first, count, 0); };
  switch (what) {
    case deed::read:
      c->sqe = shape(op_read);
      c->way = direction::receive;
      in.model.begin_read(first, count, c->id);
      break;
    case deed::write:
      c->sqe = shape(op_write);
      c->way = direction::send;
      fill(c->data(), in.model.begin_write(first, count, c->id));
      break;
    case deed::write_zeroes:
      c->sqe = shape(op_write_zeroes);
      in.model.begin_write(first, count, 0);
      break;
    case deed::compare:
      c->sqe = shape(op_compare);
      c->way = direction::send;
      in.model.begin_read(first, count, c->id);
      fill_compare(in, *c);
      break;
    default:
      c->sqe = test::sqe(op_flush, 0, 1);
      break;
  }
  return c;
}

std::unique_ptr<command> any_block_command(scene& in) {
  chance& luck = in.luck();
  const auto count = static_cast<std::uint32_t>(luck.one_in(3) ? luck.between(1, largest_command)
                                                               : luck.between(1, 8));
  const auto first = static_cast<std::uint32_t>(luck.between(0, device_blocks - count));
  deed what = luck.any_of({deed::read, deed::read, deed::read, deed::read, deed::write, deed::write,
                           deed::write, deed::write, deed::compare, deed::write_zeroes});
  if (luck.one_in(20)) what = deed::flush;
  const bool changes = what == deed::write || what == deed::write_zeroes;
  if (changes && in.model.busy(first, count)) what = deed::flush;
  return block_command(in, what, first, count);
}

std::unique_ptr<command> any_admin_command(scene& in) {
  chance& luck = in.luck();
  const auto what =
      luck.any_of({deed::identify_controller, deed::identify_namespace, deed::get_log_page,
                   deed::get_features, deed::set_features, deed::abort});
  auto c = blank(in, what);
  const auto made = [&](std::uint8_t op, std::size_t receive, std::uint32_t dw10) {
    give_memory(in, *c, receive);
    if (receive != 0) c->way = direction::receive;
    c->sqe = test::with(test::sqe(op, 0), cdw10, 4, dw10);
  };
  switch (what) {
    case deed::identify_controller:
      made(op_identify, 4096, 0x01);
      break;
    case deed::identify_namespace:
      made(op_identify, 4096, 0x00);
      test::put(c->sqe, 4, 4, 1);
      break;
    case deed::get_log_page:
      // NUMDL, 0's based dwords, over the LID: errors, SMART, firmware slots.
      made(op_get_log_page, 512, luck.any_of<std::uint32_t>({0x01, 0x02, 0x03}) | 127u << 16);
      break;
    case deed::get_features:
      made(op_get_features, 0, luck.any_of<std::uint32_t>({0x04, 0x06, 0x07, 0x0b, 0x0f}));
      break;
    case deed::set_features:
      // Volatile Write Cache.
      made(op_set_features, 0, 0x06);
      test::put(c->sqe, cdw11, 4, luck.between(0, 1));
      break;
    default:
      // Abort, of a CID that no queue here has.
      made(op_abort, 0,
           static_cast<std::uint32_t>(luck.between(0, 4) | (0x8000 + luck.between(0, 9)) << 16));
      break;
  }
  return c;
}

std::unique_ptr<command> disconnect_command(scene& in, std::uint32_t io_queues) {
  auto c = blank(in, deed::disconnect);
  c->sqe = test::sqe(op_fabrics, 0, disconnect_type);
  c->qid = static_cast<std::uint16_t>(in.luck().between(1, io_queues));
  return c;
}

bool found_different(const command& c, const command_result& r) {
  return c.what == deed::compare && r.has_cqe && !r.error && r.status.sct == 2 &&
         r.status.sc == 0x85;
}

std::string judge_block_command(scene& in, command& c, const command_result& r, bool trusted) {
  block_model& m = in.model;
  switch (c.what) {
    case deed::write:
    case deed::write_zeroes:
      m.end_write(c.first, c.count, c.what == deed::write ? c.id : 0, r.ok() && trusted);
      if (!trusted) m.forget(c.first, c.count);
      return {};
    case deed::read:
      if (in.sabotage().commits(crime::read_wrong) && r.ok()) c.data()[9] ^= std::byte{4};
      return m.end_read(c.id, c.data(), r.ok() && trusted);
    case deed::compare: {
      const bool equal = r.ok() || in.sabotage().commits(crime::equal_anyway);
      if (trusted && (equal || found_different(c, r)))
        return m.end_compare(c.id, c.versions, equal);
      m.end_unjudged(c.id);
      return {};
    }
    default:
      return {};
  }
}

std::string judge_admin_command(const command& c, const command_result& r,
                                std::span<const std::byte> identify_controller) {
  if (!r.ok()) return {};
  const auto data = c.data();
  if (c.what == deed::identify_controller && !std::ranges::equal(data, identify_controller))
    return "Identify Controller says something else than during the bring-up";
  if (c.what == deed::identify_namespace && test::peek(data, 0, 8) != device_blocks)
    return "Identify Namespace says another size";
  // Bit 0 of dword 0: not aborted.
  if (c.what == deed::abort && (test::peek(r.cqe, 0, 4) & 1) == 0)
    return "a command that does not exist was aborted";
  return {};
}

// ---- how a host sends them ------------------------------------------------------------------

void sim_host::pump() {
  while (working_ && up() && !pausing_ && epoch_->in_flight < shape_.depth &&
         sent_ < shape_.commands) {
    ++sent_;
    auto c = in_.luck().one_in(10) ? any_admin_command(in_) : any_block_command(in_);
    if (c->what <= deed::flush)
      c->qid = static_cast<std::uint16_t>(in_.luck().between(1, association_->io_queues()));
    send(std::move(c));
  }
}

void sim_host::read(std::uint32_t first, std::uint32_t count) {
  auto c = block_command(in_, deed::read, first, count);
  c->qid = 1;
  send(std::move(c));
}

void sim_host::send(std::unique_ptr<command> c) {
  c->of = epoch_;
  ++epoch_->in_flight;
  ++in_flight_;
  ++commands_;
  in_.log().count(deed_name(c->what));
  if (in_.log().telling())
    say(fmt::format("command {}: {} of {} block(s) from {}, queue {}", c->id, deed_name(c->what),
                    c->count, c->first, c->qid));
  const std::uint16_t qid = c->qid;
  const direction way = c->way;
  const memdesc mem = c->memory == nullptr ? memdesc{} : memdesc::of(c->data());
  sqe_bytes bytes{};
  std::ranges::copy(c->sqe, bytes.begin());
  auto done = [this, c = std::move(c)](const command_result& r) mutable {
    if (c == nullptr) return wrong("a command ended twice");
    ended(std::move(c), r);
  };
  if (in_.sabotage().now(crime::lose_command, 20)) return;
  if (in_.sabotage().now(crime::end_twice, 20))
    return association_->submit(qid, bytes, mem, way, {},
                                [twice = std::move(done)](const command_result& r) mutable {
                                  twice(r);
                                  twice(r);
                                });
  association_->submit(qid, bytes, mem, way, {}, std::move(done));
}

void sim_host::ended(std::unique_ptr<command> c, const command_result& r) {
  if (c->of->gone) return wrong(fmt::format("command {} ended after teardown", c->id));
  --c->of->in_flight;
  --in_flight_;
  if (in_.log().telling())
    say(fmt::format("command {} ended: {}, status {:04x}h, {} bytes", c->id,
                    r.error ? r.error.message() : "no error", r.status.field(), r.bytes));
  if (in_.sabotage().commits(crime::harm_neighbour) && luck_.faults == 0 &&
      std::ranges::any_of(in_.net.hosts, [](const host_luck& h) { return h.faults > 0; })) {
    command_result harmed = r;
    harmed.error = errc::reset;
    answered(*c, harmed);
  } else {
    answered(*c, r);
  }
  mischief();
  pump();
}

void sim_host::answered(command& c, const command_result& r) {
  in_.log().add(std::as_bytes(std::span{&c.id, 1}));
  in_.log().add(c.data());
  if (!r.ok() && !found_different(c, r)) {
    ++failed_;
    if (!excused() && !told(r))
      wrong(fmt::format("command {}, {}, failed without a fault: {}, status {:04x}h", c.id,
                        deed_name(c.what), r.error ? r.error.message() : "no error",
                        r.status.field()));
  }
  const bool whole = r.bytes == c.data().size();
  const bool trusted = !luck_.doubtful && (whole || !luck_.cut);
  std::string bad = judge_block_command(in_, c, r, trusted);
  if (bad.empty() && trusted && c.what > deed::disconnect && association_ != nullptr)
    bad = judge_admin_command(c, r, association_->identify_controller());
  if (!bad.empty()) wrong(bad);
  if (r.ok() && trusted && !whole)
    wrong(fmt::format("command {} succeeded with {} of {} bytes", c.id, r.bytes, c.data().size()));
  if (c.memory == nullptr) return;
  if (std::string touched = c.memory->check(); !touched.empty()) wrong(touched);
  c.memory->retire();
  if (in_.sabotage().now(crime::write_late, 20)) on_.post([m = c.memory] { m->scribble(5); });
  if (in_.sabotage().now(crime::write_beyond, 20)) c.memory->scribble(-1);
}

}  // namespace nvmf::sim
