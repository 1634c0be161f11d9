// SPDX-License-Identifier: BSD-2-Clause
#include "commands/send_capsule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

#include "render/capsule.hpp"
#include "wire/uuid.hpp"

namespace nvmf::cli {

const command_info& send_capsule_command::info() const {
  static constexpr std::array<example, 7> examples{{
      {"send-capsule nvme+tcp://127.0.0.1:4420/nqn.2026-01.io.example:s identify cns=controller",
       "read Identify Controller and show it decoded"},
      {"send-capsule $URI read slba=0x10 nlb=7 --out block",
       "read eight blocks into a file; nlb is 0's based, as on the wire"},
      {"send-capsule $URI write slba=0 --send block", "write a file; nlb follows from its size"},
      {"send-capsule $URI get-log-page lid=smart --json",
       "names are those of the tables; nvmfctl describe log-page lists these"},
      {"send-capsule --dry-run connect sqsize=31 kato=5000 cattr.nosqfc=1",
       "print an SQE without a connection"},
      {"send-capsule $URI admin:0xc1 cdw10=5 --recv 512", "any opcode, with data of any length"},
      {"send-capsule $URI dsm ad=1 data.range[0].slba=8 data.range[0].nlb=8",
       "fields of the data that goes with the command"},
  }};
  static constexpr std::array<json_key, 13> keys{{
      {"uri", "the address"},
      {"dry_run", "true with --dry-run"},
      {"command", "\"set\", \"name\", \"title\", \"opcode\", and \"fctype\" of Fabrics commands"},
      {"qid", "the queue"},
      {"sqe", "as it was sent: \"hex\", \"layout\" and \"fields\""},
      {"transfer", "\"direction\" and \"length\" in bytes; null: not known without a connection"},
      {"events",
       "the timeline: of each event \"us\", \"event\", \"qpair\", \"qid\", \"cid\", \"text\", "
       "\"header\", \"a\", \"b\" and \"error\""},
      {"cqe",
       "\"status\", \"sqhd_valid\", \"hex\", \"layout\" and \"fields\", or \"error\" where none "
       "came"},
      {"data", "that was received: \"length\" and either \"layout\" and \"fields\", or \"hex\""},
      {"out", "the file that the data went to"},
      {"us",
       "time of a command with --repeat: \"count\", \"failed\", \"min\", \"mean\" and \"max\""},
      {"failure", "what went wrong before, as in nvmfctl-connect(1)"},
      {"explanation", "of a failure, as in nvmfctl-connect(1)"},
  }};
  static constexpr command_info about{
      .name = "send-capsule",
      .summary = "send one command and show what happens",
      .usage = "[URI] COMMAND [FIELD=VALUE]...",
      .details =
          "Brings up an association, sends one command and shows its SQE, a timeline of all that "
          "happened until it was done, the decoded completion, and the data, decoded where its "
          "layout is known.\n"
          "\n"
          "COMMAND is a name of the opcode tables or SET:NUMBER, as in admin:0xc1; with --qid the "
          "number alone is enough. Fields have the specification's abbreviations; values are raw, "
          "0's based where the specification is, or names of the tables. Every dword can be given "
          "(cdw10=...), and bits within a word (cattr.nosqfc=1). What is not given gets the value "
          "that makes the command work: the namespace of the URI or 1, the length of the whole "
          "structure. The CID and SGL 1 are filled in by the transport.\n"
          "\n"
          "An admin or Fabrics command goes to the admin queue, an I/O command to queue 1, unless "
          "--qid says otherwise. With --out - the data goes to standard output and the report to "
          "standard error.",
      .examples = examples,
      .statuses = io_statuses,
      .keys = keys,
  };
  return about;
}

void send_capsule_command::add_options(option_table& table) {
  table.texts("WORD", "WORD", words_, "the URI, the command, and its fields");
  table.custom("--qid", "N", "queue to send on",
               [this](std::string_view text) -> std::expected<void, std::string> {
                 const auto n = wire::parse_number(text, {}, {.max = 65535});
                 if (!n) return std::unexpected(to_text(n.error()));
                 request_.qid = static_cast<std::uint16_t>(*n);
                 return {};
               });
  table
      .text("--send", "SOURCE", request_.send,
            "data to send: FILE, - for standard input, hex:0a1b..., or fill:BYTE")
      .completion = completes::file;
  table.custom("--recv", "LENGTH", "data to receive, bytes, if not what the command implies",
               [this](std::string_view text) -> std::expected<void, std::string> {
                 const auto n = wire::parse_size(text, {}, {.max = capsule_data_max});
                 if (!n) return std::unexpected(to_text(n.error()));
                 request_.receive = *n;
                 return {};
               });
  table
      .text("--out", "FILE", out_,
            "write the data received to FILE, whole or not at all; -: to "
            "standard output")
      .completion = completes::file;
  table.text("--sqe", "HEX", request_.sqe,
             "begin with this SQE, 64 bytes; fields that are given change it");
  table.flag("--dry-run", dry_run_, "print the SQE and send nothing");
  table.number("--repeat", "N", repeat_, "send it N times, one after the other", 1, 1'000'000'000);
  host_.add_long_address(table);
  host_.add_connection(table);
  host_.add_queues(table);
  trace_.add(table);
}

// A word that looks like a URI is the URI, wherever it stands.
void send_capsule_command::take_words() {
  const auto uri = std::ranges::find_if(words_, [](const std::string& word) {
    const std::size_t scheme = word.find("://");
    return word.starts_with("trtype:") || (scheme != std::string::npos && scheme < word.find('='));
  });
  if (uri != words_.end()) {
    host_.set_uri(*uri);
    words_.erase(uri);
  }
  std::size_t next = 0;
  const bool has_command = next < words_.size() && words_[next].find('=') == std::string::npos;
  if (has_command) request_.command = words_[next++];
  request_.fields.assign(words_.begin() + static_cast<std::ptrdiff_t>(next), words_.end());
}

// What the address and the identity have to say to the command.
void send_capsule_command::take_plan(const host_plan& to) {
  request_.nsid = to.uri.nsid;
  request_.connect_data = {fmt::format("hostid={}", to_text(wire::uuid{to.identity.id})),
                           fmt::format("hostnqn={}", to.identity.nqn),
                           fmt::format("subnqn={}", to.uri.nqn), "cntlid=0xffff"};
}

result send_capsule_command::dry_run(context& ctx) {
  const auto to = host_.plan(true);
  if (!to && host_.has_address()) return result::fail(exit_status::usage, to.error());
  if (to) take_plan(*to);
  const auto plan = plan_capsule(request_, {}, ctx.in);
  if (!plan) return result::fail(exit_status::usage, "send-capsule: " + plan.error());
  result r;
  if (ctx.json()) {
    r.document = {{"schema", "nvmfctl.send-capsule/1"}, {"dry_run", true}};
    for (auto& member : capsule_json(*plan)) r.document.insert(member);
  } else {
    ctx.out << capsule_text(*plan, ctx.out_style, ctx.options.verbosity > 0);
  }
  return r;
}

result send_capsule_command::run(context& ctx) {
  take_words();
  host_.set_default_uri(ctx.default_uri);
  if (out_ == "-" && ctx.json())
    return result::fail(exit_status::usage,
                        "send-capsule: --out - and --json both want standard output");
  if (dry_run_) return dry_run(ctx);
  return send(ctx);
}

std::unique_ptr<command> make_send_capsule() { return std::make_unique<send_capsule_command>(); }

}  // namespace nvmf::cli
