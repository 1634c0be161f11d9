// SPDX-License-Identifier: BSD-2-Clause
// info: what is inside a queue, and who uses the memory of the workbench.
#include <fmt/format.h>

#include "../pdu_kinds.hpp"
#include "../verbs.hpp"
#include "../workbench.hpp"
#include "render/text.hpp"
#include "wire/commands.hpp"
#include "wire/quantities.hpp"

namespace nvmf::cli::repl {
namespace {

std::string next_text(const qpair_action& a) {
  const std::string unit = !a.unit ? "bytes"
                                   : fmt::format("{}{}", title_of(*a.unit),
                                                 a.has_cid ? fmt::format(" of CID {}", a.cid) : "");
  switch (a.kind) {
    case action_kind::nothing:
      return "nothing";
    case action_kind::call_back:
      return "a callback that is owed";
    case action_kind::end:
      return "take the end of the connection";
    case action_kind::send:
      return fmt::format("send {}, {} bytes to go", unit, a.bytes);
    case action_kind::receive:
      return fmt::format("receive {}, {} bytes are here", unit, a.bytes);
  }
  return "";
}

std::string state_text(const queue_object& q, const qpair_inside& in) {
  std::string text = !in.started ? "not started" : in.over ? "over" : "running";
  if (in.paused) text = paused_text(q).substr(q.name.size() + 4);  // "... is "
  if (in.break_point) text += ", has break points";
  if (!in.reading) text += ", does not read";
  return text;
}

void show_qpair(workbench& bench, const queue_object& q, const qpair_inside& in) {
  text_table rows;
  rows.add({"queue", fmt::format("{}, {} entries, SQ flow control {}", in.qid, in.queue_size,
                                 in.sq_flow_control ? "on" : "off")});
  rows.add(
      {"role", fmt::format("{}, qpair {}", in.side == role::host ? "host" : "controller", in.id)});
  rows.add({"state", state_text(q, in)});
  rows.add({"next", next_text(in.next)});
  rows.add({"commands", fmt::format("{} outstanding, {} R2T{}", in.commands.size(), in.r2ts.size(),
                                    in.r2ts.size() == 1 ? "" : "s")});
  rows.add({"to send", fmt::format("{} bytes in {} PDU{}", in.bytes_to_send, in.to_send.size(),
                                   in.to_send.size() == 1 ? "" : "s")});
  for (const unit_inside& u : in.to_send)
    rows.add(
        {"", fmt::format("{}{}, {} of {} bytes have left", u.kind ? title_of(*u.kind) : "raw bytes",
                         u.kind && *u.kind != outgoing_kind::termination
                             ? fmt::format(" of CID {}", u.cid)
                             : "",
                         u.sent, u.size)});
  if (in.bytes_of_pdu > 0)
    rows.add({"half received", fmt::format("{} bytes of a PDU", in.bytes_of_pdu)});
  rows.add({"capsules", fmt::format("{} held by the program", in.capsules_held)});
  rows.add({"callbacks", fmt::format("{} owed", in.callbacks_owed)});
  bench.say(rows.str());
}

std::string_view way_text(direction way) {
  return way == direction::send ? "send" : way == direction::receive ? "receive" : "";
}

std::string age_text(const std::optional<duration>& age) {
  if (!age) return "";
  return fmt::format("{:.1f} ms", std::chrono::duration<double, std::milli>(*age).count());
}

// What a person calls the command.
std::string name_of(const workbench& bench, const queue_object& q, std::uint16_t cid) {
  for (const auto& c : q.under_way)
    if (c->cid_known && c->cid == cid) return c->name;
  for (const auto& [name, in] : bench.incoming.all())
    if (in->handle && in->queue == q.name && in->handle.cid() == cid) return name;
  return "";
}

void show_outstanding(workbench& bench, const queue_object& q, const qpair_inside& in) {
  text_table rows;
  rows.add({"CID", "", "command", "data", "moved", "of", "age", "awaits"});
  for (const std::size_t column : {0u, 4u, 5u, 6u}) rows.align_right(column);
  for (const command_inside& c : in.commands)
    rows.add({fmt::format("{}", c.cid), name_of(bench, q, c.cid),
              to_text(wire::command_of_sqe(in.qid == 0, c.opcode, c.fctype)),
              std::string{way_text(c.way)}, c.length > 0 ? fmt::format("{}", c.moved) : "",
              c.length > 0 ? fmt::format("{}", c.length) : "", age_text(c.age),
              std::string{c.awaits}});
  bench.say(in.commands.empty() ? fmt::format("{}: no command is outstanding", q.name)
                                : rows.str());
}

void show_r2ts(workbench& bench, const queue_object& q, const qpair_inside& in) {
  text_table rows;
  rows.add({"CID", "", "TTAG", "offset", "moved", "of"});
  for (const std::size_t column : {0u, 2u, 3u, 4u, 5u}) rows.align_right(column);
  for (const r2t_inside& r : in.r2ts)
    rows.add({fmt::format("{}", r.cid), name_of(bench, q, r.cid), fmt::format("{}", r.ttag),
              fmt::format("{}", r.offset), fmt::format("{}", r.moved),
              fmt::format("{}", r.length)});
  bench.say(in.r2ts.empty() ? fmt::format("{}: no R2T is outstanding", q.name) : rows.str());
}

// Who has a piece of the buffer: memdescs, and commands that they are attached to.
std::string users_of(const workbench& bench, const buffer_object& b) {
  std::string text;
  const auto add = [&](const std::string& who) { text += (text.empty() ? "" : ", ") + who; };
  const auto has = [&](const memory_object& m) {
    return std::ranges::any_of(m.pieces, [&](const auto& p) { return p.of.get() == &b; });
  };
  for (const auto& [name, m] : bench.memories.all())
    if (has(*m)) add("memdesc " + name);
  for (const auto& [name, c] : bench.capsules.all()) {
    if (!c->memory || !has(*c->memory)) continue;
    add(c->under_way() ? fmt::format("{}, under way on {}", name, c->queue) : name);
  }
  return text;
}

void show_buffers(workbench& bench) {
  text_table rows;
  for (const auto& [name, b] : bench.buffers.all())
    rows.add({name, wire::size_text(b->bytes.size()),
              b->uses == 0 ? "idle"
                           : fmt::format("in use, {} piece{}", b->uses, b->uses == 1 ? "" : "s"),
              users_of(bench, *b)});
  bench.say(rows.empty() ? "there are no buffers (buf makes one)" : rows.str());
}

done info(workbench& bench, arguments args) {
  const auto what = args.take("qpair, outstanding, r2t or buffers");
  if (!what) return std::unexpected(what.error());
  if (what->text == "buffers") {
    if (auto d = args.end(); !d) return d;
    show_buffers(bench);
    return {};
  }
  const auto show = what->text == "qpair"         ? show_qpair
                    : what->text == "outstanding" ? show_outstanding
                    : what->text == "r2t"         ? show_r2ts
                                                  : nullptr;
  if (show == nullptr)
    return wrong(
        fmt::format(
            "there is no info {}{}: qpair, outstanding, r2t or buffers", wire::quoted(what->text),
            wire::did_you_mean(what->text, std::array<std::string_view, 4>{"qpair", "outstanding",
                                                                           "r2t", "buffers"})),
        what->column);
  const auto q = take_queue(bench, args);
  if (!q) return std::unexpected(q.error());
  if (auto d = args.end(); !d) return d;
  show(bench, *q->queue, q->at->inside());
  return {};
}

constexpr std::array<example, 4> examples{{
    {"info qpair", "of the queue in use: what it is about to do, and what waits"},
    {"info outstanding a1:1", "each command: how far its data is, and what it waits for"},
    {"info r2t", "what a controller has asked for and not got"},
    {"info buffers", "the memory of the workbench, and who uses it"},
}};

}  // namespace

void add_inside_verbs(verb_list& to) {
  to.push_back(std::make_unique<simple_verb>(
      verb_info{
          "info", "qpair|outstanding|r2t [QUEUE] | buffers", "show what is inside a queue",
          "Of any queue, paused or not: one of `open` or `listen`, of a connection, or of the "
          "built-in target.",
          examples},
      info));
}

}  // namespace nvmf::cli::repl
