// SPDX-License-Identifier: BSD-2-Clause
#include "nqn.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "numbers.hpp"

namespace nvmf::wire {

namespace {

constexpr std::string_view nqn_example = "nqn.2014-08.org.example:disk1";
constexpr std::size_t date_start = 4;     // after "nqn."
constexpr std::size_t domain_start = 12;  // after "yyyy-mm."

std::unexpected<text_error> bad_nqn(std::string_view what, std::size_t position,
                                    std::string reason) {
  return bad_text(what, position, std::move(reason), nqn_example);
}

// The first byte that is not part of well-formed UTF-8 without control characters and blanks.
std::optional<std::size_t> first_bad_byte(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(s[at]); };
    const unsigned lead = byte(i);
    if (lead <= 0x20 || lead == 0x7f) return i;
    if (lead < 0x80) {
      ++i;
      continue;
    }
    std::size_t more = 0;
    std::uint32_t least = 0;
    std::uint32_t point = 0;
    if ((lead & 0xe0) == 0xc0) more = 1, least = 0x80, point = lead & 0x1f;
    if ((lead & 0xf0) == 0xe0) more = 2, least = 0x800, point = lead & 0x0f;
    if ((lead & 0xf8) == 0xf0) more = 3, least = 0x10000, point = lead & 0x07;
    if (more == 0 || more > s.size() - i - 1) return i;
    for (std::size_t k = 1; k <= more; ++k) {
      if ((byte(i + k) & 0xc0) != 0x80) return i;
      point = (point << 6) | (byte(i + k) & 0x3fu);
    }
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    if (point < least || point > 0x10ffff || surrogate) return i;
    i += more + 1;
  }
  return std::nullopt;
}

std::expected<void, text_error> check_date(std::string_view nqn, std::string_view what) {
  constexpr std::string_view form = "dddd-dd.";
  for (std::size_t i = 0; i < form.size(); ++i) {
    const std::size_t at = date_start + i;
    const bool good = at < nqn.size() && (form[i] == 'd' ? is_digit(nqn[at]) : nqn[at] == form[i]);
    if (!good)
      return bad_nqn(what, std::min(at, nqn.size()),
                     "the date after nqn. is yyyy-mm and a dot, as in nqn.2014-08.");
  }
  const int month = (nqn[9] - '0') * 10 + (nqn[10] - '0');
  if (month < 1 || month > 12)
    return bad_nqn(what, 9, fmt::format("the date has month {:02}", month));
  return {};
}

// Lenient on purpose: names in use have underscores and capitals. Empty labels are slips.
std::expected<void, text_error> check_domain(std::string_view nqn, std::string_view what) {
  const std::size_t end = std::min(nqn.find(':'), nqn.size());
  std::size_t label = domain_start;
  for (std::size_t i = domain_start; i <= end; ++i) {
    if (i < end && nqn[i] != '.') continue;
    if (i == label)
      return bad_nqn(what, i,
                     end == domain_start ? "the reverse domain after the date is missing"
                                         : "the reverse domain has an empty label");
    label = i + 1;
  }
  if (end + 1 == nqn.size()) return bad_nqn(what, end, "the name after the colon is missing");
  return {};
}

}  // namespace

std::expected<void, text_error> check_nqn(std::string_view nqn, std::string_view what) {
  if (nqn.empty()) return bad_nqn(what, 0, "is empty");
  if (nqn.size() > nqn_max_length)
    return bad_nqn(what, nqn_max_length,
                   fmt::format("is {} bytes long, {} are allowed", nqn.size(), nqn_max_length));
  if (!nqn.starts_with("nqn."))
    return bad_nqn(what, 0, fmt::format("{} does not start with nqn.", quoted(nqn)));
  if (const auto bad = first_bad_byte(nqn))
    return bad_nqn(what, *bad,
                   fmt::format("byte {} ({}) is a blank, a control character or not UTF-8", *bad,
                               quoted(nqn.substr(*bad, 1))));
  if (const auto date = check_date(nqn, what); !date) return date;
  if (const auto domain = check_domain(nqn, what); !domain) return domain;
  if (nqn.starts_with(uuid_nqn_prefix)) {
    const auto u = parse_uuid(nqn.substr(uuid_nqn_prefix.size()));
    if (!u) {
      const text_error& e = u.error();
      return std::unexpected(text_error{std::string(what), uuid_nqn_prefix.size() + e.position,
                                        "the UUID " + e.reason,
                                        std::string(uuid_nqn_prefix) + e.example});
    }
  }
  return {};
}

std::expected<std::string_view, text_error> nqn_in_field(byte_span field, std::string_view what) {
  const std::string_view all(reinterpret_cast<const char*>(field.data()), field.size());
  const std::size_t end = all.find('\0');
  if (end == all.npos)
    return bad_nqn(what, all.size(),
                   fmt::format("no NUL within the {} bytes of the field", all.size()));
  if (end == 0) return bad_nqn(what, 0, "is empty");
  if (end > nqn_max_length)
    return bad_nqn(what, nqn_max_length,
                   fmt::format("is {} bytes long, {} are allowed", end, nqn_max_length));
  return all.substr(0, end);
}

void put_nqn(mutable_byte_span field, std::string_view nqn) {
  assert(nqn.size() <= nqn_max_length && nqn.size() < field.size());
  std::ranges::fill(field, std::byte{0});
  std::ranges::transform(nqn, field.begin(), [](char c) { return static_cast<std::byte>(c); });
}

std::string uuid_nqn(const uuid& u) { return std::string(uuid_nqn_prefix) + to_text(u); }

}  // namespace nvmf::wire
