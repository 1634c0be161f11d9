// SPDX-License-Identifier: BSD-2-Clause
#include "rewriting.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/crc32c.hpp"
#include "wire/layouts/commands_admin.hpp"
#include "wire/layouts/discovery.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/tables.hpp"

namespace nvmf::cli::proxy {

namespace {

using wire::byte_span;
using wire::get;

constexpr std::uint8_t flag_hdgst = 1, flag_ddgst = 2;
constexpr std::uint64_t lid_discovery = 0x70;
constexpr std::uint64_t trtype_tcp = 3;
constexpr std::byte ipv4{1}, ipv6{2};  // ADRFAM
constexpr std::size_t entry_bytes = wire::discovery_entry.size;
constexpr std::size_t log_header = wire::discovery_log.size;
constexpr std::size_t adrfam_at = wire::offset_of<wire::discovery_entry, "adrfam">();
constexpr std::size_t port_at = wire::offset_of<wire::discovery_entry, "trsvcid">();
constexpr std::size_t address_at = wire::offset_of<wire::discovery_entry, "traddr">();
constexpr std::size_t port_bytes = 32, address_bytes = 256, front_bytes = port_at + port_bytes;

// ASCII of a field: what stands before its padding.
std::string_view text_of(byte_span field) {
  const std::string_view all{reinterpret_cast<const char*>(field.data()), field.size()};
  const std::string_view some = all.substr(0, all.find('\0'));
  return some.substr(0, some.find_last_not_of(' ') + 1);
}

// The part of `text`, padded to `size`, that lies in `piece`: `field` and `at` count from the
// beginning of the entry.
void put_text(std::span<std::byte> piece, std::size_t at, std::size_t field, std::size_t size,
              std::string_view text) {
  const std::size_t from = std::max(at, field), to = std::min(at + piece.size(), field + size);
  if (from >= to) return;
  // As the controller pads.
  const bool blanks = piece[to - 1 - at] == std::byte{' '};
  for (std::size_t i = from; i < to; ++i)
    piece[i - at] = i - field < text.size() ? static_cast<std::byte>(text[i - field])
                    : blanks                ? std::byte{' '}
                                            : std::byte{0};
}

}  // namespace

rewriting::rewriting(address_book& book, std::string address)
    : book_(book), address_(std::move(address)) {}

// --- PDUs ---------------------------------------------------------------------------------------

rewriting::header rewriting::take_header(walk& w, byte_span& bytes) {
  const auto fill = [&](std::size_t to) {
    const std::size_t n = std::min(to - std::min(to, w.have), bytes.size());
    std::copy_n(bytes.begin(), n, w.head.begin() + static_cast<std::ptrdiff_t>(w.have));
    w.have += n;
    bytes = bytes.subspan(n);
    return w.have >= to;
  };
  if (!fill(wire::pdu_common.size)) return header::more;
  const wire::layout* form = wire::pdu_layout(static_cast<std::uint8_t>(w.head[0]));
  const auto plen = get<wire::pdu_common, "plen">(w.head);
  if (form == nullptr || w.hlen() != form->size || plen < w.hlen()) return header::wrong;
  if (!fill(w.hlen())) return header::more;
  w.have = 0;
  w.left = plen - w.hlen();
  return header::whole;
}

void rewriting::from_host(byte_span bytes) {
  while (!bytes.empty() && !over_) {
    if (host_.left > 0) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(host_.left, bytes.size()));
      host_.left -= n;
      bytes = bytes.subspan(n);
      continue;
    }
    const header h = take_header(host_, bytes);
    if (h == header::wrong) over_ = true;
    if (h == header::whole) look_at_command(byte_span{host_.head}.first(host_.hlen()));
  }
}

