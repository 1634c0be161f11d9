// SPDX-License-Identifier: BSD-2-Clause
#include "logs.hpp"

#include <algorithm>

#include "text_field.hpp"
#include "wire/layouts/logs.hpp"

namespace nvmf::engine {
namespace {

using wire::admin_opcode;
using wire::log_page;
using wire::mutable_byte_span;
using wire::nvm_opcode;
using wire::set;

constexpr std::uint8_t id(log_page p) { return static_cast<std::uint8_t>(p); }
constexpr std::uint8_t id(admin_opcode o) { return static_cast<std::uint8_t>(o); }
constexpr std::uint8_t id(nvm_opcode o) { return static_cast<std::uint8_t>(o); }

struct page_row {
  log_page lid;
  bool io, discovery;
};
constexpr page_row page_rows[] = {
    {log_page::supported_log_pages, true, false},
    {log_page::error_information, true, true},
    {log_page::smart_health, true, false},
    {log_page::firmware_slot, true, false},
    {log_page::changed_namespace_list, true, false},
    {log_page::commands_supported_and_effects, true, false},
    {log_page::discovery, false, true},
};

struct admin_row {
  admin_opcode opcode;
  bool on_discovery;
  bool changes_controller;  // CCC of log page 05h
};
constexpr admin_row admin_rows[] = {
    {admin_opcode::get_log_page, true, false}, {admin_opcode::identify, true, false},
    {admin_opcode::abort, false, false},       {admin_opcode::set_features, true, true},
    {admin_opcode::get_features, true, false}, {admin_opcode::async_event_request, true, false},
    {admin_opcode::keep_alive, true, false},
};

struct io_row {
  nvm_opcode opcode;
  bool changes_blocks;  // LBCC of log page 05h
};
constexpr io_row io_rows[] = {
    {nvm_opcode::flush, false},       {nvm_opcode::write, true},
    {nvm_opcode::read, false},        {nvm_opcode::compare, false},
    {nvm_opcode::write_zeroes, true}, {nvm_opcode::dataset_management, true},
    {nvm_opcode::verify, false},
};
constexpr std::uint32_t scope_namespace = 1, scope_controller = 2;

// Units of 512 bytes in thousands, rounded up (Base 2.0, 5.16.1.3).
std::uint64_t data_units(std::uint64_t bytes) {
  constexpr std::uint64_t unit = 512'000;
  return bytes / unit + (bytes % unit != 0 ? 1 : 0);
}

template <wire::fixed_name Field>
void put16(std::vector<std::byte>& page, std::uint64_t value) {
  const auto field = wire::bytes_of<wire::smart_log, Field>(mutable_byte_span{page});
  wire::store_le(field, 0, 8, value);
}

}  // namespace

void error_history::add(const error_record& e, std::uint64_t missed) {
  count_ += missed + 1;
  ring_[next_] = {e, count_};
  next_ = (next_ + 1) % ring_.size();
  held_ = std::min(held_ + 1, ring_.size());
}

std::vector<std::byte> error_history::page(std::uint8_t trtype) const {
  using wire::error_log_entry;
  std::vector<std::byte> page(ring_.size() * error_log_entry.size);
  for (std::size_t i = 0; i < held_; ++i) {
    const entry& from = ring_[(next_ + ring_.size() - 1 - i) % ring_.size()];
    const auto to = mutable_byte_span{page}.subspan(i * error_log_entry.size, error_log_entry.size);
    set<error_log_entry, "ecnt">(to, from.number);
    set<error_log_entry, "sqid">(to, from.e.sqid);
    set<error_log_entry, "cid">(to, from.e.cid);
    set<error_log_entry, "status">(to, from.e.status.cqe_word());
    set<error_log_entry, "pel">(to, from.e.location);
    set<error_log_entry, "lba">(to, from.e.lba);
    set<error_log_entry, "nsid">(to, from.e.nsid);
    set<error_log_entry, "trtype">(to, trtype);
  }
  return page;
}

void changed_namespaces::add(std::uint32_t nsid) {
  if (overflow_) return;
  const auto at = std::ranges::lower_bound(nsids_, nsid);
  if (at != nsids_.end() && *at == nsid) return;
  if (nsids_.size() == capacity) {
    overflow_ = true;
    nsids_.clear();
    return;
  }
  nsids_.insert(at, nsid);
}

void changed_namespaces::clear() {
  nsids_.clear();
  overflow_ = false;
}

std::vector<std::byte> changed_namespaces::page() const {
  std::vector<std::byte> page(capacity * 4);
  if (overflow_) wire::store_le(page, 0, 4, broadcast_nsid);
  for (std::size_t i = 0; i < nsids_.size(); ++i) wire::store_le(page, i * 4, 4, nsids_[i]);
  return page;
}

bool has_page(std::uint8_t lid, controller_kind kind) {
  return std::ranges::any_of(page_rows, [&](const page_row& r) {
    return id(r.lid) == lid && (kind == controller_kind::io ? r.io : r.discovery);
  });
}

bool admin_opcode_supported(std::uint8_t opcode, controller_kind kind) {
  return std::ranges::any_of(admin_rows, [&](const admin_row& r) {
    return id(r.opcode) == opcode && (kind == controller_kind::io || r.on_discovery);
  });
}

bool io_opcode_supported(std::uint8_t opcode) {
  return std::ranges::any_of(io_rows, [&](const io_row& r) { return id(r.opcode) == opcode; });
}

std::vector<std::byte> supported_pages(controller_kind kind) {
  using wire::supported_log_entry;
  std::vector<std::byte> page(256 * supported_log_entry.size);
  for (std::size_t lid = 0; lid < 256; ++lid)
    set<supported_log_entry, "lsupp">(
        mutable_byte_span{page}.subspan(lid * supported_log_entry.size, supported_log_entry.size),
        has_page(static_cast<std::uint8_t>(lid), kind));
  return page;
}

std::vector<std::byte> smart_page(const io_counters& io, std::uint64_t errors, duration up) {
  using wire::smart_log;
  std::vector<std::byte> page(smart_log.size);
  // There is no medium that wears and no sensor: temperatures stay 0, "not reported".
  set<smart_log, "avsp">(page, 100);
  put16<"dur">(page, data_units(io.read_bytes));
  put16<"duw">(page, data_units(io.written_bytes));
  put16<"hrc">(page, io.read_commands);
  put16<"hwc">(page, io.write_commands);
  put16<"mdie">(page, io.media_errors);
  put16<"neile">(page, errors);
  put16<"poh">(
      page, static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::hours>(up).count()));
  return page;
}

