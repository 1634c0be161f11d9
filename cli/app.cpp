// SPDX-License-Identifier: BSD-2-Clause
#include "app.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <array>
#include <boost/system/system_error.hpp>
#include <new>
#include <optional>
#include <ostream>
#include <system_error>

#include "arguments.hpp"
#include "help.hpp"
#include "log.hpp"
#include "render/json.hpp"
#include "wire/names.hpp"

namespace nvmf::cli {
namespace {

constexpr std::array<std::string_view, 3> color_names{"auto", "always", "never"};

boost::json::object error_object(const result& r) {
  return {{"status", static_cast<unsigned>(r.status)},
          {"name", exit_status_name(r.status)},
          {"message", json_text(r.error)}};
}

// With --json there is exactly one document, also after a failure; a stream gets one more line.
void tell_document(result& r, std::string_view command, std::ostream& out) {
  if (!r.error.empty()) {
    if (r.document.empty()) {
      r.document["schema"] = "nvmfctl.error/1";
      r.document["command"] = json_text(command);
    }
    r.document["error"] = error_object(r);
  }
  if (!r.document.empty()) out << (r.streamed ? json_line(r.document) : pretty_json(r.document));
}

exit_status tell(result r, std::string_view command, bool json, const style& look,
                 const surroundings& world) {
  if (!r.error.empty()) world.err << look(tone::bad, "nvmfctl:") << " " << r.error << std::endl;
  if (json) tell_document(r, command, world.out);
  world.out.flush();
  if (world.out.good()) return r.status;
  world.err << "nvmfctl: standard output: write failed (is the disk full?)\n";
  return r.status == exit_status::ok ? exit_status::internal_error : r.status;
}

result unknown_command(std::string_view name) {
  const auto names = command_names(all_commands());
  const std::string near = wire::did_you_mean(name, names);
  return result::fail(exit_status::usage,
                      fmt::format("unknown command {}{}", wire::quoted(name),
                                  near.empty() ? " (see nvmfctl --help)" : near));
}

std::string_view level_of(const global_options& options) {
  if (!options.log_level.empty()) return options.log_level;
  if (options.verbosity == 0) return "warn";
  return options.verbosity == 1 ? "debug" : "trace";
}

// What a process may have at most; empty: all there is.
std::optional<rlim_t> limit_of(__rlimit_resource what) {
  rlimit now{};
  if (::getrlimit(what, &now) != 0 || now.rlim_cur == RLIM_INFINITY) return {};
  return now.rlim_cur;
}

std::string memory_advice() {
  const auto most = limit_of(RLIMIT_AS);
  if (!most) return "";
  return fmt::format("; this process may have {} KiB, `ulimit -v` raises that", *most / 1024);
}

// The system would not give what any command needs: descriptors for a reactor, a thread.
result cannot_run(const command& cmd, std::error_code why) {
  std::string advice;
  if (why == std::errc::too_many_files_open)
    advice = fmt::format("; this process may have {} descriptors, `ulimit -n` raises that",
                         limit_of(RLIMIT_NOFILE).value_or(0));
  else if (why == std::errc::not_enough_memory)
    advice = memory_advice();
  else if (why == std::errc::resource_unavailable_try_again)
    advice = "; `ulimit -u` and `ulimit -v` limit the threads of a process";
  return result::fail(exit_status::internal_error,
                      fmt::format("{}: cannot run: {}{}", cmd.info().name, why.message(), advice));
}

result run_command(command& cmd, const global_options& options, const surroundings& world,
                   const transport_registry& transports) {
  auto log = make_log(world.err, options.log_file, level_of(options));
  if (!log) return result::fail(exit_status::usage, fmt::format("--log-file: {}", log.error()));
  context ctx{
      .in = world.in,
      .out = world.out,
      .err = world.err,
      .options = options,
      .out_style = style{wants_colour(options.color, world.out_is_terminal, world.no_color)},
      .err_style = style{wants_colour(options.color, world.err_is_terminal, world.no_color)},
      .log = *log,
      .transports = transports,
      .commands = all_commands(),
      .default_uri = world.default_uri,
      .person = world.person,
      .err_is_terminal = world.err_is_terminal,
      .in_descriptor = world.in_descriptor,
      .state_home = world.state_home,
      .slow_in = world.slow_in,
      .unicode = world.unicode,
      .out_terminal = world.out_terminal,
      .sudo_uid = world.sudo_uid,
      .sudo_gid = world.sudo_gid,
  };
  try {
    return cmd.run(ctx);
  } catch (const std::bad_alloc&) {
    return result::fail(exit_status::internal_error,
                        fmt::format("{}: out of memory{}", cmd.info().name, memory_advice()));
  } catch (const std::system_error& e) {
    return cannot_run(cmd, e.code());
  } catch (const boost::system::system_error& e) {
    return cannot_run(cmd, e.code());
  }
}

// Hands over what stood behind "--"; the error says that nothing may.
std::expected<void, std::string> give_trailing(command& cmd, split_arguments& parts) {
  if (!parts.has_trailing) return {};
  auto* taker = dynamic_cast<takes_trailing*>(&cmd);
  if (taker == nullptr || parts.trailing.empty())
    return std::unexpected(std::string{taker == nullptr ? "nothing may follow '--' here"
                                                        : "a command must follow '--'"});
  taker->set_trailing(std::move(parts.trailing));
  return {};
}

}  // namespace

void context::warn(std::string_view text) {
  err << err_style(tone::warning, "nvmfctl: warning:") << " " << text << "\n";
  err.flush();
}

void add_global_options(option_table& table, global_options& into) {
  table
      .custom("-v,--verbose", {}, "say more; twice: still more",
              [&into](std::string_view) -> std::expected<void, std::string> {
                ++into.verbosity;
                return {};
              })
      .wants = option::takes::nothing;
  table.flag("--json", into.json, "print JSON instead of text");
  option& color = table.custom(
      "--color", "WHEN", "colours",
      [&into](std::string_view text) -> std::expected<void, std::string> {
        for (std::size_t i = 0; i < color_names.size(); ++i)
          if (color_names[i] == text) {
            into.color = static_cast<color_when>(i);
            return {};
          }
        return std::unexpected(wire::quoted(text) + " is not one of auto, always, never");
      });
  color.choices.assign(color_names.begin(), color_names.end());
  color.completion = completes::choices;
  color.fallback = "auto";
  option& level =
      table.custom("--log-level", "LEVEL", "how much is logged",
                   [&into](std::string_view text) -> std::expected<void, std::string> {
                     for (const std::string_view name : log_levels())
                       if (name == text) {
                         into.log_level = text;
                         return {};
                       }
                     return std::unexpected(fmt::format("{} is not one of {}", wire::quoted(text),
                                                        fmt::join(log_levels(), ", ")));
                   });
  level.choices.assign(log_levels().begin(), log_levels().end());
  level.completion = completes::choices;
  level.fallback = "warn";
  table.text("--log-file", "FILE", into.log_file, "log to FILE instead of standard error")
      .completion = completes::file;
  table.flag("-h,--help", into.help, "tell about a command and its options");
  table.flag("--version", into.version, "tell the version and what was built in");
}

exit_status run_app(std::span<const std::string> argv, const surroundings& world,
                    const transport_registry& transports) {
  global_options options;
  option_table globals;
  add_global_options(globals, options);
  split_arguments parts = split(argv, globals);

  std::unique_ptr<command> cmd;
  option_table table;
  std::expected<void, std::string> filled;
  if (parts.command.empty()) {
    filled = fill_options(globals, table, parts.words);
    if (filled && options.version)
      cmd = make_version();
    else if (filled && !options.help && !options.json && world.person)
      cmd = make_repl();
    else if (filled && !options.help)
      filled = std::unexpected(std::string{"a command is missing (see nvmfctl --help)"});
  } else if (cmd = make_command(all_commands(), parts.command); cmd != nullptr) {
    cmd->add_options(table);
    filled = fill_options(globals, table, parts.words);
    if (filled) filled = give_trailing(*cmd, parts);
  } else {
    // Only how to say it is of interest: --json, --color.
    static_cast<void>(fill_options(globals, table, parts.words));
  }
  const style err_look{wants_colour(options.color, world.err_is_terminal, world.no_color)};
  const style out_look{wants_colour(options.color, world.out_is_terminal, world.no_color)};
  const auto end = [&](result r) {
    return tell(std::move(r), parts.command, options.json, err_look, world);
  };
  if (!parts.command.empty() && cmd == nullptr) return end(unknown_command(parts.command));
  if (options.help) {
    auto fresh = parts.command.empty() ? nullptr : make_command(all_commands(), parts.command);
    if (options.json)
      return end({.document = fresh ? help_json(*fresh) : overview_json(all_commands(), globals)});
    world.out << (fresh ? help_text(*fresh, out_look)
                        : overview_text(all_commands(), globals, out_look));
    return end({});
  }
  if (!filled) {
    std::string what = parts.command.empty() ? filled.error()
                                             : fmt::format("{}: {}", parts.command, filled.error());
    return end(result::fail(exit_status::usage, std::move(what)));
  }
  return end(run_command(*cmd, options, world, transports));
}

}  // namespace nvmf::cli