void rewriting::look_at_command(byte_span head) {
  if (std::to_integer<unsigned>(head[0]) != static_cast<unsigned>(wire::pdu_type::capsule_cmd))
    return;
  const byte_span sqe = wire::bytes_of<wire::pdu_capsule_cmd, "ccsqe">(head);
  const auto cid = static_cast<std::uint16_t>(get<wire::sqe_layout, "cid">(sqe));
  const auto opcode = std::to_integer<std::uint8_t>(sqe[0]);
  reads_.erase(cid);
  if (opcode == wire::fabrics_opcode) {
    if (std::to_integer<unsigned>(sqe[4]) == static_cast<unsigned>(wire::fabrics_type::connect) &&
        get<wire::connect_command, "qid">(sqe) != 0)
      over_ = true;
    return;
  }
  constexpr const wire::layout& log = wire::get_log_page_command;
  if (opcode != static_cast<std::uint8_t>(wire::admin_opcode::get_log_page) ||
      get<log, "lid">(sqe) != lid_discovery)
    return;
  if (get<log, "ot">(sqe) != 0)
    return book_.left_alone("a host reads the discovery log by an index");
  // EXTDLPES (Base 2.0, 5.16.1.23): entries of other lengths.
  if ((get<log, "lsp">(sqe) & 1) != 0)
    return book_.left_alone("a host asked for extended discovery log entries");
  reads_[cid] = get<log, "lpou">(sqe) << 32 | get<log, "lpol">(sqe);
}

byte_span rewriting::from_controller(std::span<std::byte> bytes) {
  if (over()) return bytes;
  out_.clear();
  // Most of the time nothing changes, and nothing is copied.
  bool copied = false;
  const std::span<std::byte> all = bytes;
  while (!bytes.empty()) {
    if (now_.on) {
      if (!copied) pass(all.first(all.size() - bytes.size()));
      copied = true;
      body(bytes);
      continue;
    }
    const std::span<std::byte> before = bytes;
    if (over_) {
      bytes = {};
    } else if (controller_.left > 0) {
      bytes = bytes.subspan(
          static_cast<std::size_t>(std::min<std::uint64_t>(controller_.left, bytes.size())));
      controller_.left -= before.size() - bytes.size();
    } else {
      byte_span rest = bytes;
      const header h = take_header(controller_, rest);
      bytes = bytes.subspan(bytes.size() - rest.size());
      if (h == header::wrong) over_ = true;
      if (h == header::whole) look_at_answer(byte_span{controller_.head}.first(controller_.hlen()));
    }
    if (copied) pass(before.first(before.size() - bytes.size()));
  }
  return copied ? byte_span{out_} : byte_span{all};
}

void rewriting::look_at_answer(byte_span head) {
  const auto type = static_cast<wire::pdu_type>(head[0]);
  if (type == wire::pdu_type::capsule_resp) {
    const byte_span cqe = wire::bytes_of<wire::pdu_capsule_resp, "rccqe">(head);
    reads_.erase(static_cast<std::uint16_t>(get<wire::cqe_layout, "cid">(cqe)));
    return;
  }
  if (type != wire::pdu_type::c2h_data) return;
  const auto read = reads_.find(static_cast<std::uint16_t>(get<wire::pdu_c2h_data, "cccid">(head)));
  if (read == reads_.end()) return;
  const auto flags = std::to_integer<unsigned>(head[1]);
  const std::uint64_t behind = (flags & flag_ddgst) != 0 ? 4 : 0;
  const std::uint64_t data = get<wire::pdu_c2h_data, "datal">(head);
  const std::uint64_t data_at = get<wire::pdu_common, "pdo">(head);
  const std::uint64_t header_end = head.size() + ((flags & flag_hdgst) != 0 ? 4u : 0u);
  // Else it is not what it says.
  if (data == 0 || data_at < header_end ||
      data_at + data + behind != head.size() + controller_.left)
    return book_.left_alone("a C2HData of a discovery log has lengths that do not fit");
  now_ = {.on = true, .before = data_at - head.size(), .data = data, .behind = behind};
  controller_.left = 0;
  held_at_ = read->second + get<wire::pdu_c2h_data, "datao">(head);
}

void rewriting::body(std::span<std::byte>& bytes) {
  const auto part = [&](std::uint64_t& of) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(of, bytes.size()));
    const auto taken = bytes.first(n);
    of -= n;
    bytes = bytes.subspan(n);
    return taken;
  };
  if (now_.before > 0)
    pass(part(now_.before));
  else if (now_.data > 0)
    take_data(part(now_.data));
  else
    take_digest(part(now_.behind));
  if (now_.data == 0 && now_.behind == 0) now_.on = false;
}

