// SPDX-License-Identifier: BSD-2-Clause
#include "value.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wire/expression/symbols.hpp"
#include "wire/names.hpp"
#include "wire/numbers.hpp"
#include "wire/quantities.hpp"

namespace nvmf::cli::repl {
namespace {

using kind = value::kind;
constexpr std::size_t bytes_shown = 16;
constexpr std::size_t literal_bytes_max = 32 * 1024;

std::string hex_text(std::span<const std::byte> b, std::string_view between) {
  std::string out;
  for (std::size_t i = 0; i < b.size(); ++i)
    fmt::format_to(std::back_inserter(out), "{}{:02x}", i == 0 ? "" : between,
                   std::to_integer<unsigned>(b[i]));
  return out;
}

std::string number_name(const value& v) {
  if (v.names == nullptr || v.names->flags || v.number > 0xffff'ffffu) return {};
  const wire::row* r = v.names->find(static_cast<std::uint32_t>(v.number));
  return r == nullptr ? std::string{} : std::string{r->name};
}

// A word beside a value that has names is one of them.
std::expected<value, std::string> named_like(const value& w, const value& other) {
  if (other.is == kind::status) {
    const auto code = wire::lookup_status(w.text);
    if (!code) return std::unexpected(to_text(code.error()));
    return value::of_status(static_cast<std::uint16_t>(*code));
  }
  const auto n = wire::parse_value(*other.names, w.text, other.names->name, ~std::uint64_t{0});
  if (!n) return std::unexpected(to_text(n.error()));
  return value::of_number(*n, other.names);
}

bool is_numeric(const value& v) { return v.is == kind::number || v.is == kind::boolean; }

std::unexpected<std::string> no_order(comparison how, const value& v) {
  return std::unexpected(fmt::format("{} takes numbers and times, and this is {}: {}",
                                     sign_text(how), kind_text(v.is), shown(v)));
}

bool is_equality(comparison how) {
  return how == comparison::equal || how == comparison::not_equal;
}

std::span<const std::byte> as_bytes(const value& v) {
  return v.is == kind::bytes ? v.bytes : std::as_bytes(std::span{v.text});
}

// Texts and bytes with each other.
std::expected<bool, std::string> compare_bytes(comparison how, const value& a, const value& b) {
  const auto x = as_bytes(a), y = as_bytes(b);
  if (how == comparison::contains) return !std::ranges::search(x, y).empty() || y.empty();
  if (!is_equality(how)) return no_order(how, a);
  return std::ranges::equal(x, y) == (how == comparison::equal);
}

std::expected<bool, std::string> compare_known(comparison how, const value& a, const value& b) {
  if (a.is == kind::absent || b.is == kind::absent) {
    // `absent` itself has been said when the text says so.
    if (!is_equality(how) || (a.text.empty() && b.text.empty())) return false;
    return (a.is == b.is) == (how == comparison::equal);
  }
  const bool texts = a.is == kind::text || a.is == kind::bytes;
  if (texts && (b.is == kind::text || b.is == kind::bytes)) return compare_bytes(how, a, b);
  const bool same = a.is == b.is || (is_numeric(a) && is_numeric(b)) ||
                    (a.is == kind::status && b.is == kind::number) ||
                    (a.is == kind::number && b.is == kind::status);
  if (!same || how == comparison::contains)
    return std::unexpected(fmt::format("{} is {} and {} is {}: {} does not fit between them",
                                       shown(a), kind_text(a.is), shown(b), kind_text(b.is),
                                       sign_text(how)));
  if (a.is == kind::status && !is_equality(how)) return no_order(how, a);
  return wire::holds(how, a.number <=> b.number);
}

}  // namespace

value value::snapshot() const {
  value v = *this;
  if (is != kind::bytes) return v;
  auto copy = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
  v.bytes = *copy;
  v.keeps = std::move(copy);
  return v;
}

std::string_view kind_text(value::kind k) {
  switch (k) {
    case kind::absent:
      return "absent";
    case kind::word:
      return "a name";
    case kind::boolean:
      return "true or false";
    case kind::number:
      return "a number";
    case kind::duration:
      return "a time";
    case kind::status:
      return "a status";
    case kind::text:
      return "text";
    case kind::bytes:
      return "bytes";
  }
  return "";
}

std::optional<value> literal_of(std::string_view typed) {
  if (typed == "true" || typed == "false") return value::of(typed == "true");
  if (typed.starts_with("hex:")) {
    auto bytes = wire::parse_hex(typed.substr(4), "hex", literal_bytes_max);
    if (!bytes) return std::nullopt;
    auto kept = std::make_shared<std::vector<std::byte>>(std::move(*bytes));
    return value::of_bytes(*kept, kept);
  }
  if (typed.empty() || typed[0] < '0' || typed[0] > '9') return std::nullopt;
  std::optional<value> v;
  if (const auto n = wire::parse_size(typed, "")) v = value::of_number(*n);
  if (!v)
    if (const auto t = wire::parse_time(typed, "")) v = value::of_time(*t);
  if (v) v->text = typed;
  return v;
}

value value_of_word(std::string_view typed) {
  if (auto v = literal_of(typed)) return *v;
  return value::of_text(std::string{typed});
}

std::string spelled(const value& v) {
  switch (v.is) {
    case kind::absent:
      return "absent";
    case kind::word:
    case kind::text:
      return v.text;
    case kind::boolean:
      return v.number != 0 ? "true" : "false";
    case kind::number:
      return v.text.empty() ? fmt::format("{}", v.number) : v.text;
    case kind::duration:
      return v.text.empty()
                 ? wire::time_text(std::chrono::nanoseconds(static_cast<std::int64_t>(v.number)))
                 : v.text;
    case kind::status:
      return wire::spell_status(v.number);
    case kind::bytes:
      return "hex:" + hex_text(v.bytes, "");
  }
  return {};
}

std::string shown(const value& v) {
  switch (v.is) {
    case kind::word:
    case kind::text:
      return wire::quoted(v.text);
    case kind::number:
      if (const auto name = number_name(v); !name.empty())
        return fmt::format("{} ({})", name, v.number);
      return v.number < 10 ? fmt::format("{}", v.number)
                           : fmt::format("{} ({:#x})", v.number, v.number);
    case kind::status: {
      const auto code = fmt::format("{:x}/{:02X}h", v.number >> 8, v.number & 0xff);
      const auto name = wire::spell_status(v.number);
      return name == code ? name : fmt::format("{} ({})", name, code);
    }
    case kind::bytes: {
      const auto first = v.bytes.first(std::min(v.bytes.size(), bytes_shown));
      return fmt::format("{} byte{}{}{}{}", v.bytes.size(), v.bytes.size() == 1 ? "" : "s",
                         v.bytes.empty() ? "" : ": ", hex_text(first, " "),
                         v.bytes.size() > bytes_shown ? " ..." : "");
    }
    default:
      return spelled(v);
  }
}

std::string_view sign_text(comparison c) {
  switch (c) {
    case comparison::equal:
      return "==";
    case comparison::not_equal:
      return "!=";
    case comparison::less:
      return "<";
    case comparison::less_equal:
      return "<=";
    case comparison::greater:
      return ">";
    case comparison::greater_equal:
      return ">=";
    case comparison::contains:
      return "contains";
  }
  return "";
}

bool could_be(const value& of, std::string_view word) {
  return of.has_names() &&
         named_like({.is = kind::word, .text = std::string{word}}, of).has_value();
}

std::expected<bool, std::string> compare(comparison how, const value& a, const value& b) {
  if (a.is == kind::word && b.has_names()) {
    const auto known = named_like(a, b);
    if (!known) return std::unexpected(known.error());
    return compare_known(how, *known, b);
  }
  if (b.is == kind::word && a.has_names()) {
    const auto known = named_like(b, a);
    if (!known) return std::unexpected(known.error());
    return compare_known(how, a, *known);
  }
  return compare_known(how, a, b);
}

std::expected<bool, std::string> truth(const value& v) {
  if (v.is == kind::absent) return false;
  if (is_numeric(v)) return v.number != 0;
  return std::unexpected(fmt::format("{} is {}, not true or false; compare it with something",
                                     shown(v), kind_text(v.is)));
}

std::expected<value, std::string> sum(const value& a, const value& b, bool minus) {
  if (a.is == kind::text && b.is == kind::text && !minus) return value::of_text(a.text + b.text);
  const bool numbers = a.is == kind::number && b.is == kind::number;
  if (!numbers && !(a.is == kind::duration && b.is == kind::duration))
    return std::unexpected(fmt::format("{} is {} and {} is {}: {} takes two numbers or two times",
                                       shown(a), kind_text(a.is), shown(b), kind_text(b.is),
                                       minus ? "-" : "+"));
  value out{.is = a.is};
  const std::uint64_t most =
      numbers ? ~std::uint64_t{0} : static_cast<std::uint64_t>(wire::longest_time.count());
  if (minus ? b.number > a.number : b.number > most || a.number > most - b.number)
    return std::unexpected(fmt::format("{} {} {} is {}", shown(a), minus ? "-" : "+", shown(b),
                                       minus ? "less than 0" : "too much"));
  out.number = minus ? a.number - b.number : a.number + b.number;
  return out;
}

std::expected<value, std::string> product(const value& a, const value& b) {
  if (a.is != kind::number || b.is != kind::number)
    return std::unexpected(fmt::format("{} is {} and {} is {}: * takes two numbers", shown(a),
                                       kind_text(a.is), shown(b), kind_text(b.is)));
  std::uint64_t number = 0;
  if (__builtin_mul_overflow(a.number, b.number, &number))
    return std::unexpected(fmt::format("{} * {} is too much", shown(a), shown(b)));
  return value::of_number(number);
}

}  // namespace nvmf::cli::repl
