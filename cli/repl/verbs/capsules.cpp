// SPDX-License-Identifier: BSD-2-Clause
// sqe, set, show, sqes: commands built by the names of the tables.
#include <fmt/format.h>

#include "../pieces.hpp"
#include "../verbs.hpp"
#include "../workbench.hpp"
#include "render/capsule.hpp"
#include "render/json.hpp"
#include "render/status.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/numbers.hpp"
#include "wire/render.hpp"

namespace nvmf::cli::repl {
namespace {

done set_fields(capsule_object& c, const std::vector<word>& fields) {
  return write_fields(std::array{&c.form(), &wire::sqe_layout}, c.sqe, fields);
}

std::shared_ptr<capsule_object> named(const word& name, const wire::command_info& command) {
  auto c = std::make_shared<capsule_object>();
  c->name = name.text;
  c->command = command;
  return c;
}

done raw(capsule_object& c, arguments& args) {
  const std::size_t column = args.column();
  const auto bytes = wire::parse_hex(args.take_rest(), "raw", c.sqe.size());
  if (!bytes) return wrong(to_text(bytes.error()), column + bytes.error().position);
  if (bytes->size() != c.sqe.size())
    return wrong(fmt::format("raw: {} bytes are given, a submission queue entry has {}",
                             bytes->size(), c.sqe.size()),
                 column);
  std::ranges::copy(*bytes, c.sqe.begin());
  c.command = wire::command_of_sqe(c.admin, std::to_integer<std::uint8_t>(c.sqe[0]),
                                   std::to_integer<std::uint8_t>(c.sqe[4]));
  return {};
}

done make_sqe(workbench& bench, arguments args) {
  const auto name = args.take("a name for the command");
  if (!name) return std::unexpected(name.error());
  if (auto d = check_name(*name, "command"); !d) return d;
  if (const auto old = bench.capsules.find(name->text); old && old->under_way())
    return wrong(
        fmt::format("{} is under way; `wait {}` waits for its end", name->text, name->text),
        name->column);
  const bool io = args.take_keyword("io");
  if (args.take_keyword("raw")) {
    auto c = named(*name, {});
    c->admin = !io;
    if (auto d = raw(*c, args); !d) return d;
    bench.capsules.put(std::move(c));
    return {};
  }
  const auto typed = args.take("a command, such as identify");
  if (!typed) return std::unexpected(typed.error());
  const auto command = wire::parse_command(typed->text);
  if (!command) return wrong(to_text(command.error()), typed->column + command.error().position);
  auto c = named(*name, *command);
  c->admin = command->set != wire::command_set::nvm;
  wire::set<wire::sqe_layout, "opc">(c->sqe, command->opcode);
  wire::set<wire::sqe_layout, "psdt">(c->sqe, 1);
  if (command->set == wire::command_set::fabrics)
    wire::set<wire::fabrics_command, "fctype">(c->sqe, command->fctype);
  if (auto d = set_fields(*c, args.take_all()); !d) return d;
  bench.capsules.put(std::move(c));
  return {};
}

done set_sqe(workbench& bench, arguments args) {
  const auto name = args.take("a command to change");
  if (!name) return std::unexpected(name.error());
  const auto c = bench.capsules.get(*name);
  if (!c) return std::unexpected(c.error());
  if ((*c)->under_way())
    return wrong(fmt::format("{} is under way and cannot be changed", name->text), name->column);
  if (args.empty()) return wrong("a field is missing here, such as nsid=1", args.column());
  return set_fields(**c, args.take_all());
}

std::string state_text(const capsule_object& c) {
  switch (c.state) {
    case capsule_state::built:
      return "not sent";
    case capsule_state::sent:
      return fmt::format("under way on {}", c.queue);
    case capsule_state::ended:
      break;
  }
  if (c.result.error) return fmt::format("ended: {}", c.result.error.message());
  return fmt::format("ended: {}", to_text(c.result.status, set_of(c.command.opcode)));
}

capsule_plan plan_of(const capsule_object& c) {
  capsule_plan p;
  p.sqe = c.sqe;
  p.command = c.command;
  p.admin = c.admin;
  p.way = c.way;
  return p;
}

done show_incoming(workbench& bench, const incoming_object& in, arguments args) {
  const bool hex = args.take_keyword("hex");
  if (auto d = args.end(); !d) return d;
  if (hex) {
    bench.say(wire::hexdump(in.sqe));
    return {};
  }
  std::string text =
      fmt::format("{} {} on {}, {}\n", bench.look()(tone::strong, in.name), to_text(in.command),
                  in.queue, in.handle ? "waits for an answer" : in.end);
  text += wire::render_text(in.form(), in.sqe, {.zero = wire::zeros::hide, .indent = 2});
  if (!in.verdict.ok())
    text += fmt::format("  wrong: {}\n", to_text(in.verdict, set_of(in.command.opcode)));
  if (in.length > 0)
    text += fmt::format("  data: {} bytes, {} in the capsule, {} fetched, {} sent\n", in.length,
                        in.in_capsule, in.fetched, in.sent);
  const auto q = in.of.lock();
  const wire::layout* form = wire::data_form(in.sqe, in.admin);
  if (in.handle && q && in.in_capsule > 0 && form != nullptr)
    text += wire::render_text(*form, q->raw.in_capsule_data(in.handle),
                              {.zero = wire::zeros::hide, .indent = 4});
  bench.say(text);
  return {};
}

done show(workbench& bench, arguments args) {
  const auto name = args.take("a command to show");
  if (!name) return std::unexpected(name.error());
  if (const auto in = bench.incoming.find(name->text))
    return show_incoming(bench, *in, std::move(args));
  const auto found = bench.capsules.get(*name);
  if (!found) return std::unexpected(found.error());
  const capsule_object& c = **found;
  const bool hex = args.take_keyword("hex"), json = args.take_keyword("json");
  if (auto d = args.end(); !d) return d;
  if (hex) {
    bench.say(wire::hexdump(c.sqe));
    return {};
  }
  if (json) {
    boost::json::object o = capsule_json(plan_of(c));
    if (c.result.has_cqe) o["cqe"] = completion_json(plan_of(c), c.result);
    bench.say(json_line(o));
    return {};
  }
  std::string text = fmt::format("{} {}, {}\n", bench.look()(tone::strong, c.name),
                                 to_text(c.command), state_text(c));
  text += wire::render_text(c.form(), c.sqe, {.zero = wire::zeros::hide, .indent = 2});
  if (c.memory)
    text += fmt::format("  data: {} bytes of {}, to {}\n", c.memory->size(), c.memory->name,
                        c.way == direction::send ? "send" : "receive");
  if (c.result.has_cqe) text += completion_text(plan_of(c), c.result, bench.look(), false);
  bench.say(text);
  return {};
}

done list(workbench& bench, arguments args) {
  if (auto d = args.end(); !d) return d;
  for (const auto& [name, c] : bench.capsules.all())
    bench.say(fmt::format("{:<8} {:<24} {}", name, to_text(c->command), state_text(*c)));
  return {};
}

constexpr std::array<example, 3> sqe_examples{{
    {"sqe id identify cns=controller", "Identify Controller"},
    {"sqe r read nsid=1 slba=0x10 nlb=7", "a read of eight blocks: nlb is 0's based"},
    {"sqe odd admin:0xc1 cdw10=1", "any opcode, any dword"},
}};
constexpr std::array<example, 1> set_examples{{{"set r slba=0 nlb=0", "another place"}}};
constexpr std::array<example, 3> show_examples{{
    {"show r", "its fields, and how it ended"},
    {"show r hex", "its 64 bytes"},
    {"show r json", "for programs"},
}};
constexpr std::array<example, 1> sqes_examples{{{"sqes", "all there are"}}};

}  // namespace

void add_capsule_verbs(verb_list& to) {
  const auto add = [&](verb_info info, simple_verb::action does) {
    to.push_back(std::make_unique<simple_verb>(info, does));
  };
  add({"sqe", "NAME COMMAND [FIELD=VALUE]... | NAME [io] raw HEX", "build a command",
       "The command by its name or set:opcode, fields by the names that `describe COMMAND` lists; "
       "values are raw. The transport chooses the CID and writes SGL 1 when it is sent. With raw, "
       "all 64 bytes; io: it is for an I/O queue.",
       sqe_examples},
      make_sqe);
  add({"set", "SQE FIELD=VALUE...", "change fields of a command", "", set_examples}, set_sqe);
  add({"show", "SQE|IN [hex|json]", "show a command and its end", "", show_examples}, show);
  add({"sqes", "", "list the commands", "", sqes_examples}, list);
}

}  // namespace nvmf::cli::repl