// --- Data ---------------------------------------------------------------------------------------

void rewriting::take_data(byte_span bytes) {
  now_.crc_was = wire::crc32c(now_.crc_was, bytes);
  held_.insert(held_.end(), bytes.begin(), bytes.end());
  std::size_t done = 0;
  while (done < held_.size()) {
    const std::size_t unit = entry_bytes - held_at_ % entry_bytes;
    const std::size_t n = std::min(unit, held_.size() - done);
    if (n < unit && now_.data > 0) break;  // the rest of it follows
    const auto piece = std::span{held_}.subspan(done, n);
    if (held_at_ >= log_header) rewrite(piece, held_at_ - log_header);
    now_.crc = wire::crc32c(now_.crc, piece);
    pass(piece);
    done += n;
    held_at_ += n;
  }
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(done));
}

// One that was wrong stays wrong.
void rewriting::take_digest(byte_span bytes) {
  digest_.insert(digest_.end(), bytes.begin(), bytes.end());
  if (now_.behind > 0) return;
  const bool good = wire::load_le(digest_, 0, 4) == now_.crc_was;
  wire::store_le(digest_, 0, 4, good ? now_.crc : ~now_.crc);
  pass(digest_);
  digest_.clear();
}

void rewriting::rewrite(std::span<std::byte> piece, std::uint64_t at) {
  const std::uint64_t index = at / entry_bytes;
  if (entries_.size() >= entries_max && !entries_.contains(index))
    return book_.left_alone("a discovery log has too many entries");
  rewrite_entry(entries_[index], piece, static_cast<std::size_t>(at % entry_bytes));
}

void rewriting::learn(entry& e, byte_span piece, std::size_t at) {
  if (at == 0) {
    e.has_front.reset();
    e.has_address.reset();
    e.left = false;
  }
  for (std::size_t i = 0; i < piece.size(); ++i) {
    const std::size_t place = at + i;
    if (place < front_bytes) {
      e.front[place] = piece[i];
      e.has_front.set(place);
    } else if (place >= address_at && place < address_at + address_bytes) {
      e.address[place - address_at] = piece[i];
      e.has_address.set(place - address_at);
    }
  }
}

std::uint16_t rewriting::port_of(entry& e) {
  if (!e.has_front.all() || !e.has_address.all()) {
    if (e.reserved == 0) e.reserved = book_.reserve();
    return e.reserved;
  }
  const std::string_view traddr = text_of(e.address);
  const std::string_view trsvcid = text_of(byte_span{e.front}.subspan(port_at));
  if (e.reserved == 0) return book_.port_for(traddr, trsvcid);
  return book_.settle(e.reserved, traddr, trsvcid) ? e.reserved : 0;
}

void rewriting::rewrite_entry(entry& e, std::span<std::byte> piece, std::size_t at) {
  const auto has = [&](std::size_t from, std::size_t size) {
    return at < from + size && at + piece.size() > from;
  };
  learn(e, piece, at);
  const bool family = has(adrfam_at, 1), port = has(port_at, port_bytes),
             address = has(address_at, address_bytes);
  if (!family && !port && !address) return;
  if (!e.has_front.test(0)) return book_.left_alone("a host reads a discovery log from within");
  if (e.left || std::to_integer<std::uint64_t>(e.front[0]) != trtype_tcp) return;
  const std::uint16_t there = port_of(e);
  e.left = there == 0;
  if (e.left) return;
  if (family) piece[adrfam_at - at] = address_.find(':') != std::string::npos ? ipv6 : ipv4;
  if (port) put_text(piece, at, port_at, port_bytes, fmt::to_string(there));
  if (!address) return;
  put_text(piece, at, address_at, address_bytes, address_);
  book_.rewritten();
}

byte_span rewriting::rest() {
  out_ = std::move(held_);
  held_.clear();
  out_.insert(out_.end(), digest_.begin(), digest_.end());
  digest_.clear();
  now_.on = false;
  over_ = true;
  return out_;
}

void rewriting::pass(byte_span bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

}  // namespace nvmf::cli::proxy
