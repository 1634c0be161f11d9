// SPDX-License-Identifier: BSD-2-Clause
#include "event_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nvmf/qpair.hpp>

#include "wire/bytes.hpp"
#include "wire/commands.hpp"
#include "wire/expression/symbols.hpp"
#include "wire/names.hpp"
#include "wire/numbers.hpp"
#include "wire/tables.hpp"

namespace nvmf::cli::repl {
namespace {

struct event_row {
  std::string_view name;
  event_type type;
};
// As the callbacks print themselves.
constexpr std::array callbacks{
    event_row{"receive_cb", event_type::receive_callback},
    event_row{"io_cb", event_type::data_callback},
    event_row{"error_cb", event_type::error_callback},
};
constexpr std::array all_types{
#define X(id, number, title, fields) event_type::id,
#include <nvmf/event.def>
#undef X
};

// Of bytes moved the workbench keeps nothing.
bool is_kept(event_type t) { return t != event_type::sent && t != event_type::received; }

std::optional<event_type> type_of(std::string_view name) {
  for (const event_row& r : callbacks)
    if (r.name == name) return r.type;
  const std::string kebab = wire::to_kebab(name);
  for (const event_type t : all_types)
    if (event_name(t) == kebab && is_kept(t)) return t;
  return std::nullopt;
}

bool is_callback(const recorded_event& e) {
  return std::ranges::any_of(callbacks, [&](const event_row& r) { return r.type == e.type; });
}

struct family {
  std::string_view name;
  bool (*is)(const recorded_event& e);
};
constexpr std::array families{
    family{"callback", is_callback},         family{"capsule", is_capsule_event},
    family{"digest-error", is_digest_error}, family{"pdu", is_pdu_event},
    family{"work", is_work_event},
};

bool has_pdu(event_type t) {
  return t == event_type::pdu_in || t == event_type::pdu_out || t == event_type::pdu_in_data;
}

// The status in the CQE that an event has; nothing when it has none.
std::optional<std::uint64_t> status_in(const recorded_event& e) {
  const bool response = e.type == event_type::response_in || e.type == event_type::response_out ||
                        e.type == event_type::receive_callback;
  if (!response || e.header.size() != 16) return std::nullopt;
  const auto word = static_cast<std::uint16_t>(wire::load_le(e.header, 14, 2));
  return nvme_status::from_cqe_word(word).raw_code();
}

bool has_sqe(const recorded_event& e) {
  const bool command = e.type == event_type::command_in || e.type == event_type::command_out ||
                       e.type == event_type::receive_callback;
  return command && e.header.size() == 64;
}

// The opcode in the SQE that an event has.
std::optional<std::uint64_t> opcode_in(const recorded_event& e) {
  if (!has_sqe(e)) return std::nullopt;
  return std::to_integer<std::uint64_t>(e.header[0]);
}

std::optional<std::uint64_t> command_in(const recorded_event& e) {
  if (!has_sqe(e)) return std::nullopt;
  return wire::command_number(e.qid == 0, std::to_integer<std::uint8_t>(e.header[0]),
                              std::to_integer<std::uint8_t>(e.header[4]));
}

complaint at(const word& w, const wire::text_error& e) {
  return {to_text(e), w.quoted || w.expanded ? w.column : w.column + e.position};
}

using taken = std::expected<void, complaint>;
using reader = std::expected<std::uint64_t, wire::text_error> (*)(std::string_view);

taken take(arguments& args, std::string_view key, std::optional<std::uint64_t>& to, reader read) {
  const auto w = args.take_option(key);
  if (!w) return {};
  const auto v = read(w->text);
  if (!v) return std::unexpected(at(*w, v.error()));
  to = *v;
  return {};
}

void take(arguments& args, std::string_view key, std::optional<std::string>& to) {
  if (const auto w = args.take_option(key)) to = w->text;
}

std::expected<std::uint64_t, wire::text_error> any_number(std::string_view typed) {
  return wire::parse_size(typed, "value");
}

taken take_within(arguments& args, std::optional<std::chrono::nanoseconds>& to) {
  if (!args.take_keyword("within")) return {};
  const auto w = args.take("a time, such as 1s,");
  if (!w) return std::unexpected(w.error());
  const auto t = time_of(*w, "within");
  if (!t) return std::unexpected(t.error());
  to = *t;
  return {};
}

// A bare number is an opcode of any kind of queue.
taken take_command(arguments& args, event_filter& f) {
  const auto w = args.take_option("opcode");
  if (!w) return {};
  if (const auto n = wire::parse_number(w->text, "opcode", {.max = 255})) {
    f.opcode = *n;
    return {};
  }
  const auto c = wire::lookup_command(w->text);
  if (!c) return std::unexpected(at(*w, c.error()));
  f.command = *c;
  return {};
}

taken take_numbers(arguments& args, event_filter& f) {
  const std::array numbers{std::pair{"qid", &f.qid}, std::pair{"cid", &f.cid},
                           std::pair{"bytes", &f.bytes}, std::pair{"a", &f.a},
                           std::pair{"b", &f.b}};
  for (const auto& [key, to] : numbers)
    if (auto d = take(args, key, *to, any_number); !d) return d;
  const auto pdu = [](std::string_view typed) {
    return wire::parse_value(wire::pdu_types, typed, "pdu", 255);
  };
  if (auto d = take(args, "pdu", f.pdu, pdu); !d) return d;
  if (auto d = take_command(args, f); !d) return d;
  return take(args, "status", f.status, wire::lookup_status);
}

}  // namespace

std::vector<std::string_view> event_names() {
  std::vector<std::string_view> names;
  for (const event_row& r : callbacks) names.push_back(r.name);
  for (const family& f : families) names.push_back(f.name);
  for (const event_type t : all_types)
    if (is_kept(t)) names.push_back(event_name(t));
  return names;
}

bool is_pdu_event(const recorded_event& e) {
  return e.type == event_type::pdu_in || e.type == event_type::pdu_out;
}

bool is_work_event(const recorded_event& e) {
  return e.type == event_type::work_posted || e.type == event_type::work_done;
}

bool is_capsule_event(const recorded_event& e) {
  return e.type == event_type::command_in || e.type == event_type::command_out ||
         e.type == event_type::response_in || e.type == event_type::response_out;
}

bool is_digest_error(const recorded_event& e) {
  if (e.type == event_type::pdu_in_data) return e.b != 0;
  if (e.type == event_type::data_callback) return e.error == errc::data_digest;
  return e.type == event_type::violation &&
         e.a == static_cast<std::uint64_t>(wire::fes::header_digest_error);
}

bool event_filter::matches(const seen_event& seen, bool quiet_too) const {
  const recorded_event& e = seen.what;
  const auto same = [](const auto& wanted, const auto& got) { return !wanted || *wanted == got; };
  const auto has = [](const auto& wanted, std::string_view got) {
    return !wanted || got.find(*wanted) != std::string_view::npos;
  };
  if (seen.quiet && !quiet_too) return false;
  if (is != nullptr ? !is(e) : e.type != type) return false;
  if (!same(queue, seen.queue) || !same(qid, e.qid)) return false;
  if (cid && (!e.has_cid || *cid != e.cid)) return false;
  if (!same(bytes, e.a) || !same(a, e.a) || !same(b, e.b) || !has(text, e.text)) return false;
  if (error && *error == "none" ? static_cast<bool>(e.error) : !has(error, e.error.message()))
    return false;
  if (pdu &&
      (!has_pdu(e.type) || e.header.empty() || std::to_integer<std::uint64_t>(e.header[0]) != *pdu))
    return false;
  if (opcode && opcode_in(e) != opcode) return false;
  if (command && command_in(e) != command) return false;
  if (status_not && (!status_in(e) || status_in(e) == status_not)) return false;
  return !status || status_in(e) == status;
}

std::expected<event_filter, complaint> take_event_filter(arguments& args) {
  const auto name = args.take("an event, such as io_cb,");
  if (!name) return std::unexpected(name.error());
  event_filter f;
  const std::string kebab = wire::to_kebab(name->text);
  for (const family& each : families)
    if (each.name == kebab) f.is = each.is;
  f.type = type_of(name->text);
  if (f.is == nullptr && !f.type) {
    const auto names = event_names();
    return wrong(fmt::format("{} is not an event{} (they are {})", wire::quoted(name->text),
                             wire::did_you_mean(name->text, names), fmt::join(names, " ")),
                 name->column);
  }
  take(args, "qpair", f.queue);
  take(args, "queue", f.queue);
  take(args, "text", f.text);
  take(args, "error", f.error);
  if (auto d = take_numbers(args, f); !d) return std::unexpected(d.error());
  if (auto d = take_within(args, f.within); !d) return std::unexpected(d.error());
  if (const word* w = args.peek())
    return wrong(fmt::format("{} is not expected here: qpair= qid= cid= bytes= a= b= pdu= opcode= "
                             "status= text= error= or within TIME",
                             wire::quoted(w->text)),
                 w->column);
  return f;
}

}  // namespace nvmf::cli::repl
