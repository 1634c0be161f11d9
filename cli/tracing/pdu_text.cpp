// SPDX-License-Identifier: BSD-2-Clause
#include "pdu_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "render/fields.hpp"
#include "trace/conversation/connection.hpp"
#include "trace/rdma/rdma_facts.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/layouts/pdu.hpp"
#include "wire/numbers.hpp"
#include "wire/render.hpp"
#include "wire/tables.hpp"

namespace nvmf::cli {

namespace {

constexpr std::size_t common = wire::pdu_common.size;

std::string type_text(const trace::pdu& p) {
  const wire::layout* form = trace::form_of(p);
  return form != nullptr ? std::string{form->name} : fmt::format("PDU type 0x{:02x}", p.type);
}

// What RDMA has besides.
std::string rdma_text(const trace::pdu& p) {
  if (p.rdma == nullptr) return "";
  const trace::rdma_facts& r = *p.rdma;
  std::string out;
  if (r.reject_reason != 0) out += fmt::format(", reason {}", r.reject_reason);
  if (r.private_data != nullptr) return out;
  if (!r.inside) out += fmt::format(", psn {:#x}", r.psn);
  if (r.key) out += fmt::format(", key {:#x} address {:#x}", *r.key, r.address);
  if (r.invalidated) out += fmt::format(", invalidates key {:#x}", *r.invalidated);
  return out;
}

std::string flags_text(std::uint8_t flags) {
  std::string out;
  for (const wire::row& r : wire::pdu_flags.rows)
    if ((flags & r.value) != 0) out.append(out.empty() ? " [" : " ").append(r.name);
  return out.empty() ? out : out + "]";
}

std::string digests_text(const trace::pdu& p) {
  using enum trace::digest_state;
  std::string out;
  const auto add = [&](trace::digest_state s, std::string_view name) {
    if (s == bad) out += fmt::format(", {} digest wrong", name);
    if (s == unknown) out += fmt::format(", {} digest not checked", name);
  };
  add(p.header_digest, "header");
  add(p.data_digest, "data");
  return out;
}

std::string indented(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    out.append("  ").append(text.substr(0, end));
    text.remove_prefix(end);
  }
  return out;
}

// The layout of the data that the PDU begins, when that is known.
const wire::layout* data_layout(const trace::pdu& p, const trace::command* of) {
  if (of == nullptr || !of->whole || p.data.empty()) return nullptr;
  const auto type = static_cast<wire::pdu_type>(p.type);
  const bool later = (type == wire::pdu_type::h2c_data || type == wire::pdu_type::c2h_data) &&
                     p.header.size() >= wire::pdu_c2h_data.size &&
                     wire::get<wire::pdu_c2h_data, "datao">(p.header) != 0;
  return later ? nullptr : wire::data_form(of->sqe, of->admin);
}

}  // namespace

std::string shown_name(std::string_view name) {
  std::string out;
  for (const char c : name)
    out += c > ' ' && c <= '~' ? std::string(1, c)
                               : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return out;
}

bool is_connect(const trace::command& c) {
  return c.opcode() == wire::fabrics_opcode &&
         c.fctype() == static_cast<std::uint8_t>(wire::fabrics_type::connect);
}

std::string pdu_fields(const trace::pdu& p) {
  const std::string flags = flags_text(p.flags);
  const wire::layout* form = trace::form_of(p);
  std::string fields;
  if (form == &wire::pdu_capsule_resp && p.header.size() > common)
    fields = fields_line(wire::cqe_layout, p.header.subspan(common));
  else if (form == &wire::pdu_capsule_cmd && p.header.size() > common)
    fields = fields_line(wire::sqe_layout, p.header.subspan(common));
  else if (form != nullptr)
    fields = fields_line(*form, p.header.first(std::min<std::size_t>(p.header.size(), form->size)),
                         p.rdma != nullptr && p.rdma->private_data != nullptr ? 0 : common);
  if (flags.empty()) return fields;
  return flags.substr(1) + (fields.empty() ? "" : " " + fields);
}

