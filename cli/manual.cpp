// SPDX-License-Identifier: BSD-2-Clause
// Man pages: the man(7) macros, as every man(1) since the seventies reads them.
#include <fmt/format.h>

#include <cassert>

#include "help.hpp"
#include "topics.hpp"

namespace nvmf::cli {
namespace {

// A dash is a minus on the screen, a backslash must not start an escape, and a line must not begin
// with a dot or an apostrophe.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

std::string in_capitals(std::string_view text) {
  std::string upper{text};
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return upper;
}

std::string title_line(std::string_view name) {
  return fmt::format(
      ".\\\" SPDX-License-Identifier: BSD-2-Clause\n"
      ".\\\" Made by `nvmfctl manual` from the command itself.\n"
      ".TH {} 1 \"\" nvmfctl \"NVMe over Fabrics\"\n",
      escaped(in_capitals(name)));
}

// Lines with a leading space are shown as they are.
std::string paragraphs(std::string_view text) {
  std::string out;
  bool literal = false, fresh = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool wants = !line.empty() && line.front() == ' ';
    if (wants != literal && !line.empty()) {
      out += wants ? ".PP\n.nf\n" : ".fi\n";
      literal = wants;
    }
    if (line.empty()) {
      if (!fresh && !literal) out += ".PP\n";
      fresh = true;
    } else {
      out += escaped(line) + "\n";
      fresh = false;
    }
  }
  return out + (literal ? ".fi\n" : "");
}

std::string option_list(const option_table& table) {
  std::string out;
  for (const option& row : table.rows())
    out += fmt::format(".TP\n.B {}\n{}\n", escaped(option_text(row)), escaped(option_help(row)));
  return out;
}

std::string exit_list(std::span<const exit_status> statuses) {
  std::string out = ".SH EXIT STATUS\n";
  for (const exit_status s : statuses)
    out += fmt::format(".TP\n.B {}\n{}\n", static_cast<unsigned>(s), escaped(exit_status_title(s)));
  return out;
}

std::string key_list(const command_info& info) {
  std::string out = fmt::format(
      ".SH JSON\nThe keys at the top of what \\-\\-json prints, beside schema, "
      "\"nvmfctl.{}/1\", and error:\n",
      escaped(info.name));
  for (const json_key& k : info.keys)
    out += fmt::format(".TP\n.B {}\n{}\n", escaped(k.name), escaped(k.what));
  return out;
}

}  // namespace

std::string manual_file_name(std::string_view command) {
  return command.empty() ? "nvmfctl.1" : fmt::format("nvmfctl-{}.1", command);
}

std::string topic_manual(const wire::topic& t) {
  std::string out;
  for (const wire::topic_section& s : t.sections) {
    // What stands first has the topic's own title, up to the colon.
    const std::string_view title = s.title.empty() ? t.title.substr(0, t.title.find(':')) : s.title;
    out += fmt::format("{} {}\n{}", s.title.empty() ? ".SH" : ".SS",
                       escaped(s.title.empty() ? in_capitals(title) : std::string{title}),
                       paragraphs(s.text));
    for (const wire::topic_row& r : s.rows)
      out += fmt::format(".TP\n.B {}\n{}\n", escaped(r.term), escaped(r.text));
  }
  return out;
}

std::string command_manual(command& cmd) {
  const command_info& info = cmd.info();
  option_table table;
  cmd.add_options(table);
  std::string out = title_line(fmt::format("nvmfctl-{}", info.name));
  out += fmt::format(".SH NAME\nnvmfctl\\-{} \\- {}\n", escaped(info.name), escaped(info.summary));
  out += fmt::format(".SH SYNOPSIS\n.B nvmfctl {}\n[OPTION]... {}\n", escaped(info.name),
                     escaped(info.usage));
  if (!info.trailing.empty()) out += fmt::format("[\\-\\- {}]\n", escaped(info.trailing));
  out += ".SH DESCRIPTION\n" + paragraphs(info.details);
  if (!table.rows().empty()) out += ".SH OPTIONS\n" + option_list(table);
  out += ".PP\nThe options that every command has are in\n.BR nvmfctl (1).\n";
  if (!info.topic.empty()) {
    const wire::topic* topic = find_topic(info.topic);
    assert(topic != nullptr);
    out += topic_manual(*topic);
  }
  out += ".SH EXAMPLES\n";
  for (const example& e : info.examples)
    out += fmt::format(".TP\n.B nvmfctl {}\n{}\n", escaped(e.line), escaped(e.what));
  if (!info.keys.empty()) out += key_list(info);
  out += exit_list(statuses_of(info));
  return out + ".SH SEE ALSO\n.BR nvmfctl (1)\n";
}

std::string overview_manual(command_list list, const option_table& globals) {
  std::string out = title_line("nvmfctl");
  out +=
      ".SH NAME\nnvmfctl \\- NVMe over Fabrics in user space: a host, a target and a debugger\n"
      ".SH SYNOPSIS\n.B nvmfctl\n[OPTION]... COMMAND [ARGUMENT]...\n.SH DESCRIPTION\n";
  out += paragraphs(
      "nvmfctl brings up associations to NVMe over Fabrics targets, sends single commands and "
      "shows "
      "what happens on the wire, and serves namespaces itself. It needs no root, no kernel module "
      "and no hugepages.\n\n"
      "An address is a URI, nvme+tcp://HOST:PORT/SUBNQN; an IPv6 address stands in brackets. The "
      "port defaults to 4420. Numbers are decimal, or hexadecimal with 0x; sizes take K, M, G and "
      "T (binary); times take ms, s, m and h.\n\n"
      "Data goes to standard output, all talk to standard error. With --json standard output holds "
      "one JSON document, or JSON Lines where a command streams (serve, connect --hold), each with "
      "a "
      "\"schema\" of the command; fields are added within a major version, never removed. Each "
      "page lists its keys. A failure adds \"error\", an object of \"status\", \"name\" and "
      "\"message\": the exit status, its name, and the sentence of standard error; where the "
      "command "
      "has come to nothing else the schema is nvmfctl.error/1 and \"command\" is its name.");
  out += ".SH COMMANDS\n";
  for (const command_factory make : list) {
    const auto cmd = make();
    out += fmt::format(".TP\n.BR nvmfctl\\-{} (1)\n{}\n", escaped(cmd->info().name),
                       escaped(cmd->info().summary));
  }
  out += ".SH OPTIONS\n" + option_list(globals);
  std::vector<exit_status> all;
  for (const wire::row& r : wire::exit_statuses.rows)
    all.push_back(static_cast<exit_status>(r.value));
  out += exit_list(all);
  out +=
      ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nNo colours, unless \\-\\-color=always is given.\n"
      ".TP\n.B NVMF_URI\nThe address, for commands that are given none.\n"
      ".SH FILES\n.TP\n.B /etc/nvme/hostnqn, /etc/nvme/hostid\n"
      "The host's identity, if no option gives one.\n"
      ".TP\n.B /etc/machine\\-id\nWithout those, the identity is derived from this one.\n";
  return out;
}

}  // namespace nvmf::cli
