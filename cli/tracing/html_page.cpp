// SPDX-License-Identifier: BSD-2-Clause
// Columns of numbers are little-endian arrays in base64, which a browser takes as they are; names,
// texts and what there is little of are JSON.
#include "html_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <concepts>

#include "render/json.hpp"
#include "tracing/pdu_text.hpp"
#include "wire/layouts/pdu.hpp"

namespace nvmf::cli {

namespace {

namespace json = boost::json;

constexpr std::string_view schema = "nvmfctl.trace-html/1";

std::string_view bits_of(double) { return "f64"; }
std::string_view bits_of(float) { return "f32"; }
std::string_view bits_of(std::uint32_t) { return "u32"; }
std::string_view bits_of(std::uint16_t) { return "u16"; }
std::string_view bits_of(std::uint8_t) { return "u8"; }

std::uint64_t raw(double v) { return std::bit_cast<std::uint64_t>(v); }
std::uint64_t raw(float v) { return std::bit_cast<std::uint32_t>(v); }
std::uint64_t raw(std::unsigned_integral auto v) { return v; }

// Text that leaves as it grows.
class page_text {
 public:
  explicit page_text(const std::function<void(std::string_view)>& put) : put_(put) {}
  std::string& text() {
    if (text_.size() >= piece) flush();
    return text_;
  }
  void add(std::string_view more) { text() += more; }
  void flush() {
    put_(text_);
    text_.clear();
  }

 private:
  static constexpr std::size_t piece = 64u << 10;
  const std::function<void(std::string_view)>& put_;
  std::string text_;
};

class columns {
 public:
  explicit columns(page_text& to) : to_(to) {}

  // A column of `get` over all records; one whose values are the same is one value.
  template <class R, class F>
  void add(std::string_view name, const std::vector<R>& records, F get) {
    using value = decltype(get(records.front()));
    const auto same = [&](const R& r) { return raw(get(r)) == raw(get(records.front())); };
    const bool constant = std::ranges::all_of(records, same);
    const std::size_t count = constant ? std::min<std::size_t>(records.size(), 1) : records.size();
    to_.add(fmt::format("{}\"{}\":[\"{}\",{},\"", first_ ? "" : ",\n", name, bits_of(value{}),
                        constant ? "true" : "false"));
    first_ = false;
    // A multiple of three, so that pieces of base64 make a whole.
    std::array<std::byte, 3072 * sizeof(value)> bytes;
    std::size_t used = 0;
    for (std::size_t i = 0; i < count; ++i) {
      wire::store_le(bytes, used, sizeof(value), raw(get(records[i])));
      used += sizeof(value);
      if (used < bytes.size() && i + 1 < count) continue;
      append_base64(to_.text(), std::span{bytes}.first(used));
      used = 0;
    }
    to_.add("\"]");
  }

