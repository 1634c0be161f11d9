// SPDX-License-Identifier: BSD-2-Clause
#include "capsule_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <istream>

#include "capsule_length.hpp"
#include "output_file.hpp"
#include "wire/encode.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/names.hpp"
#include "wire/numbers.hpp"

namespace nvmf::cli {
namespace {

using error = std::unexpected<std::string>;
using bytes = std::vector<std::byte>;
constexpr std::string_view data_prefix = "data.";

// What --send says, before the length of a fill is known.
struct source {
  bool given = false;
  bool fill = false;
  std::byte value{};
  bytes content;
};

std::expected<bytes, std::string> read_stream(std::istream& in) {
  bytes content;
  std::array<char, 65536> piece;
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0) {
    const auto part = std::as_bytes(std::span{piece}.first(static_cast<std::size_t>(in.gcount())));
    if (content.size() + part.size() > capsule_data_max)
      return error(fmt::format("--send: standard input is longer than {} bytes", capsule_data_max));
    content.insert(content.end(), part.begin(), part.end());
  }
  return content;
}

std::expected<source, std::string> read_source(const std::string& text, std::istream& in) {
  source s{.given = !text.empty(), .content = {}};
  if (text.empty()) return s;
  if (text.starts_with("hex:")) {
    auto content = wire::parse_hex(std::string_view{text}.substr(4), {}, capsule_data_max);
    if (!content) return error("--send: hex " + to_text(content.error()));
    s.content = std::move(*content);
  } else if (text.starts_with("fill:")) {
    const auto value = wire::parse_number(std::string_view{text}.substr(5), {}, {.max = 255});
    if (!value) return error("--send: fill " + to_text(value.error()));
    s.fill = true;
    s.value = static_cast<std::byte>(*value);
  } else {
    auto content = text == "-" ? read_stream(in) : read_file(text, capsule_data_max);
    if (!content) return error(text == "-" ? content.error() : "--send: " + content.error());
    s.content = std::move(*content);
  }
  if (!s.fill && s.content.empty()) return error("--send: there are no bytes in it");
  return s;
}

std::expected<wire::command_info, std::string> command_of(const capsule_request& r,
                                                          std::span<const std::byte> sqe) {
  if (!r.command.empty()) {
    // A number alone is an opcode of the queue that is named.
    std::optional<wire::command_set> numbers;
    if (r.qid) numbers = *r.qid == 0 ? wire::command_set::admin : wire::command_set::nvm;
    auto c = wire::parse_command(r.command, numbers);
    if (!c) return error(to_text(c.error()));
    return *c;
  }
  if (r.sqe.empty()) return error("a command is missing (see nvmfctl describe command)");
  const bool admin = !r.qid || *r.qid == 0;
  return wire::command_of_sqe(admin, std::to_integer<std::uint8_t>(sqe[0]),
                              std::to_integer<std::uint8_t>(sqe[4]));
}

std::expected<void, std::string> read_sqe(const std::string& hex, std::span<std::byte, 64> sqe) {
  if (hex.empty()) return {};
  const auto content = wire::parse_hex(hex, {}, sqe.size());
  if (!content) return error("--sqe: " + to_text(content.error()));
  if (content->size() != sqe.size())
    return error(fmt::format("--sqe: {} byte{} given, an SQE has {}", content->size(),
                             content->size() == 1 ? "" : "s", sqe.size()));
  std::ranges::copy(*content, sqe.begin());
  return {};
}

std::string name_of(std::string_view assignment) {
  return wire::to_kebab(assignment.substr(0, assignment.find('=')));
}

// The assignments of one of the two structures, the prefix taken off.
std::vector<std::string> fields_of(const capsule_request& r, bool of_data) {
  std::vector<std::string> picked;
  for (const std::string& f : r.fields)
    if (f.starts_with(data_prefix) == of_data)
      picked.push_back(of_data ? f.substr(data_prefix.size()) : f);
  return picked;
}

std::expected<void, std::string> encode(std::span<const wire::layout* const> forms,
                                        wire::mutable_byte_span into,
                                        std::span<const std::string> fields) {
  std::size_t which = 0;
  const auto done = wire::encode_fields(forms, into, fields, &which);
  if (done) return {};
  std::string text = to_text(done.error());
  if (text.ends_with("no such field"))
    text += fmt::format(" (nvmfctl describe {} lists them)", forms.front()->name);
  return error(std::move(text));
}

// Commands that say nothing about a namespace mean the one of the address, or the first.
void choose_namespace(capsule_plan& p, const capsule_request& r,
                      std::span<const std::string> fields) {
  const bool said =
      std::ranges::any_of(fields, [](const std::string& f) { return name_of(f) == "nsid"; });
  if (said || !r.sqe.empty() || p.form().find("nsid") == nullptr) return;
  if (!wants_namespace(p.sqe, p.command) && r.nsid == 0) return;
  wire::set<wire::sqe_layout, "nsid">(p.sqe, r.nsid != 0 ? r.nsid : 1);
}

std::expected<void, std::string> fill_data(capsule_plan& p, const capsule_request& r, source& from,
                                           std::uint64_t length) {
  const auto fields = fields_of(r, true);
  if (p.way == direction::none) {
    if (!fields.empty()) return error(fields.front() + ": the command sends no data");
    return {};
  }
  if (length > capsule_data_max)
    return error(fmt::format("the command moves {}, more than {} at a time",
                             wire::size_text(length), wire::size_text(capsule_data_max)));
  if (from.given && !from.fill)
    p.data = std::move(from.content);
  else
    p.data.assign(length, from.fill ? from.value : std::byte{0});
  if (p.data_form() == &wire::connect_data && !from.given && p.data.size() >= 1024) {
    const std::array forms{&wire::connect_data};
    if (const auto done = encode(forms, p.data, r.connect_data); !done) return done;
  }
  if (fields.empty()) return {};
  const wire::layout* form = p.data_form();
  if (p.way != direction::send || form == nullptr)
    return error(
        fmt::format("data.{}: {} sends no data with fields", fields.front(), to_text(p.command)));
  if (p.data.size() < form->size)
    return error(fmt::format("data.{}: {} has {} bytes, the data only {}", fields.front(),
                             form->name, form->size, p.data.size()));
  const std::array forms{form};
  return encode(forms, p.data, fields);
}

direction way_of(const capsule_request& r, const source& from, const wire::command_info& c) {
  if (from.given) return direction::send;
  if (r.receive) return *r.receive == 0 ? direction::none : direction::receive;
  if (c.direction == wire::data_transfer::host_to_controller) return direction::send;
  if (c.direction == wire::data_transfer::none) return direction::none;
  return direction::receive;
}

}  // namespace

