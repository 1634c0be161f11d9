// SPDX-License-Identifier: BSD-2-Clause
#include "time_window.hpp"

#include <fmt/format.h>

#include <ctime>
#include <optional>

#include "wire/names.hpp"
#include "wire/quantities.hpp"

namespace nvmf::cli {

namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t day = 86'400 * second;
constexpr std::int64_t year_min = 1970, year_max = 2261;  // 64 bits of nanoseconds

}  // namespace

// Reads from the left, and knows at which column it stands.
class window_parser {
 public:
  explicit window_parser(std::string_view text) : text_(text) {}

  std::expected<time_window, std::string> run() {
    time_window out;
    out.given_ = true;
    const std::size_t comma = text_.find(',');
    if (comma == std::string_view::npos)
      return fail(text_.size(), "FROM,TO has a comma; either may be missing: 2s,");
    end_ = comma;
    if (!bound(out.from_)) return std::unexpected(error_);
    at_ = comma + 1;
    end_ = text_.size();
    if (!bound(out.to_)) return std::unexpected(error_);
    if (out.from_.what == kind::open && out.to_.what == kind::open)
      return fail(0, "a time is missing on at least one side of the comma");
    if (out.from_.what == out.to_.what && out.from_.zoned == out.to_.zoned &&
        out.from_.what != kind::of_day && out.to_.ns < out.from_.ns)
      return fail(comma + 1, "TO comes before FROM");
    return out;
  }

 private:
  using kind = time_window::bound::kind;

  std::unexpected<std::string> fail(std::size_t at, std::string_view why) {
    error_ = fmt::format("column {}: {}\n  {}\n  {:>{}}", at + 1, why, text_, "^", at + 1);
    return std::unexpected(error_);
  }
  bool wrong(std::string_view why) {
    static_cast<void>(fail(at_, why));
    return false;
  }
  std::string_view rest() const { return text_.substr(at_, end_ - at_); }
  bool next_is(char c) const { return at_ < end_ && text_[at_] == c; }

  // Digits, of which there are `least` to `most`.
  std::optional<std::int64_t> digits(std::size_t least, std::size_t most) {
    std::int64_t value = 0;
    std::size_t n = 0;
    for (; n < most && at_ < end_ && text_[at_] >= '0' && text_[at_] <= '9'; ++n, ++at_)
      value = value * 10 + (text_[at_] - '0');
    if (n < least) return std::nullopt;
    return value;
  }
  // Two of them, at most `most`, and `after` behind them unless that is 0.
  bool pair(std::int64_t& to, std::int64_t most, char after, std::string_view what) {
    const std::size_t begun = at_;
    const auto value = digits(2, 2);
    if (!value || *value > most) {
      at_ = begun;
      return wrong(fmt::format("{} is two digits, 00 to {}", what, most));
    }
    to = *value;
    if (after == 0) return true;
    if (!next_is(after)) return wrong(fmt::format("'{}' is due here", after));
    ++at_;
    return true;
  }

  // HH:MM:SS[.fraction]
  bool time_of_day(std::int64_t& ns) {
    std::int64_t h = 0, m = 0, s = 0;
    if (!pair(h, 23, ':', "the hour") || !pair(m, 59, ':', "the minute") ||
        !pair(s, 59, 0, "the second"))
      return false;
    ns = (h * 3600 + m * 60 + s) * second;
    if (!next_is('.')) return true;
    ++at_;
    const std::size_t begun = at_;
    auto fraction = digits(1, 9);
    if (!fraction) return wrong("digits are due behind the point");
    for (std::size_t n = at_ - begun; n < 9; ++n) *fraction *= 10;
    ns += *fraction;
    return true;
  }