std::string pdu_line(const trace::pdu& p) {
  std::string line = type_text(p);
  if (const std::string fields = pdu_fields(p); !fields.empty()) line += " " + fields;
  if (p.data_bytes > 0) line += fmt::format(", {} bytes of data", p.data_bytes);
  if (p.bytes_missing > 0) line += fmt::format(", {} not captured", p.bytes_missing);
  return line + digests_text(p) + rdma_text(p);
}

std::string pdu_details(const trace::pdu& p, const trace::command* of,
                        const trace::completion* done, bool bytes) {
  const wire::render_options inside{.zero = wire::zeros::hide, .indent = 4};
  std::string out = p.rdma != nullptr ? fmt::format("  {}, frame {}{}\n", type_text(p),
                                                    p.ended.packet, rdma_text(p))
                                      : fmt::format("  {}{} hlen={} pdo={} plen={}, frame {}{}\n",
                                                    type_text(p), flags_text(p.flags), p.hlen,
                                                    p.pdo, p.plen, p.ended.packet, digests_text(p));
  const auto type = static_cast<wire::pdu_type>(p.type);
  const wire::byte_span body = p.header.subspan(std::min(common, p.header.size()));
  if (done != nullptr && !done->cqe.empty())
    out += wire::render_text(wire::cqe_form(of->sqe, of->admin, done->cqe), done->cqe, inside);
  else if (type == wire::pdu_type::capsule_cmd && of != nullptr)
    out += wire::render_text(wire::sqe_form(body, of->admin), body, inside);
  else if (type == wire::pdu_type::icreq || type == wire::pdu_type::icresp ||
           type == wire::pdu_type::h2c_termreq || type == wire::pdu_type::c2h_termreq)
    out += wire::render_text(*trace::form_of(p), p.header, inside);
  if (const wire::layout* form = data_layout(p, of))
    out += fmt::format("  {}\n", form->title) + wire::render_text(*form, p.data, inside);
  if (!bytes) return out;
  out += indented(wire::hexdump(p.header));
  out += indented(wire::hexdump(p.data, p.data_at));
  if (p.data.size() < p.data_bytes)
    out += fmt::format("  ... {} more of data\n", wire::size_text(p.data_bytes - p.data.size()));
  return out;
}

std::string notice_words(const trace::notice& n) {
  using enum trace::notice_kind;
  std::string out{title_of(n.kind)};
  const std::string_view from = n.going == trace::way::to_host ? "controller" : "host";
  switch (n.kind) {
    case found:
      out += fmt::format(", {} after {} bytes that could not be read", from, n.a);
      break;
    case missing:
      out = fmt::format("{} bytes of payload from the {} are not in the capture", n.a, from);
      break;
    case middle:
    case lost:
    case bad_plen:
    case packets_lost:
      out += fmt::format(", from the {}", from);
      break;
    default:
      break;
  }
  if (n.about != nullptr) out = fmt::format("{}: {}", pdu_line(*n.about), out);
  return out;
}

std::string notice_text(const trace::notice& n) {
  return notice_words(n) + fmt::format(" (frame {})", n.at.packet);
}

std::string ends_text(const trace::connection& c) {
  if (c.carried_by() == trace::fabric::loop) return "a queue by loop";
  return fmt::format("host {} controller {}{}", to_text(c.host()), to_text(c.controller()),
                     carried_text(c.carried_by()));
}

std::string work_text(const trace::work& w) {
  std::string out{w.kind};
  if (w.bytes != 0) out += fmt::format(", {} bytes", w.bytes);
  if (w.key) out += fmt::format(", key {:#x}", *w.key);
  if (w.address != 0) out += fmt::format(" address {:#x}", w.address);
  if (!w.trouble.empty()) out += fmt::format(": {}", w.trouble);
  return out + fmt::format(", {:.1f} us", static_cast<double>(w.done.ns - w.posted.ns) / 1000);
}

std::string_view closed_words(const trace::connection& c) {
  if (!c.left_first()) return "closed";
  return *c.left_first() == trace::way::to_controller ? "closed by the host"
                                                      : "closed by the controller";
}

}  // namespace nvmf::cli