const wire::layout& capsule_plan::form() const { return wire::sqe_form(sqe, admin); }
const wire::layout* capsule_plan::data_form() const { return wire::data_form(sqe, admin); }

std::expected<capsule_plan, std::string> plan_capsule(const capsule_request& request,
                                                      const block_size_of& block_size,
                                                      std::istream& in) {
  if (!request.send.empty() && request.receive)
    return error("--send and --recv: a command moves data one way");
  capsule_plan p;
  if (const auto done = read_sqe(request.sqe, p.sqe); !done) return error(done.error());
  const auto command = command_of(request, p.sqe);
  if (!command) return error(command.error());
  p.command = *command;
  const bool io = command->set == wire::command_set::nvm;
  p.qid = request.qid.value_or(io ? 1 : 0);
  p.admin = command->set == wire::command_set::admin ||
            (command->set == wire::command_set::fabrics && p.qid == 0);
  if (!request.command.empty()) {
    wire::set<wire::sqe_layout, "opc">(p.sqe, command->opcode);
    if (command->set == wire::command_set::fabrics)
      wire::set<wire::fabrics_command, "fctype">(p.sqe, command->fctype);
  }
  auto from = read_source(request.send, in);
  if (!from) return error(from.error());
  if (request.content) *from = {.given = true, .content = *request.content};

  // Fabrics commands carry SGLs only (Base 2.0, 4.1.2).
  if (request.sqe.empty()) wire::set<wire::sqe_layout, "psdt">(p.sqe, 1);
  const auto fields = fields_of(request, false);
  const std::array forms{&p.form(), &wire::sqe_layout};
  if (const auto done = encode(forms, p.sqe, fields); !done) return error(done.error());
  choose_namespace(p, request, fields);
  p.way = way_of(request, *from, p.command);

  std::vector<std::string> said;
  for (const std::string& f : fields) said.push_back(name_of(f));
  std::optional<std::uint64_t> wanted = request.receive;
  if (from->given && !from->fill) wanted = from->content.size();
  const auto length = settle_length({.sqe = p.sqe,
                                     .command = p.command,
                                     .admin = p.admin,
                                     .wanted = wanted,
                                     .said = said,
                                     .raw = !request.sqe.empty()},
                                    block_size);
  if (!length) return error(length.error());
  if (*length == 0) p.way = direction::none;
  p.length_known = length->has_value();
  if (const auto done = fill_data(p, request, *from, length->value_or(0)); !done)
    return error(done.error());
  return p;
}

}  // namespace nvmf::cli
