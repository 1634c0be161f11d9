// SPDX-License-Identifier: BSD-2-Clause
// help, manual and completion: the commands that print views of the others.
#include "help.hpp"

#include <fmt/format.h>

#include <array>
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
    static constexpr command_info about{
        .name = "help",
        .summary = "tell about a command and its options",
        .usage = "[COMMAND]",
        .details = "Without an argument, lists the commands and the options that all of them have.",
        .examples = examples,
        .statuses = {},
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
    if (name_.empty()) {
      ctx.out << overview_text(ctx.commands, globals, ctx.out_style);
      return {};
    }
    const auto cmd = make_command(ctx.commands, name_);
    if (cmd == nullptr) return no_such(name_, ctx.commands);
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
    static constexpr command_info about{
        .name = "manual",
        .summary = "print the man pages",
        .usage = "[COMMAND]",
        .details = "Prints the man page of COMMAND, or that of nvmfctl itself, for man(1) to show.",
        .examples = examples,
        .statuses = {},
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
    if (name_.empty()) {
      ctx.out << overview(ctx);
      return {};
    }
    const auto cmd = make_command(ctx.commands, name_);
    if (cmd == nullptr) return no_such(name_, ctx.commands);
    ctx.out << command_manual(*cmd);
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
    auto done = put({}, overview(ctx));
    for (const command_factory make : ctx.commands) {
      if (!done) break;
      const auto cmd = make();
      done = put(cmd->info().name, command_manual(*cmd));
    }
    return done ? result{} : result::fail(exit_status::usage, done.error());
  }

  std::string name_, directory_;
};

class completion_command final : public command {
 public:
  const command_info& info() const override {
    static constexpr std::array<example, 1> examples{{
        {"completion > /etc/bash_completion.d/nvmfctl", "install it"},
    }};
    static constexpr command_info about{
        .name = "completion",
        .summary = "print a completion script for bash",
        .usage = "",
        .details = "The script completes commands, options, and values that are names.",
        .examples = examples,
        .statuses = {},
    };
    return about;
  }
  void add_options(option_table&) override {}
  result run(context& ctx) override {
    option_table globals;
    global_options unused;
    add_global_options(globals, unused);
    ctx.out << bash_completion(ctx.commands, globals);
    return {};
  }
};

}  // namespace

std::unique_ptr<command> make_help() { return std::make_unique<help_command>(); }
std::unique_ptr<command> make_manual() { return std::make_unique<manual_command>(); }
std::unique_ptr<command> make_completion() { return std::make_unique<completion_command>(); }

}  // namespace nvmf::cli
