// SPDX-License-Identifier: BSD-2-Clause
#include <array>
#include <boost/json/array.hpp>
#include <ostream>

#include "catalog.hpp"
#include "context.hpp"
#include "render/describe.hpp"

namespace nvmf::cli {
namespace {

class describe_command final : public command {
 public:
  const command_info& info() const override {
    static constexpr std::array<example, 8> examples{{
        {"describe", "list every table and layout"},
        {"describe status 0x182", "what a status means; 1/82h and its name are the same"},
        {"describe pdu r2t", "a PDU type and the fields of its header"},
        {"describe connect", "a command: its opcode, its fields, its data and its completion"},
        {"describe connect cattr", "one field and its bits"},
        {"describe mdts", "a field by its abbreviation, wherever it is"},
        {"describe exit-status", "what the exit statuses of nvmfctl mean"},
        {"describe fault-plan", "how an end is made to break the rules"},
    }};
    static constexpr std::array<json_key, 5> keys{{
        {"tables", "without a name: \"name\", \"title\" and \"rows\" of each table"},
        {"layouts", "without a name: \"name\", \"title\", \"section\" and \"size\" of each layout"},
        {"topics", "without a name: \"name\" and \"title\" of each topic"},
        {"matches",
         "what the name stands for: of each its \"kind\", table, row, layout, field or topic, and "
         "what it has"},
        {"names", "with --names: every name"},
    }};
    static constexpr command_info about{
        .name = "describe",
        .summary = "explain a term: a table, a status, an opcode, a layout, a field, a topic",
        .usage = "[NAME]...",
        .details =
            "Looks the words up among the tables and layouts that this program itself encodes, "
            "decodes and checks with; it asks no network. The first word is a table, a layout, a "
            "topic or any name; the second selects a row, by name or number, or a field.",
        .examples = examples,
        .statuses = {},
        .keys = keys,
    };
    return about;
  }
  void add_options(option_table& table) override {
    table.texts("NAME", "NAME", words_, "what is to be explained; none: the list of what there is")
        .completion = completes::description;
    table.flag("--names", names_, "print every name that can be asked for, one a line");
  }
  result run(context& ctx) override {
    if (names_ && ctx.json()) {
      boost::json::array all;
      for (const std::string& name : catalog_names()) all.emplace_back(name);
      return {.document = {{"schema", "nvmfctl.describe/1"}, {"names", std::move(all)}}};
    }
    if (names_) {
      for (const std::string& name : catalog_names()) ctx.out << name << "\n";
      return {};
    }
    result r;
    if (words_.empty()) {
      if (!ctx.json()) {
        ctx.out << catalog_text(ctx.out_style)
                << "\nnvmfctl describe NAME shows one of them, or any name within.\n";
        return r;
      }
      r.document["schema"] = "nvmfctl.describe/1";
      for (auto& member : catalog_json()) r.document.insert(member);
      return r;
    }
    const auto found = look_up(words_);
    if (!found) return result::fail(exit_status::usage, "describe: " + found.error());
    if (ctx.json()) {
      boost::json::array matches;
      for (const entry& e : *found) matches.push_back(describe_json(e));
      r.document = {{"schema", "nvmfctl.describe/1"}, {"matches", std::move(matches)}};
      return r;
    }
    for (std::size_t i = 0; i < found->size(); ++i)
      ctx.out << (i == 0 ? "" : "\n") << describe_text((*found)[i], ctx.out_style);
    return r;
  }

 private:
  std::vector<std::string> words_;
  bool names_ = false;
};

}  // namespace

std::unique_ptr<command> make_describe() { return std::make_unique<describe_command>(); }

}  // namespace nvmf::cli