  // YYYY-MM-DD and a T or a blank
  bool date(std::int64_t& ns) {
    const std::size_t begun = at_;
    const auto year = digits(4, 4);
    if (!year || *year < year_min || *year > year_max) {
      at_ = begun;
      return wrong(fmt::format("the year is {} to {}", year_min, year_max));
    }
    ++at_;  // the dash that gave it away
    std::int64_t month = 0, of_month = 0;
    if (!pair(month, 12, '-', "the month") || !pair(of_month, 31, 0, "the day")) return false;
    std::tm t{};
    t.tm_year = static_cast<int>(*year - 1900);
    t.tm_mon = static_cast<int>(month - 1);
    t.tm_mday = static_cast<int>(of_month);
    const std::tm asked = t;
    const std::int64_t seconds = ::timegm(&t);
    if (t.tm_mon != asked.tm_mon || t.tm_mday != asked.tm_mday) {
      at_ = begun;
      return wrong("there is no such day");
    }
    if (!next_is('T') && !next_is(' ')) return wrong("T and a time are due behind the day");
    ++at_;
    ns = seconds * second;
    return true;
  }

  bool zone(time_window::bound& b) {
    if (next_is('Z')) {
      ++at_;
      b.zoned = true;
    } else if (next_is('+') || next_is('-')) {
      const std::int64_t sign = text_[at_++] == '+' ? 1 : -1;
      std::int64_t h = 0, m = 0;
      if (!pair(h, 23, ':', "the hour") || !pair(m, 59, 0, "the minute")) return false;
      b.zoned = true;
      b.ns -= sign * (h * 3600 + m * 60) * second;
    }
    return true;
  }

  bool bound(time_window::bound& b) {
    const std::string_view all = rest();
    if (all.empty()) return true;
    if (all.size() > 4 && all[4] == '-') {
      b.what = kind::absolute;
      std::int64_t of_day = 0;
      if (!date(b.ns) || !time_of_day(of_day)) return false;
      b.ns += of_day;
      if (!zone(b)) return false;
    } else if (all.find(':') != std::string_view::npos) {
      b.what = kind::of_day;
      if (!time_of_day(b.ns)) return false;
    } else {
      b.what = kind::after_first;
      const auto after = wire::parse_time(all, "a time after the first packet");
      if (!after) return wrong(to_text(after.error()));
      b.ns = after->count();
      at_ = end_;
    }
    return at_ == end_ || wrong("nothing more is due here");
  }

  std::string_view text_;
  std::size_t at_ = 0, end_ = 0;
  std::string error_;
};

std::expected<time_window, std::string> time_window::parse(std::string_view text) {
  return window_parser(text).run();
}

namespace {

// Seconds to add to UTC at that time.
std::int64_t local_offset_s(std::int64_t seconds) {
  const std::time_t at = seconds;
  std::tm t{};
  return ::localtime_r(&at, &t) == nullptr ? 0 : t.tm_gmtoff;
}

}  // namespace

std::int64_t time_window::resolve(const bound& b, std::int64_t first_ns, std::int64_t not_before,
                                  bool utc) {
  switch (b.what) {
    case bound::kind::open:
      return not_before;
    case bound::kind::after_first:
      return first_ns + b.ns;
    case bound::kind::absolute:
      return b.zoned || utc ? b.ns : b.ns - local_offset_s(b.ns / second) * second;
    case bound::kind::of_day:
      break;
  }
  const std::int64_t shift = utc ? 0 : local_offset_s(first_ns / second) * second;
  const std::int64_t today = (first_ns + shift) / day * day - shift;
  std::int64_t at = today + b.ns;
  // A capture over midnight: TO is on the day after.
  if (at < not_before) at += day;
  return at;
}

bool time_window::begin(std::int64_t first_ns, bool utc) {
  if (from_.what != bound::kind::open)
    from_ns_ = resolve(from_, first_ns, std::numeric_limits<std::int64_t>::min(), utc);
  if (to_.what != bound::kind::open)
    to_ns_ = resolve(to_, first_ns, std::max(from_ns_, first_ns), utc);
  return from_ns_ <= to_ns_;
}

}  // namespace nvmf::cli
