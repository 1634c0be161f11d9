// SPDX-License-Identifier: BSD-2-Clause
#include "render/capsule.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "render/fields.hpp"
#include "render/json.hpp"
#include "render/status.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/numbers.hpp"
#include "wire/render.hpp"

namespace nvmf::cli {
namespace {

std::string_view way_name(direction way) {
  switch (way) {
    case direction::send:
      return "send";
    case direction::receive:
      return "receive";
    case direction::none:
      break;
  }
  return "none";
}

std::string queue_text(const capsule_plan& p) {
  return p.qid == 0 ? "the admin queue" : fmt::format("I/O queue {}", p.qid);
}

// What is zero says nothing; --verbose shows it, and so does the hexdump.
wire::render_options inside(bool all) {
  return {.zero = all ? wire::zeros::some : wire::zeros::hide, .indent = 2};
}

// The layout of what was received, when all of the layout is there.
const wire::layout* received_form(const capsule_plan& p, std::size_t received) {
  const wire::layout* form = p.way == direction::receive ? p.data_form() : nullptr;
  return form != nullptr && received >= form->size && received > 0 ? form : nullptr;
}

}  // namespace

std::string capsule_text(const capsule_plan& p, const style& look, bool all) {
  const std::string name = to_text(p.command);
  std::string out = fmt::format("{} {} on {}\n", look(tone::strong, "SQE"), name, queue_text(p));
  out += wire::render_text(p.form(), p.sqe, inside(all));
  out += wire::hexdump(p.sqe);
  if (p.way == direction::none) return out;
  out += fmt::format(
      "{} {} {}\n", look(tone::strong, "Data"),
      p.length_known ? wire::size_text(p.data.size()) : std::string{"blocks of the namespace"},
      p.way == direction::send ? "to send" : "to receive");
  const wire::layout* form = p.way == direction::send ? p.data_form() : nullptr;
  if (form != nullptr) out += wire::render_text(*form, p.data, inside(true));
  return out;
}

boost::json::object capsule_json(const capsule_plan& p) {
  boost::json::object command{{"set", wire::set_name(p.command.set)},
                              {"name", p.command.name},
                              {"title", p.command.title},
                              {"opcode", p.command.opcode}};
  if (p.command.set == wire::command_set::fabrics) command["fctype"] = p.command.fctype;
  return {
      {"command", std::move(command)},
      {"qid", p.qid},
      {"sqe",
       {{"hex", hex_text(p.sqe)},
        {"layout", p.form().name},
        {"fields", fields_json(p.form(), p.sqe)}}},
      {"transfer",
       {{"direction", way_name(p.way)},
        {"length", p.length_known ? boost::json::value(p.data.size()) : boost::json::value()}}}};
}

std::string completion_text(const capsule_plan& p, const command_result& r, const style& look,
                            bool all) {
  std::string out = look(tone::strong, "CQE");
  if (!r.has_cqe) return out + fmt::format(" none: {}\n", look(tone::bad, r.error.message()));
  const auto set = set_of(p.command.opcode);
  out += " " + look(r.status.ok() ? tone::good : tone::bad, to_text(r.status, set)) + "\n";
  out += wire::render_text(wire::cqe_form(p.sqe, p.admin, r.cqe), r.cqe, inside(all));
  if (r.error) out += fmt::format("  {}\n", look(tone::bad, r.error.message()));
  return out;
}

boost::json::object completion_json(const capsule_plan& p, const command_result& r) {
  boost::json::object o;
  if (r.error) o["error"] = json_text(r.error.message());
  if (!r.has_cqe) return o;
  const wire::layout& form = wire::cqe_form(p.sqe, p.admin, r.cqe);
  o["status"] = status_json(r.status, set_of(p.command.opcode));
  o["sqhd_valid"] = r.sqhd_valid;
  o["hex"] = hex_text(r.cqe);
  o["layout"] = form.name;
  o["fields"] = fields_json(form, r.cqe);
  return o;
}

std::string data_text(const capsule_plan& p, std::size_t received, std::size_t dump_max) {
  const auto bytes = std::span{p.data}.first(std::min(received, p.data.size()));
  if (const wire::layout* form = received_form(p, received))
    return fmt::format("  {}\n{}", form->title, wire::render_text(*form, bytes, inside(true)));
  std::string out = wire::hexdump(bytes.first(std::min(bytes.size(), dump_max)));
  if (bytes.size() > dump_max)
    out += fmt::format("... {} more (--verbose shows them, --out keeps them)\n",
                       wire::size_text(bytes.size() - dump_max));
  return out;
}

boost::json::object data_json(const capsule_plan& p, std::size_t received, std::size_t dump_max) {
  const auto bytes = std::span{p.data}.first(std::min(received, p.data.size()));
  boost::json::object o{{"length", received}};
  if (const wire::layout* form = received_form(p, received)) {
    o["layout"] = form->name;
    o["fields"] = fields_json(*form, bytes);
  } else {
    o["hex"] = hex_text(bytes.first(std::min(bytes.size(), dump_max)));
    if (bytes.size() > dump_max) o["hex_truncated"] = true;
  }
  return o;
}

}  // namespace nvmf::cli
