// SPDX-License-Identifier: BSD-2-Clause
#include "report.hpp"

#include <fmt/format.h>

namespace nvmf::cli::repl {
namespace {

// TAP 14: # begins a directive in a description, and a backslash takes that away.
std::string tap_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '#' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out;
}

// In double quotes, as YAML has them.
std::string yaml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + '"';
}

std::string tap_lines(const tested& o, std::size_t number) {
  std::string out = fmt::format("{}ok {} - {}\n", o.met ? "" : "not ", number, tap_text(o.name));
  if (o.met) return out;
  out += fmt::format("  ---\n  message: {}\n  at: {}\n", yaml_text(o.why),
                     yaml_text(fmt::format("{}:{}", o.source, o.number)));
  if (!o.details.empty()) out += "  found:\n";
  for (const auto& d : o.details) out += fmt::format("    - {}\n", yaml_text(d));
  return out + "  ...\n";
}

// XML 1.0 has no place for most control characters, not even escaped.
std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "&#10;";
        break;
      default:
        out += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? '?' : c;
    }
  }
  return out;
}

double seconds(std::chrono::nanoseconds t) { return std::chrono::duration<double>(t).count(); }

}  // namespace

void report::tap_to(std::function<void(std::string_view)> print) {
  tap_ = std::move(print);
  tap_("TAP version 14\n");
}

void report::add(tested o) {
  ++(o.met ? met_ : unmet_);
  if (tap_) tap_(tap_lines(o, met_ + unmet_));
  if (keeping_ && kept_.size() < kept_max) kept_.push_back(std::move(o));
}

void report::end() {
  if (tap_) tap_(fmt::format("1..{}\n", met_ + unmet_));
}

std::string report::junit(std::string_view suite) const {
  std::chrono::nanoseconds total{};
  for (const tested& o : kept_) total += o.took;
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites>\n  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" time=\"{:.6f}\">\n",
      xml_text(suite), met_ + unmet_, unmet_, seconds(total));
  for (const tested& o : kept_) {
    out += fmt::format(
        "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.6f}\"",
        xml_text(o.name), xml_text(suite), xml_text(o.source), o.number, seconds(o.took));
    if (o.met) {
      out += "/>\n";
      continue;
    }
    out += fmt::format(">\n      <failure message=\"{}\">{}:{}", xml_text(o.why),
                       xml_text(o.source), o.number);
    for (const auto& d : o.details) out += "&#10;" + xml_text(d);
    out += "</failure>\n    </testcase>\n";
  }
  return out + "  </testsuite>\n</testsuites>\n";
}

}  // namespace nvmf::cli::repl
