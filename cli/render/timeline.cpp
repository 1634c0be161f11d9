// SPDX-License-Identifier: BSD-2-Clause
#include "render/timeline.hpp"

#include <fmt/format.h>

#include <chrono>

#include "render/fields.hpp"
#include "render/json.hpp"
#include "render/text.hpp"
#include "wire/commands.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/text_error.hpp"

namespace nvmf::cli {
namespace {

constexpr std::size_t lines_max = 80;   // of a timeline without `all`
constexpr std::size_t lines_tail = 20;  // of those, the last ones

std::uint8_t byte_at(std::span<const std::byte> b, std::size_t at) {
  return at < b.size() ? std::to_integer<std::uint8_t>(b[at]) : std::uint8_t{0};
}

// "read cid=0x4 nsid=0x1 nlb=7"
std::string sqe_line(std::span<const std::byte> sqe, bool admin_queue) {
  const auto command = wire::command_of_sqe(admin_queue, byte_at(sqe, 0), byte_at(sqe, 4));
  std::string line = command.name.empty() ? to_text(command) : std::string{command.name};
  const std::string fields = fields_line(wire::sqe_form(sqe, admin_queue), sqe, 2, "cid");
  return fields.empty() ? line : line + " " + fields;
}

std::string cqe_line(std::span<const std::byte> cqe) {
  return fields_line(wire::cqe_layout, cqe, 0, "cid");
}

// "c2h-data [last-pdu success] cccid=0x1 datal=4096"
std::string pdu_line(const recorded_event& e) {
  const wire::layout* l = wire::pdu_layout(byte_at(e.header, 0));
  if (l == nullptr) return fmt::format("PDU type 0x{:02x}, unknown", byte_at(e.header, 0));
  std::string line{l->name};
  std::string flags;
  for (const wire::row& r : wire::pdu_flags.rows)
    if ((byte_at(e.header, 1) & r.value) != 0)
      flags.append(flags.empty() ? "" : " ").append(r.name);
  if (!flags.empty()) line += fmt::format(" [{}]", flags);
  const std::span<const std::byte> body =
      std::span{e.header}.subspan(std::min<std::size_t>(8, e.header.size()));
  if (l == &wire::pdu_capsule_cmd)
    line += " " + sqe_line(body, e.qid == 0);
  else if (l == &wire::pdu_capsule_resp)
    line += " " + cqe_line(body);
  else
    line += " " + fields_line(*l, e.header, 8);
  if (e.a > 0) line += fmt::format(", {} bytes of data", e.a);
  return line;
}

// "RDMA WRITE, 4096 bytes, key 0x00420100, address 0x7f0012340000"
std::string work_line(const recorded_event& e) {
  std::string line = e.text;
  if (e.a != 0) line += fmt::format(", {} bytes", e.a);
  if (e.b == 0) return line;
  line += fmt::format(", key 0x{:08x}", e.b);
  // Of a SEND there is the capsule instead.
  if (e.header.size() == wire::keyed_sgl_layout.size && !e.text.starts_with("SEND"))
    line += fmt::format(", address {:#x}", wire::get<wire::keyed_sgl_layout, "addr">(e.header));
  return line;
}

char way(event_type t) {
  switch (t) {
    case event_type::pdu_out:
    case event_type::raw_out:
    case event_type::command_out:
    case event_type::response_out:
    case event_type::data_out:
    case event_type::sent:
    case event_type::work_posted:
      return '>';
    case event_type::pdu_in:
    case event_type::pdu_in_data:
    case event_type::command_in:
    case event_type::response_in:
    case event_type::data_in:
    case event_type::received:
    case event_type::work_done:
      return '<';
    default:
      return ' ';
  }
}

tone tone_of(const recorded_event& e) {
  if (e.error || e.type == event_type::violation) return tone::bad;
  if (e.type == event_type::limit) return tone::warning;
  return way(e.type) == ' ' ? tone::faint : tone::name;
}

double microseconds(duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

}  // namespace

recorded_event record(const event& e) {
  return {.type = e.type,
          .at = e.at,
          .qpair = e.qpair,
          .qid = e.qid,
          .cid = e.cid,
          .has_cid = e.has_cid,
          .header = {e.header.begin(), e.header.end()},
          .a = e.a,
          .b = e.b,
          .error = e.error,
          .text = std::string{e.text}};
}

void timeline::on_event(const event& e) noexcept {
  if (!on_) return;
  if (events_.size() < events_max)
    events_.push_back(record(e));
  else
    ++lost_;
}

std::string event_details(const recorded_event& e) {
  switch (e.type) {
    case event_type::pdu_out:
    case event_type::pdu_in:
      return pdu_line(e);
    case event_type::pdu_in_data:
      return pdu_line(e) + (e.b != 0 ? ", digest wrong" : " complete");
    case event_type::command_out:
    case event_type::command_in:
      return sqe_line(e.header, e.qid == 0) +
             (e.a == 0 ? std::string{}
                       : fmt::format(", {} bytes{}", e.a, e.b != 0 ? " in the capsule" : ""));
    case event_type::response_out:
    case event_type::response_in:
      return e.type == event_type::response_in && e.a != 0 ? "made up from a SUCCESS flag"
                                                           : cqe_line(e.header);
    case event_type::receive_callback:
      return e.header.size() == 64 ? sqe_line(e.header, e.qid == 0) : cqe_line(e.header);
    case event_type::data_callback:
    case event_type::sent:
    case event_type::received:
    case event_type::raw_out:
      return fmt::format("{} bytes{}{}", e.a, e.error ? ": " : "",
                         e.error ? e.error.message() : std::string{});
    case event_type::data_asked:
    case event_type::data_out:
    case event_type::data_in:
      return fmt::format("{} bytes at {}", e.a, e.b);
    case event_type::disconnected:
      return e.a != 0 ? "closed by this end" : "";
    case event_type::limit:
      return fmt::format("{}: {} of {}", e.text, e.a, e.b);
    case event_type::stage:
      return e.text;
    case event_type::violation:
      return fmt::format("{} (FES {:#x}, FEI {:#x})", e.text, e.a, e.b);
    case event_type::work_posted:
    case event_type::work_done:
      return work_line(e);
    case event_type::async_event:
      return fmt::format("dword 0: 0x{:08x}", e.a);
    default:
      break;
  }
  std::string line = e.text;
  if (e.error) line += (line.empty() ? "" : ": ") + e.error.message();
  return line;
}

std::string event_line(const recorded_event& e, time_point zero, const style& look) {
  const std::string name = fmt::format("{:<16}", event_name(e.type));
  const std::string cid = e.has_cid ? fmt::format("cid {}", e.cid) : std::string{};
  std::string line = fmt::format("{:>10.1f} us  {} q{} {:<7}  {}  {}", microseconds(e.at - zero),
                                 way(e.type), e.qid, cid, look(tone_of(e), name), event_details(e));
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string timeline_text(std::span<const recorded_event> events, const style& look, bool all) {
  std::vector<const recorded_event*> shown;
  for (const recorded_event& e : events)
    if (all || (e.type != event_type::sent && e.type != event_type::received)) shown.push_back(&e);
  std::string out;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (!all && shown.size() > lines_max && i == lines_max - lines_tail) {
      const std::size_t left_out = shown.size() - lines_max;
      out += fmt::format("{:>13}  {} more events (--verbose shows them)\n", "...", left_out);
      i += left_out;
    }
    out += event_line(*shown[i], events.front().at, look);
  }
  return out;
}

boost::json::object event_json(const recorded_event& e, time_point zero) {
  boost::json::object o{{"us", std::round(microseconds(e.at - zero) * 10) / 10},
                        {"event", event_name(e.type)},
                        {"qpair", e.qpair},
                        {"qid", e.qid}};
  if (e.has_cid) o["cid"] = e.cid;
  o["text"] = json_text(event_details(e));
  if (!e.header.empty()) o["header"] = hex_text(e.header);
  o["a"] = e.a;
  o["b"] = e.b;
  if (e.error) o["error"] = json_text(e.error.message());
  return o;
}

boost::json::array timeline_json(std::span<const recorded_event> events) {
  boost::json::array list;
  for (const recorded_event& e : events) list.push_back(event_json(e, events.front().at));
  return list;
}

}  // namespace nvmf::cli
