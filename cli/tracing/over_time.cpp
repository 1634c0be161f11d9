// SPDX-License-Identifier: BSD-2-Clause
#include "over_time.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <span>
#include <vector>

#include "render/text.hpp"
#include "tracing/clock_text.hpp"

namespace nvmf::cli {

namespace {

constexpr std::string_view eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::string_view plain[] = {" ", ".", ":", "-", "=", "+", "*", "%", "#"};

// Nothing stays blank, something never is.
std::string bars(std::span<const std::uint64_t> values, bool unicode) {
  const std::uint64_t most = std::max<std::uint64_t>(*std::ranges::max_element(values), 1);
  const std::span<const std::string_view> signs = unicode
                                                      ? std::span<const std::string_view>(eighths)
                                                      : std::span<const std::string_view>(plain);
  std::string out;
  for (const std::uint64_t v : values) {
    const auto height = static_cast<std::size_t>(
        v == 0 ? 0 : 1 + static_cast<double>(v) / static_cast<double>(most) * 7.0);
    out += signs[std::min<std::size_t>(height, 8)];
  }
  return out;
}

}  // namespace

void over_time::widen() {
  for (std::size_t i = 0; i < intervals_max / 2; ++i) {
    interval a = all_[2 * i];
    const interval& b = all_[2 * i + 1];
    a.completions += b.completions;
    a.bytes += b.bytes;
    a.depth = std::max(a.depth, b.depth);
    if (b.seen) a.depth_then = b.depth_then;
    a.seen = a.seen || b.seen;
    all_[i] = a;
  }
  std::fill(all_.begin() + intervals_max / 2, all_.end(), interval{});
  used_ = (used_ + 1) / 2;
  width_ns_ *= 2;
}

std::array<over_time::interval, over_time::intervals_max> over_time::filled() const {
  auto out = all_;
  for (std::size_t i = 1; i < used_; ++i)
    if (!out[i].seen) out[i].depth = out[i].depth_then = out[i - 1].depth_then;
  return out;
}

std::string over_time::text(const style& look, bool unicode) const {
  if (used_ == 0) return {};
  line_buffer width;
  append_duration(width, width_ns_);
  const auto all = filled();
  std::vector<std::uint64_t> completions, bytes, depth;
  for (std::size_t i = 0; i < used_; ++i) {
    completions.push_back(all[i].completions);
    bytes.push_back(all[i].bytes);
    depth.push_back(all[i].depth);
  }
  const double seconds = static_cast<double>(width_ns_) / 1e9;
  const auto most = [](const std::vector<std::uint64_t>& v) {
    return static_cast<double>(*std::ranges::max_element(v));
  };
  text_table t(2);
  t.add({"commands", bars(completions, unicode),
         fmt::format("at most {:.0f} a second", most(completions) / seconds)});
  t.add({"bytes", bars(bytes, unicode),
         fmt::format("at most {:.1f} MB a second", most(bytes) / seconds / 1e6)});
  t.add({"depth", bars(depth, unicode), fmt::format("at most {:.0f}", most(depth))});
  return look(tone::strong, "Over time") + fmt::format(", {} a sign\n{}", width.view(), t.str());
}

boost::json::object over_time::json() const {
  boost::json::array completions, bytes, depth;
  const auto all = filled();
  for (std::size_t i = 0; i < used_; ++i) {
    completions.emplace_back(all[i].completions);
    bytes.emplace_back(all[i].bytes);
    depth.emplace_back(all[i].depth);
  }
  return {{"first_ns", first_ns_},
          {"width_ns", width_ns_},
          {"completions", std::move(completions)},
          {"bytes", std::move(bytes)},
          {"depth", std::move(depth)}};
}

}  // namespace nvmf::cli