 private:
  page_text& to_;
  bool first_ = true;
};

void add_columns(page_text& to, const html_records& r, std::int64_t base_ns) {
  columns c(to);
  const auto since = [base_ns](std::int64_t ns) { return static_cast<double>(ns - base_ns); };
  c.add("pduTime", r.pdus, [&](const html_pdu& p) { return since(p.ns); });
  c.add("pduTook", r.pdus, [](const html_pdu& p) { return p.took_ns; });
  c.add("pduCommand", r.pdus, [](const html_pdu& p) { return p.command; });
  c.add("pduText", r.pdus, [](const html_pdu& p) { return p.text; });
  c.add("pduFrame", r.pdus, [](const html_pdu& p) { return p.frame; });
  c.add("pduLength", r.pdus, [](const html_pdu& p) { return p.plen; });
  c.add("pduData", r.pdus, [](const html_pdu& p) { return p.data_bytes; });
  c.add("pduConnection", r.pdus, [](const html_pdu& p) { return p.connection; });
  c.add("pduType", r.pdus, [](const html_pdu& p) { return p.type; });
  c.add("pduToHost", r.pdus, [](const html_pdu& p) { return p.to_host; });
  c.add("pduDigests", r.pdus, [](const html_pdu& p) { return p.digests; });
  c.add("sent", r.commands, [&](const html_command& k) { return since(k.sent_ns); });
  c.add("latency", r.commands, [](const html_command& k) { return k.latency_ns; });
  c.add("toR2t", r.commands, [](const html_command& k) { return k.to_r2t_ns; });
  c.add("toData", r.commands, [](const html_command& k) { return k.to_data_ns; });
  c.add("data", r.commands, [](const html_command& k) { return k.data_ns; });
  c.add("toEnd", r.commands, [](const html_command& k) { return k.to_end_ns; });
  c.add("status", r.commands, [](const html_command& k) { return k.status; });
  c.add("name", r.commands, [](const html_command& k) { return k.name; });
  c.add("form", r.commands, [](const html_command& k) { return k.form; });
  c.add("bytes", r.commands, [](const html_command& k) { return static_cast<double>(k.bytes); });
  c.add("connection", r.commands, [](const html_command& k) { return k.connection; });
  c.add("cid", r.commands, [](const html_command& k) { return k.cid; });
  c.add("fate", r.commands, [](const html_command& k) { return k.fate; });
  c.add("failed", r.commands, [](const html_command& k) { return k.failed; });
}

json::object connection_record(const html_connection& c) {
  const trace::agreement& a = c.agreed;
  json::object o{{"number", c.number},
                 {"host", c.host},
                 {"controller", c.controller},
                 {"hostNqn", shown_name(a.host_nqn)},
                 {"subsystem", shown_name(a.subsystem_nqn)},
                 {"digests", a.header_digest && a.data_digest ? "header, data"
                             : a.header_digest                ? "header"
                             : a.data_digest                  ? "data"
                             : a.ic_response                  ? "none"
                                                              : ""},
                 {"pdus", c.counts.pdus},
                 {"commands", c.counts.commands},
                 {"failed", c.counts.failed},
                 {"toController", c.counts.bytes[0]},
                 {"toHost", c.counts.bytes[1]},
                 {"digestsWrong", c.counts.digests_bad},
                 {"depth", c.depth},
                 {"closed", c.closed}};
  if (c.qid) o["qid"] = *c.qid;
  if (a.cntlid) o["cntlid"] = *a.cntlid;
  if (a.ic_request) o["maxr2t"] = a.maxr2t;
  if (a.ic_response) o["maxh2cdata"] = a.maxh2cdata;
  if (a.connect) o["sqsize"] = a.sqsize;
  if (a.connect) o["katoMs"] = a.kato_ms;
  return o;
}

json::object finding_record(const html_finding& f, const html_records& r, std::int64_t base_ns) {
  json::object o{{"severity", f.severity},    {"rule", f.rule},
                 {"text", json_text(f.text)}, {"connection", f.connection},
                 {"time", f.ns - base_ns},    {"frame", f.frame}};
  if (!f.by.empty()) o["by"] = f.by;
  if (!f.section.empty()) o["section"] = f.section;
  if (f.cid) o["cid"] = *f.cid;
  const auto at = std::ranges::lower_bound(r.pdus, f.sequence, {}, &html_pdu::sequence);
  if (at != r.pdus.end() && at->sequence == f.sequence) o["pdu"] = at - r.pdus.begin();
  return o;
}

// {"nlb": "Number of Logical Blocks, 0's based"}
json::object titles_of(const wire::layout& form) {
  json::object o;
  for (const wire::field& f : form.fields)
    if (f.is_scalar() && f.as != wire::kind::reserved) o[f.name] = f.title;
  return o;
}

json::object head_record(const html_records& r, std::string_view source, std::int64_t base_ns) {
  json::object head{{"schema", schema},
                    {"source", json_text(source)},
                    {"version", NVMFCTL_VERSION},
                    // Of 64 bits: more than a number of JavaScript holds.
                    {"baseNs", std::to_string(base_ns)},
                    {"pdus", r.pdus.size()},
                    {"commands", r.commands.size()},
                    {"leftOut", left_out_text(r)}};
  json::object kinds;
  for (const wire::layout* form : wire::pdu_layouts) {
    const auto type = std::ranges::find_if(wire::pdu_types.rows, [&](const wire::row& row) {
      return wire::pdu_layout(static_cast<std::uint8_t>(row.value)) == form;
    });
    if (type == wire::pdu_types.rows.end()) continue;
    kinds[std::to_string(type->value)] = {
        {"name", form->name}, {"title", form->title}, {"fields", titles_of(*form)}};
  }
  head["kinds"] = std::move(kinds);
  json::array forms, connections, findings;
  for (const wire::layout* form : r.forms)
    forms.push_back({{"title", form->title}, {"fields", titles_of(*form)}});
  for (const html_connection& c : r.connections) connections.push_back(connection_record(c));
  for (const html_finding& f : r.findings) findings.push_back(finding_record(f, r, base_ns));
  head["forms"] = std::move(forms);
  head["connections"] = std::move(connections);
  head["findings"] = std::move(findings);
  return head;
}

}  // namespace

void append_for_script(std::string& to, std::string_view text) {
  constexpr std::string_view separator{"\xe2\x80"};  // of lines A8h, of paragraphs A9h
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '<' || c == '>' || c == '&') {
      to += c == '<' ? "\\u003c" : c == '>' ? "\\u003e" : "\\u0026";
    } else if (text.substr(i, 2) == separator && i + 2 < text.size() &&
               (text[i + 2] == '\xa8' || text[i + 2] == '\xa9')) {
      to += text[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      to += c;
    }
  }
}

void append_base64(std::string& to, std::span<const std::byte> bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  to.reserve(to.size() + (bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k)
      word = word << 8 | (k < have ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k) to += k <= have ? digits[word >> (18 - 6 * k) & 63] : '=';
  }
}

void write_page(const html_records& r, std::string_view source,
                const std::function<void(std::string_view)>& put) {
  const page_parts parts = trace_page_parts();
  const std::int64_t base_ns = r.pdus.empty() ? 0 : r.pdus.front().ns;
  page_text page(put);
  for (const std::string_view p : parts.before) page.add(p);
  page.add("{\"head\":");
  append_for_script(page.text(), json::serialize(head_record(r, source, base_ns)));
  page.add(",\n\"texts\":[");
  for (std::uint32_t n = 0; n < r.texts.size(); ++n) {
    page.add(n > 0 ? "," : "");
    append_for_script(page.text(), json::serialize(json_text(r.texts[n])));
  }
  page.add("],\n\"columns\":{");
  add_columns(page, r, base_ns);
  page.add("}}");
  for (const std::string_view p : parts.after) page.add(p);
  page.flush();
}

}  // namespace nvmf::cli
