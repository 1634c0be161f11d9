// SPDX-License-Identifier: BSD-2-Clause
// help, manual and completion: the commands that print views of the others.
#include "help.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <ostream>

#include "app.hpp"
#include "output_file.hpp"
#include "wire/names.hpp"

namespace nvmf::cli {
namespace {

result no_such(std::string_view name, command_list list) {
  const std::string near = wire::did_you_mean(name, command_names(list));
  return result::fail(exit_status::usage,
                      fmt::format("there is no command {}{}", wire::quoted(name),
                                  near.empty() ? " (see nvmfctl --help)" : near));
}

class help_command final : public command {
 public:
  const command_info& info() const override {
    static constexpr std::array<example, 2> examples{{
        {"help", "list the commands"},
        {"help connect", "the same as nvmfctl connect --help"},
    }};
    static constexpr std::array<json_key, 8> keys{{
        {"commands", "of each command \"name\" and \"summary\""},
        {"name", "of the command that is told about"},
        {"summary", "what it is for"},
        {"details", "the description"},
        {"options",
         "of each \"name\", \"short\", \"value\", \"help\", \"default\", \"choices\" and "
         "\"repeats\""},
        {"examples", "of each \"line\" and \"what\""},
        {"statuses", "it may end with: \"status\", \"name\" and \"title\""},
        {"keys", "of its own documents: \"name\" and \"what\""},
    }};
    static constexpr command_info about{
        .name = "help",
        .summary = "tell about a command and its options",
        .usage = "[COMMAND]",
        .details = "Without an argument, lists the commands and the options that all of them have.",
        .examples = examples,
        .statuses = {},
        .keys = keys,
    };
    return about;
  }
  void add_options(option_table& table) override {
    table.text("COMMAND", "COMMAND", name_, "the command to tell about").completion =
        completes::command;
  }
  result run(context& ctx) override {
    option_table globals;
    global_options unused;
    add_global_options(globals, unused);
    const auto cmd = name_.empty() ? nullptr : make_command(ctx.commands, name_);
    if (cmd == nullptr && !name_.empty()) return no_such(name_, ctx.commands);
    if (ctx.json())
      return {.document = cmd ? help_json(*cmd) : overview_json(ctx.commands, globals)};
    if (cmd == nullptr) {
      ctx.out << overview_text(ctx.commands, globals, ctx.out_style);
      return {};
    }
    ctx.out << help_text(*cmd, ctx.out_style);
    return {};
  }

 private:
  std::string name_;
};

class manual_command final : public command {
 public:
  const command_info& info() const override {
    static constexpr std::array<example, 2> examples{{
        {"manual connect | man -l -", "read the man page of connect, installed or not"},
        {"manual --directory docs/man", "write every man page"},
    }};
    static constexpr std::array<json_key, 3> keys{{
        {"file", "the name of the page"},
        {"page", "the page, in roff"},
        {"files", "with --directory: what was written"},
    }};
    static constexpr command_info about{
        .name = "manual",
        .summary = "print the man pages",
        .usage = "[COMMAND]",
        .details = "Prints the man page of COMMAND, or that of nvmfctl itself, for man(1) to show.",
        .examples = examples,
        .statuses = {},
        .keys = keys,
    };
    return about;
  }
  void add_options(option_table& table) override {
    table.text("COMMAND", "COMMAND", name_, "the command whose page is wanted").completion =
        completes::command;
    table.text("--directory", "DIR", directory_, "write every page as a file into DIR").completion =
        completes::file;
  }
  result run(context& ctx) override {
    if (!directory_.empty()) return write_all(ctx);
    const auto cmd = name_.empty() ? nullptr : make_command(ctx.commands, name_);
    if (cmd == nullptr && !name_.empty()) return no_such(name_, ctx.commands);
    const std::string page = cmd ? command_manual(*cmd) : overview(ctx);
    if (ctx.json())
      return {.document = {{"schema", "nvmfctl.manual/1"},
                           {"file", manual_file_name(name_)},
                           {"page", page}}};
    ctx.out << page;
    return {};
  }

 private:
  static std::string overview(context& ctx) {
    option_table globals;
    global_options unused;
    add_global_options(globals, unused);
    return overview_manual(ctx.commands, globals);
  }
  result write_all(context& ctx) {
    const auto put = [&](std::string_view name, const std::string& page) {
      return write_file(directory_ + "/" + manual_file_name(name),
                        std::as_bytes(std::span{page.data(), page.size()}));
    };
    boost::json::array files{directory_ + "/" + manual_file_name({})};
    auto done = put({}, overview(ctx));
    for (const command_factory make : ctx.commands) {
      if (!done) break;
      const auto cmd = make();
      done = put(cmd->info().name, command_manual(*cmd));
      files.emplace_back(directory_ + "/" + manual_file_name(cmd->info().name));
    }
    if (!done) return result::fail(exit_status::usage, "manual: --directory: " + done.error());
    result r;
    if (ctx.json()) r.document = {{"schema", "nvmfctl.manual/1"}, {"files", std::move(files)}};
    return r;
  }

  std::string name_, directory_;
};

class completion_command final : public command {
 public:
  const command_info& info() const override {
    static constexpr std::array<example, 1> examples{{
        {"completion > /etc/bash_completion.d/nvmfctl", "install it"},
    }};
    static constexpr std::array<json_key, 2> keys{{
        {"shell", "that the script is for"},
        {"script", "the script"},
    }};
    static constexpr command_info about{
        .name = "completion",
        .summary = "print a completion script for bash",
        .usage = "",
        .details = "The script completes commands, options, and values that are names.",
        .examples = examples,
        .statuses = {},
        .keys = keys,
    };
    return about;
  }
  void add_options(option_table&) override {}
  result run(context& ctx) override {
    option_table globals;
    global_options unused;
    add_global_options(globals, unused);
    const std::string script = bash_completion(ctx.commands, globals);
    if (ctx.json())
      return {
          .document = {{"schema", "nvmfctl.completion/1"}, {"shell", "bash"}, {"script", script}}};
    ctx.out << script;
    return {};
  }
};

}  // namespace

std::unique_ptr<command> make_help() { return std::make_unique<help_command>(); }
std::unique_ptr<command> make_manual() { return std::make_unique<manual_command>(); }
std::unique_ptr<command> make_completion() { return std::make_unique<completion_command>(); }

}  // namespace nvmf::cli
