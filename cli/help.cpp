// SPDX-License-Identifier: BSD-2-Clause
#include "help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "render/text.hpp"

namespace nvmf::cli {
namespace {

std::string option_rows(const option_table& table, bool positional) {
  text_table rows{2};
  for (const option& row : table.rows()) {
    if (row.positional() != positional) continue;
    // Options without a letter stand under those with one.
    const bool indent = !positional && row.short_name().empty();
    rows.add({(indent ? "    " : "") + option_text(row), option_help(row)});
  }
  return rows.str();
}

std::string heading(const style& look, std::string_view text) {
  return look(tone::strong, text) + "\n";
}

boost::json::array options_json(const option_table& table) {
  boost::json::array all;
  for (const option& row : table.rows()) {
    boost::json::object o{{"name", row.long_name()}};
    if (!row.short_name().empty() && row.short_name() != row.long_name())
      o["short"] = row.short_name();
    if (!row.value.empty()) o["value"] = row.value;
    o["help"] = row.help;
    if (!row.fallback.empty()) o["default"] = row.fallback;
    if (!row.choices.empty())
      o["choices"] = boost::json::array(row.choices.begin(), row.choices.end());
    if (row.repeats) o["repeats"] = true;
    all.push_back(std::move(o));
  }
  return all;
}

}  // namespace

std::string option_text(const option& row) {
  if (row.positional()) return std::string{row.names} + (row.repeats ? "..." : "");
  std::string text;
  if (!row.short_name().empty() && row.short_name() != row.long_name())
    text.append(row.short_name()).append(", ");
  text.append(row.long_name());
  if (row.wants == option::takes::value) text.append(" ").append(row.value);
  if (row.wants == option::takes::optional) text.append("[=").append(row.value).append("]");
  return text;
}

std::string option_help(const option& row) {
  std::string text = row.help;
  if (!row.choices.empty()) {
    text += ": ";
    for (std::size_t i = 0; i < row.choices.size(); ++i)
      text.append(i == 0 ? "" : ", ").append(row.choices[i]);
  }
  if (!row.fallback.empty()) text += fmt::format(" (default {})", row.fallback);
  if (row.repeats && !row.positional()) text += "; may be repeated";
  return text;
}

std::vector<exit_status> statuses_of(const command_info& info) {
  std::vector<exit_status> all{info.statuses.begin(), info.statuses.end()};
  for (const exit_status s :
       {exit_status::ok, exit_status::internal_error, exit_status::usage, exit_status::interrupted})
    all.push_back(s);
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  return all;
}

std::string overview_text(command_list list, const option_table& globals, const style& look) {
  std::string out = "nvmfctl: NVMe over Fabrics in user space: a host, a target and a debugger\n\n";
  out += heading(look, "Usage") + "  nvmfctl [OPTION]... COMMAND [ARGUMENT]...\n\n";
  out += heading(look, "Commands");
  text_table rows{2};
  for (const command_factory make : list) {
    const auto cmd = make();
    rows.add({look(tone::name, cmd->info().name), std::string{cmd->info().summary}});
  }
  out +=
      rows.str() + "\n" + heading(look, "Options of every command") + option_rows(globals, false);
  return out + "\nnvmfctl COMMAND --help tells more; nvmfctl describe explains the terms.\n";
}

boost::json::object overview_json(command_list list, const option_table& globals) {
  boost::json::array commands;
  for (const command_factory make : list) {
    const auto cmd = make();
    commands.push_back({{"name", cmd->info().name}, {"summary", cmd->info().summary}});
  }
  return {{"schema", "nvmfctl.help/1"},
          {"commands", std::move(commands)},
          {"options", options_json(globals)}};
}

boost::json::object help_json(command& cmd) {
  const command_info& info = cmd.info();
  option_table table;
  cmd.add_options(table);
  boost::json::array examples, statuses, keys;
  for (const example& e : info.examples)
    examples.push_back({{"line", fmt::format("nvmfctl {}", e.line)}, {"what", e.what}});
  for (const exit_status s : statuses_of(info))
    statuses.push_back({{"status", static_cast<unsigned>(s)},
                        {"name", exit_status_name(s)},
                        {"title", exit_status_title(s)}});
  for (const json_key& k : info.keys) keys.push_back({{"name", k.name}, {"what", k.what}});
  return {{"schema", "nvmfctl.help/1"},      {"name", info.name},
          {"summary", info.summary},         {"details", info.details},
          {"options", options_json(table)},  {"examples", std::move(examples)},
          {"statuses", std::move(statuses)}, {"keys", std::move(keys)}};
}

std::string help_text(command& cmd, const style& look) {
  const command_info& info = cmd.info();
  option_table table;
  cmd.add_options(table);
  std::string out = fmt::format("nvmfctl {}: {}\n\n", info.name, info.summary);
  out += heading(look, "Usage");
  std::string usage = fmt::format("nvmfctl {} [OPTION]...", info.name);
  if (!info.usage.empty()) usage.append(" ").append(info.usage);
  if (!info.trailing.empty()) usage.append(" [-- ").append(info.trailing).append("]");
  out += wrapped(usage, 2) + "\n" + wrapped(info.details, 0) + "\n";
  if (const std::string rows = option_rows(table, true); !rows.empty())
    out += heading(look, "Arguments") + rows + "\n";
  if (const std::string rows = option_rows(table, false); !rows.empty())
    out += heading(look, "Options") + rows + "\n";
  out += heading(look, "Examples");
  for (const example& e : info.examples)
    out += fmt::format("  {}\n{}", look(tone::name, fmt::format("nvmfctl {}", e.line)),
                       wrapped(e.what, 6));
  out += "\n" + heading(look, "Exit status");
  text_table statuses{2};
  statuses.align_right(0);
  for (const exit_status s : statuses_of(info))
    statuses.add({fmt::format("{}", static_cast<unsigned>(s)), std::string{exit_status_title(s)}});
  return out + statuses.str() + "\nnvmfctl --help lists the options that every command has.\n";
}

}  // namespace nvmf::cli
