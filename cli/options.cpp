// SPDX-License-Identifier: BSD-2-Clause
#include "options.hpp"

#include <cassert>

#include "values.hpp"

namespace nvmf::cli {

std::string_view option::long_name() const {
  const std::size_t at = names.find("--");
  return at == std::string_view::npos ? names : names.substr(at);
}

std::string_view option::short_name() const {
  return names.size() >= 2 && names[0] == '-' && names[1] != '-' ? names.substr(0, 2)
                                                                 : std::string_view{};
}

option& option_table::add(option row) {
  assert(!row.names.empty() && find(row.long_name()) == nullptr);
  return rows_.emplace_back(std::move(row));
}

option& option_table::custom(
    std::string_view names, std::string_view value, std::string_view help,
    std::function<std::expected<void, std::string>(std::string_view)> set) {
  return add({.names = names,
              .value = value,
              .help = std::string{help},
              .fallback = {},
              .wants = option::takes::value,
              .choices = {},
              .set = std::move(set)});
}

option& option_table::flag(std::string_view names, bool& target, std::string_view help) {
  option& row =
      custom(names, {}, help, [&target](std::string_view) -> std::expected<void, std::string> {
        target = true;
        return {};
      });
  row.wants = option::takes::nothing;
  return row;
}

option& option_table::text(std::string_view names, std::string_view value, std::string& target,
                           std::string_view help) {
  option& row = custom(names, value, help,
                       [&target](std::string_view text) -> std::expected<void, std::string> {
                         target = text;
                         return {};
                       });
  row.fallback = target;
  return row;
}

option& option_table::texts(std::string_view names, std::string_view value,
                            std::vector<std::string>& target, std::string_view help) {
  option& row = custom(names, value, help,
                       [&target](std::string_view text) -> std::expected<void, std::string> {
                         target.emplace_back(text);
                         return {};
                       });
  row.repeats = true;
  return row;
}

option& option_table::size(std::string_view names, std::string_view value, std::uint64_t& target,
                           std::string_view help, wire::number_range range, std::uint64_t step) {
  option& row =
      custom(names, value, help,
             [&target, range, step](std::string_view text) -> std::expected<void, std::string> {
               const auto bytes = wire::parse_size(text, {}, range);
               if (!bytes) return std::unexpected(to_text(bytes.error()));
               if (*bytes % step != 0)
                 return std::unexpected(fmt::format("{} is not a multiple of {}", text, step));
               target = *bytes;
               return {};
             });
  row.fallback = wire::size_text(target);
  return row;
}

option& option_table::duration(std::string_view names, std::string_view value,
                               std::chrono::milliseconds& target, std::chrono::milliseconds plain,
                               std::string_view help, duration_range range) {
  option& row =
      custom(names, value, help,
             [&target, plain, range](std::string_view text) -> std::expected<void, std::string> {
               const auto time = parse_duration(text, plain);
               if (!time) return std::unexpected(to_text(time.error()));
               if (*time < range.min)
                 return std::unexpected(fmt::format("{} is less than {}", duration_text(*time),
                                                    duration_text(range.min)));
               if (*time > range.max)
                 return std::unexpected(fmt::format("{} is more than {}", duration_text(*time),
                                                    duration_text(range.max)));
               target = *time;
               return {};
             });
  row.fallback = duration_text(target);
  return row;
}

option& option_table::choice(std::string_view names, std::string_view value, std::size_t& target,
                             std::span<const std::string_view> names_of, std::string_view help) {
  std::vector<std::string_view> all{names_of.begin(), names_of.end()};
  option& row =
      custom(names, value, help,
             [&target, all](std::string_view text) -> std::expected<void, std::string> {
               std::string list;
               for (std::size_t i = 0; i < all.size(); ++i) {
                 if (all[i] == text) {
                   target = i;
                   return {};
                 }
                 list.append(i == 0 ? "" : ", ").append(all[i]);
               }
               return std::unexpected(fmt::format("{} is not one of {}", wire::quoted(text), list));
             });
  row.choices = std::move(all);
  row.completion = completes::choices;
  if (target < row.choices.size()) row.fallback = row.choices[target];
  return row;
}

const option* option_table::find(std::string_view name) const {
  for (const option& row : rows_)
    if (row.long_name() == name || (!row.short_name().empty() && row.short_name() == name))
      return &row;
  return nullptr;
}

}  // namespace nvmf::cli
