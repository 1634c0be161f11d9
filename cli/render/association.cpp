// SPDX-License-Identifier: BSD-2-Clause
#include "render/association.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <chrono>

#include "failure.hpp"
#include "render/fields.hpp"
#include "render/json.hpp"
#include "render/text.hpp"
#include "wire/layouts/commands.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/layouts/identify.hpp"
#include "wire/numbers.hpp"
#include "wire/render.hpp"

namespace nvmf::cli {
namespace {

namespace json = boost::json;
using value_list = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t stage_column = 12;
constexpr std::size_t time_column = 12;
constexpr std::size_t value_column = stage_column + time_column + 2;

double microseconds(duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

// "sent  HPDA 0, MAXR2T 1": wrapped under itself.
std::string values_text(std::string_view what, const value_list& values) {
  std::string all;
  for (const auto& [name, value] : values)
    all.append(all.empty() ? "" : ", ").append(name).append(" ").append(value);
  text_table row{value_column};
  row.add({std::string{what}, all});
  return all.empty() ? std::string{} : row.str();
}

json::object values_json(const value_list& values) {
  json::object o;
  for (const auto& [name, value] : values) o[json_text(name)] = json_text(value);
  return o;
}

std::string ascii(wire::byte_span field) {
  std::string text;
  for (const std::byte b : field) {
    const char c = static_cast<char>(b);
    text += c >= ' ' && c <= '~' ? c : (c == '\0' ? ' ' : '?');
  }
  return text.erase(text.find_last_not_of(' ') + 1);
}

// The log page that dword 0 of an event names, decoded where it is long enough.
struct event_log {
  std::array<std::byte, 16> cqe{};
  const wire::layout* form = nullptr;

  event_log(std::uint32_t dw0, std::span<const std::byte> log) {
    wire::set<wire::cqe_layout, "dw0">(cqe, dw0);
    std::array<std::byte, 64> sqe{};
    wire::set<wire::get_log_page_command, "opc">(
        sqe, static_cast<std::uint64_t>(wire::admin_opcode::get_log_page));
    wire::set<wire::get_log_page_command, "lid">(sqe,
                                                 wire::get<wire::async_event_response, "lid">(cqe));
    const wire::layout* l = wire::data_form(sqe, true);
    if (l != nullptr && !log.empty() && log.size() >= l->size) form = l;
  }
};

}  // namespace

std::string heading_text(const host_plan& to, const style& look) {
  return fmt::format("{}\n  as {} ({})\n", look(tone::strong, to_text(to.uri)), to.identity.nqn,
                     to.identity.source);
}

std::string stage_text(const stage_report& s, const style& look) {
  const tone t = s.failed ? tone::bad : s.verdict == "ok" ? tone::good : tone::warning;
  const std::string time = fmt::format("{:.1f} us", microseconds(s.took));
  std::string out = fmt::format("{}{:>{}}  {}\n", look(tone::name, padded(s.name(), stage_column)),
                                time, time_column, look(t, s.verdict));
  return out + values_text("sent", s.sent) + values_text("got", s.got);
}

boost::json::object stage_json(const stage_report& s) {
  return {{"stage", s.name()},         {"us", microseconds(s.took)}, {"sent", values_json(s.sent)},
          {"got", values_json(s.got)}, {"verdict", s.verdict},       {"failed", s.failed}};
}

std::string association_text(const association& a, const style& look) {
  std::string out = fmt::format("\n{} {}, {} I/O queue{}\n", look(tone::strong, "Controller"),
                                a.controller_id(), a.io_queues(), a.io_queues() == 1 ? "" : "s");
  const auto id = a.identify_controller();
  if (id.size() >= wire::identify_controller.size) {
    using wire::bytes_of;
    out += fmt::format("  model {}, serial {}, firmware {}\n",
                       ascii(bytes_of<wire::identify_controller, "mn">(id)),
                       ascii(bytes_of<wire::identify_controller, "sn">(id)),
                       ascii(bytes_of<wire::identify_controller, "fr">(id)));
  }
  if (!a.namespaces().empty()) out += "\n" + look(tone::strong, "Namespaces") + "\n";
  text_table spaces{2};
  for (const namespace_info& n : a.namespaces())
    spaces.add(
        {fmt::format("{}", n.nsid), wire::size_text(n.blocks * n.block_size),
         fmt::format(
             "{} blocks of {} bytes{}", n.blocks, n.block_size,
             n.metadata_size == 0 ? "" : fmt::format(" and {} of metadata", n.metadata_size))});
  out += spaces.str() + "\n" + look(tone::strong, "Limits") + "\n";
  text_table rows{2};
  for (const limit_row& r : a.limits())
    rows.add({look(tone::name, r.name), r.value, look(tone::faint, r.source)});
  return out + rows.str();
}

boost::json::object association_json(const host_plan& to, const association& a) {
  json::array limits, spaces;
  for (const limit_row& r : a.limits())
    limits.push_back({{"name", r.name}, {"value", r.value}, {"source", r.source}});
  for (const namespace_info& n : a.namespaces())
    spaces.push_back({{"nsid", n.nsid},
                      {"blocks", n.blocks},
                      {"block_size", n.block_size},
                      {"metadata_size", n.metadata_size}});
  json::object o{{"schema", "nvmfctl.connect/1"},
                 {"uri", to_text(to.uri)},
                 {"host", {{"nqn", to.identity.nqn}, {"id", hex_text(to.identity.id)}}},
                 {"cntlid", a.controller_id()},
                 {"io_queues", a.io_queues()},
                 {"max_transfer", a.max_transfer()},
                 {"namespaces", std::move(spaces)},
                 {"limits", std::move(limits)}};
  const auto id = a.identify_controller();
  if (!id.empty()) o["identify_controller"] = fields_json(wire::identify_controller, id);
  return o;
}

std::string async_event_text(std::uint32_t dw0, std::span<const std::byte> log, const style& look) {
  const event_log e{dw0, log};
  std::string out = fmt::format("{} {}\n", look(tone::strong, "asynchronous event"),
                                fields_line(wire::async_event_response, e.cqe));
  if (e.form != nullptr)
    out += wire::render_text(*e.form, log, {.zero = wire::zeros::hide, .indent = 2});
  return out;
}

boost::json::object async_event_json(std::uint32_t dw0, std::span<const std::byte> log) {
  const event_log e{dw0, log};
  json::object o{{"event", "async-event"},
                 {"dw0", dw0},
                 {"fields", fields_json(wire::async_event_response, e.cqe)}};
  if (e.form != nullptr)
    o["log"] = {{"layout", e.form->name}, {"fields", fields_json(*e.form, log)}};
  return o;
}

std::string failure_text(const host_failure& f, const engine::explanation& why, const style& look) {
  text_table lines{2};
  if (!f.status.ok()) lines.add({"status", to_text(f.status, set_of(f.opcode))});
  if (f.violation) {
    const protocol_error& v = *f.violation;
    lines.add({"violation",
               fmt::format("{} byte {}: {} (value {:#x}{})", v.structure, v.offset, v.reason,
                           v.value, v.limit == 0 ? "" : fmt::format(", limit {:#x}", v.limit))});
    if (v.fes != 0) {
      const wire::row* fes = wire::fes_codes.find(std::uint32_t{v.fes});
      lines.add({"TermReq", fmt::format("FES {} ({}), FEI {}", v.fes,
                                        fes != nullptr ? fes->title : "reserved", v.fei)});
    }
  }
  for (const auto& [name, text] : {std::pair{"field", why.field}, std::pair{"value", why.value},
                                   std::pair{"likely", why.cause}, std::pair{"try", why.advice}})
    if (!text.empty()) lines.add({name, text});
  return fmt::format("\n{}\n{}", look(tone::bad, "Failure"), lines.str());
}

}  // namespace nvmf::cli
