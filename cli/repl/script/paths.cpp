// SPDX-License-Identifier: BSD-2-Clause
#include "paths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "../workbench.hpp"
#include "wire/crc32c.hpp"
#include "wire/encode.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/render_walk.hpp"
#include "wire/uuid.hpp"

namespace nvmf::cli::repl {
namespace {

constexpr std::string_view command_members =
    ".status .error .bytes .time .done .state .cid .queue .command .data .sqe.FIELD .cqe.FIELD";
constexpr std::string_view incoming_members =
    ".answered .end .cid .queue .length .in-capsule .fetched .sent .verdict .command .sqe.FIELD";
constexpr std::string_view buffer_members = ".size .crc .LAYOUT.FIELD [OFFSET,LENGTH]";
constexpr std::string_view queue_members = ".up .paused .qid .under-way .ended .size .peer";
constexpr std::string_view connection_members =
    ".up .io-queues .cntlid .namespaces .failure .identify.FIELD .ns.NSID.blocks "
    ".ns.NSID.block-size";

value copied(std::span<const std::byte> b) { return value::of_bytes(b, nullptr).snapshot(); }

std::string text_in(std::span<const std::byte> b) {
  std::string s;
  for (const std::byte x : b) s += static_cast<char>(std::to_integer<unsigned char>(x));
  return s;
}

value value_of_field(const wire::field& f, std::span<const std::byte> structure,
                     std::span<const std::byte> bytes) {
  if (f.is_scalar() && structure.size() >= f.offset + f.size)
    return value::of_number(wire::get(structure, f), f.values);
  if (f.as == wire::kind::number || f.as == wire::kind::hex) {  // of a list, or of 16 bytes
    const std::size_t low = std::min<std::size_t>(bytes.size(), 8);
    const auto is_zero = [](std::byte b) { return b == std::byte{0}; };
    if (std::ranges::all_of(bytes.subspan(low), is_zero))
      return value::of_number(wire::load_le(bytes, 0, low), f.values);
  }
  std::string text = text_in(bytes);
  switch (f.as) {
    case wire::kind::ascii:
      while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.pop_back();
      return value::of_text(std::move(text));
    case wire::kind::text:
      return value::of_text(text.substr(0, text.find('\0')));
    case wire::kind::uuid: {
      wire::uuid u;
      if (bytes.size() != u.bytes.size()) break;
      std::ranges::copy(bytes, u.bytes.begin());
      return value::of_text(to_text(u));
    }
    default:
      break;
  }
  return copied(bytes);
}

std::string_view state_name(capsule_state s) {
  switch (s) {
    case capsule_state::built:
      return "built";
    case capsule_state::sent:
      return "sent";
    case capsule_state::ended:
      break;
  }
  return "ended";
}

found_value data_of(const capsule_object& c) {
  if (!c.memory) return value{};
  std::vector<std::byte> all;
  for (const auto& s : c.memory->segments) {
    const auto* from = static_cast<const std::byte*>(s.data);
    all.insert(all.end(), from, from + s.size);
  }
  return copied(all);
}

found_value simple_member(const capsule_object& c, std::string_view member) {
  const bool ended = c.state == capsule_state::ended;
  if (member == "status")
    return c.result.has_cqe && ended ? value::of_status(c.result.status.raw_code()) : value{};
  if (member == "error")
    return ended && c.result.error ? value::of_text(c.result.error.message()) : value{};
  if (member == "bytes") return ended ? value::of_number(c.result.bytes) : value{};
  if (member == "time") return ended ? value::of_time(c.ended_at - c.sent_at) : value{};
  if (member == "done") return value::of(ended);
  if (member == "state") return value::of_text(std::string{state_name(c.state)});
  if (member == "queue") return c.queue.empty() ? value{} : value::of_text(c.queue);
  if (member == "command") return value::of_text(spelled(c.command));
  if (member == "data") return data_of(c);
  if (member == "cid") {
    if (c.result.has_cqe) return read_field(std::array{&wire::cqe_layout}, c.result.cqe, "cid");
    return c.under_way() && c.handle ? value::of_number(c.cid) : value{};
  }
  return std::unexpected(std::string{});
}

std::optional<found_value> read_command(const workbench& bench, std::string_view name,
                                        std::string_view rest) {
  const auto c = bench.capsules.find(name);
  if (!c) return std::nullopt;
  const std::string_view all = rest, member = take_member(rest);
  if (member == "sqe")
    return read_sqe_field(c->sqe, c->admin, rest.empty() ? rest : rest.substr(1));
  if (member == "cqe") {
    if (!c->result.has_cqe) return value{};
    const std::array forms{&wire::cqe_form(c->sqe, c->admin, c->result.cqe), &wire::cqe_layout};
    return read_field(forms, c->result.cqe, rest.empty() ? rest : rest.substr(1));
  }
  if (rest.empty() && !member.empty())
    if (auto v = simple_member(*c, member); v || !v.error().empty()) return v;
  return std::unexpected(no_member(name, all, command_members));
}

std::vector<std::string_view> command_names(const workbench& bench) {
  return bench.capsules.names();
}

found_value incoming_member(const incoming_object& c, std::string_view member) {
  if (member == "answered") return value::of(!c.end.empty());
  if (member == "end") return c.end.empty() ? value{} : value::of_text(c.end);
  if (member == "cid") return read_sqe_field(c.sqe, c.admin, "cid");
  if (member == "queue") return value::of_text(c.queue);
  if (member == "length") return value::of_number(c.length);
  if (member == "in-capsule") return value::of_number(c.in_capsule);
  if (member == "fetched") return value::of_number(c.fetched);
  if (member == "sent") return value::of_number(c.sent);
  if (member == "verdict") return value::of_status(c.verdict.raw_code());
  if (member == "command") return value::of_text(spelled(c.command));
  return std::unexpected(std::string{});
}

std::optional<found_value> read_incoming(const workbench& bench, std::string_view name,
                                         std::string_view rest) {
  const auto c = bench.incoming.find(name);
  if (!c) return std::nullopt;
  const std::string_view all = rest, member = take_member(rest);
  if (member == "sqe")
    return read_sqe_field(c->sqe, c->admin, rest.empty() ? rest : rest.substr(1));
  if (rest.empty() && !member.empty())
    if (auto v = incoming_member(*c, member); v || !v.error().empty()) return v;
  return std::unexpected(no_member(name, all, incoming_members));
}

std::vector<std::string_view> incoming_names(const workbench& bench) {
  return bench.incoming.names();
}

// "[OFFSET,LENGTH]" of `bytes`, taken off `rest`.
std::expected<std::span<const std::byte>, std::string> take_window(std::span<const std::byte> bytes,
                                                                   std::string_view& rest) {
  const std::size_t close = rest.find(']');
  if (close == std::string_view::npos) return std::unexpected(std::string{"no ] ends this"});
  const std::string_view inner = rest.substr(1, close - 1);
  rest.remove_prefix(close + 1);
  const std::size_t comma = inner.find(',');
  const auto offset = wire::parse_size(inner.substr(0, comma), "offset", {.max = bytes.size()});
  if (!offset) return std::unexpected(to_text(offset.error()));
  bytes = bytes.subspan(*offset);
  if (comma == std::string_view::npos) return bytes;
  const auto length = wire::parse_size(inner.substr(comma + 1), "length", {.max = bytes.size()});
  if (!length) return std::unexpected(to_text(length.error()));
  return bytes.first(*length);
}

std::optional<found_value> read_buffer(const workbench& bench, std::string_view name,
                                       std::string_view rest) {
  const auto b = bench.buffers.find(name);
  if (!b) return std::nullopt;
  std::span<const std::byte> bytes = b->bytes;
  if (rest.starts_with('[')) {
    const auto window = take_window(bytes, rest);
    if (!window) return std::unexpected(window.error());
    bytes = *window;
  }
  if (rest.empty()) return value::of_bytes(bytes, b);
  const std::string_view all = rest, member = take_member(rest);
  if (rest.empty() && member == "size") return value::of_number(bytes.size());
  if (rest.empty() && member == "crc") return value::of_number(wire::crc32c(0, bytes));
  const wire::layout* l = member.empty() ? nullptr : wire::find_layout(member);
  if (l == nullptr) return std::unexpected(no_member(name, all, buffer_members));
  return read_field(std::array{l}, bytes, rest.empty() ? rest : rest.substr(1));
}

std::vector<std::string_view> buffer_names(const workbench& bench) { return bench.buffers.names(); }

found_value queue_member(const queue_object& q, std::string_view member) {
  const auto c = q.of.lock();
  const qpair* const at = reach(q);
  if (member == "paused") return value::of(is_paused(q));
  if (member == "up") return value::of(!q.ended && (c ? c->up : reach(q) != nullptr));
  if (member == "qid") return value::of_number(q.qid);
  if (member == "under-way") return value::of_number(q.under_way.size());
  if (member == "ended") return q.ended ? value::of_text(*q.ended) : value{};
  if (member == "peer")
    return c ? value::of_text(c->uri) : at ? value::of_text(at->peer()) : value{};
  if (member == "size") {
    return at != nullptr ? value::of_number(at->limits().queue_size) : value{};
  }
  return std::unexpected(std::string{});
}

std::optional<found_value> read_queue(const workbench& bench, std::string_view name,
                                      std::string_view rest) {
  const auto q = bench.queues.find(name);
  if (!q) return std::nullopt;
  const std::string_view all = rest, member = take_member(rest);
  if (rest.empty() && !member.empty())
    if (auto v = queue_member(*q, member); v || !v.error().empty()) return v;
  return std::unexpected(no_member(name, all, queue_members));
}

std::vector<std::string_view> queue_names(const workbench& bench) { return bench.queues.names(); }

found_value namespace_member(const connection_object& c, std::string_view rest) {
  const auto nsid = wire::parse_number(take_member(rest), "ns");
  if (!nsid) return std::unexpected(to_text(nsid.error()));
  const std::string_view member = take_member(rest);
  if (!rest.empty() || (member != "blocks" && member != "block-size"))
    return std::unexpected(
        no_member("ns.NSID", fmt::format(".{}{}", member, rest), ".blocks .block-size"));
  for (const namespace_info& n : c.with->namespaces())
    if (n.nsid == *nsid) return value::of_number(member == "blocks" ? n.blocks : n.block_size);
  return value{};
}

found_value connection_member(const connection_object& c, std::string_view member,
                              std::string_view rest) {
  if (member == "identify") {
    const wire::layout* l = wire::find_layout("identify-controller");
    return read_field(std::array{l}, c.with->identify_controller(),
                      rest.empty() ? rest : rest.substr(1));
  }
  if (member == "ns") return namespace_member(c, rest);
  if (!rest.empty()) return std::unexpected(std::string{});
  if (member == "up") return value::of(c.up);
  if (member == "io-queues") return value::of_number(c.with->io_queues());
  if (member == "cntlid") return value::of_number(c.with->controller_id());
  if (member == "namespaces") return value::of_number(c.with->namespaces().size());
  if (member == "failure") return c.failure ? value::of_text(c.failure->detail) : value{};
  return std::unexpected(std::string{});
}

std::optional<found_value> read_connection(const workbench& bench, std::string_view name,
                                           std::string_view rest) {
  const auto c = bench.connections.find(name);
  if (!c) return std::nullopt;
  const std::string_view all = rest, member = take_member(rest);
  if (!member.empty())
    if (auto v = connection_member(*c, member, rest); v || !v.error().empty()) return v;
  return std::unexpected(no_member(name, all, connection_members));
}

std::vector<std::string_view> connection_names(const workbench& bench) {
  return bench.connections.names();
}

}  // namespace

std::string_view take_member(std::string_view& rest) {
  if (!rest.starts_with('.')) return {};
  const std::size_t end = rest.find_first_of(".[", 1);
  const std::string_view member = rest.substr(1, end == std::string_view::npos ? end : end - 1);
  rest.remove_prefix(1 + member.size());
  return member;
}

std::string no_member(std::string_view name, std::string_view rest, std::string_view members) {
  if (rest.empty()) return fmt::format("{} is not a value itself; it has {}", name, members);
  return fmt::format("{} has no {}; it has {}", name, rest, members);
}

found_value read_field(std::span<const wire::layout* const> forms, std::span<const std::byte> bytes,
                       std::string_view field) {
  if (field.empty()) return copied(bytes);
  for (const wire::layout* l : forms) {
    const auto at = wire::find_field(*l, field, bytes);
    if (!at) continue;
    if (at->offset > bytes.size() || at->size > bytes.size() - at->offset)
      return std::unexpected(fmt::format("{} ends at byte {} and there are {} bytes", field,
                                         at->offset + at->size, bytes.size()));
    return value_of_field(*at->row, bytes.subspan(at->structure),
                          bytes.subspan(at->offset, at->size));
  }
  const auto names = wire::field_names(*forms.front(), bytes);
  const std::vector<std::string_view> views(names.begin(), names.end());
  return std::unexpected(fmt::format("{} has no field {}{} (describe {} lists them)",
                                     forms.front()->name, wire::quoted(field),
                                     wire::did_you_mean(field, views), forms.front()->name));
}

found_value read_sqe_field(std::span<const std::byte> sqe, bool admin_queue,
                           std::string_view field) {
  return read_field(std::array{&wire::sqe_form(sqe, admin_queue), &wire::sqe_layout}, sqe, field);
}

std::span<const path_kind> path_kinds() {
  static constexpr std::array kinds{
      path_kind{"command", read_command, command_names, command_members},
      path_kind{"received command", read_incoming, incoming_names, incoming_members},
      path_kind{"buffer", read_buffer, buffer_names, buffer_members},
      path_kind{"queue", read_queue, queue_names, queue_members},
      path_kind{"connection", read_connection, connection_names, connection_members},
  };
  return kinds;
}

std::optional<found_value> find_path(const workbench& bench, std::string_view path) {
  const std::size_t end = std::min(path.find_first_of(".["), path.size());
  for (const path_kind& k : path_kinds())
    if (auto v = k.read(bench, path.substr(0, end), path.substr(end))) return v;
  return std::nullopt;
}

}  // namespace nvmf::cli::repl