std::vector<std::byte> firmware_page(std::string_view revision) {
  using wire::firmware_slot_log;
  std::vector<std::byte> page(firmware_slot_log.size);
  set<firmware_slot_log, "active">(page, 1);
  put_padded(wire::bytes_of<firmware_slot_log, "frs1">(mutable_byte_span{page}), revision);
  return page;
}

std::vector<std::byte> command_effects_page() {
  using wire::command_effects_entry;
  std::vector<std::byte> page(4096);
  const auto entry = [&](std::size_t base, std::uint8_t opcode) {
    return mutable_byte_span{page}.subspan(base + opcode * command_effects_entry.size,
                                           command_effects_entry.size);
  };
  for (const admin_row& r : admin_rows) {
    const auto e = entry(0, id(r.opcode));
    set<command_effects_entry, "csupp">(e, 1);
    set<command_effects_entry, "ccc">(e, r.changes_controller);
    set<command_effects_entry, "csp">(e, scope_controller);
  }
  for (const io_row& r : io_rows) {
    const auto e = entry(1024, id(r.opcode));
    set<command_effects_entry, "csupp">(e, 1);
    set<command_effects_entry, "lbcc">(e, r.changes_blocks);
    set<command_effects_entry, "csp">(e, scope_namespace);
  }
  return page;
}

}  // namespace nvmf::engine
