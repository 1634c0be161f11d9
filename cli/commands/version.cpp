// SPDX-License-Identifier: BSD-2-Clause
#include <array>
#include <boost/json/array.hpp>
#include <ostream>

#include "context.hpp"
#include "render/text.hpp"
#include "tracing/live_capture.hpp"
#include "transports.hpp"

namespace nvmf::cli {
namespace {

class version_command final : public command {
 public:
  const command_info& info() const override {
    static constexpr std::array<example, 1> examples{{
        {"version --json", "for scripts"},
    }};
    static constexpr std::array<json_key, 4> keys{{
        {"version", "of the program"},
        {"compiler", "that made it"},
        {"transports", "of each \"type\" and whether it is \"built_in\""},
        {"live_capture", "the library that trace -i captures with; null: this build cannot"},
    }};
    static constexpr command_info about{
        .name = "version",
        .summary = "tell the version and what was built in",
        .usage = "",
        .details = "Tells which transports this build has; the same as nvmfctl --version.",
        .examples = examples,
        .statuses = {},
        .keys = keys,
    };
    return about;
  }
  void add_options(option_table&) override {}
  result run(context& ctx) override {
    result r;
    const std::string capture = live_capture::built_in();
    if (ctx.json()) {
      boost::json::array transports;
      for (const transport_note& t : transport_notes())
        transports.push_back({{"type", t.type}, {"built_in", t.built_in}});
      r.document = {{"schema", "nvmfctl.version/1"},
                    {"version", NVMFCTL_VERSION},
                    {"compiler", NVMFCTL_COMPILER},
                    {"transports", std::move(transports)}};
      if (capture.empty())
        r.document["live_capture"] = nullptr;
      else
        r.document["live_capture"] = capture;
      return r;
    }
    ctx.out << "nvmfctl " NVMFCTL_VERSION "\n";
    text_table rows{2};
    rows.add({"compiler", NVMFCTL_COMPILER});
    for (const transport_note& t : transport_notes())
      rows.add({std::string{t.type}, (t.built_in ? "yes: " : "no: ") + std::string{t.note}});
    rows.add({"live capture", capture.empty() ? "no: built without libpcap" : "yes: " + capture});
    ctx.out << rows.str();
    return r;
  }
};

}  // namespace

std::unique_ptr<command> make_version() { return std::make_unique<version_command>(); }

}  // namespace nvmf::cli
