// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <ostream>

#include "context.hpp"
#include "discovery_view.hpp"
#include "failure.hpp"
#include "host_session.hpp"
#include "render/fields.hpp"
#include "render/json.hpp"
#include "render/text.hpp"
#include "tracing/inside_trace.hpp"
#include "wire/layouts/discovery.hpp"
#include "wire/render.hpp"

namespace nvmf::cli {
namespace {

class discover_command final : public command {
 public:
  const command_info& info() const override {
    static constexpr std::array<example, 3> examples{{
        {"discover nvme+tcp://127.0.0.1", "ask the discovery service on port 8009"},
        {"discover nvme+tcp://127.0.0.1:4420", "many targets answer on the I/O port as well"},
        {"discover -a 127.0.0.1 -s 4420 --json", "every field of every entry"},
    }};
    static constexpr std::array<json_key, 5> keys{{
        {"uri", "the address"},
        {"generation", "GENCTR of the log"},
        {"entries",
         "of each entry \"usable\", \"uri\", \"problems\", and all \"fields\" by their "
         "abbreviations"},
        {"failure", "what went wrong, as in nvmfctl-connect(1)"},
        {"explanation", "of a failure, as in nvmfctl-connect(1)"},
    }};
    static constexpr command_info about{
        .name = "discover",
        .summary = "list the subsystems that a discovery service knows",
        .usage = "[URI]",
        .details =
            "Connects to the discovery subsystem, reads the whole discovery log, again when it "
            "changes meanwhile, and prints a URI for each entry. Entries that nobody could use are "
            "warned about: an address of 0.0.0.0, an address of another family than the entry "
            "says, no port, an NQN that is none, a transport that this build does not have. With "
            "--verbose every field is shown.",
        .examples = examples,
        .statuses = bring_up_statuses,
        .keys = keys,
    };
    return about;
  }
  void add_options(option_table& table) override {
    host_.add_address(table);
    host_.add_connection(table);
    trace_.add(table);
  }
  result run(context& ctx) override;

 private:
  host_options host_;
  trace_choice trace_;
};

class discovering {
 public:
  discovering(context& ctx, host_plan to)
      : ctx_(ctx), session_(ctx, std::move(to), {.on_up = [this] { read(); }}) {}

  result run() {
    result r = session_.run();
    if (session_.failure() && ctx_.json())
      r.document = {
          {"schema", "nvmfctl.discover/1"},
          {"uri", to_text(session_.plan().uri)},
          {"failure", failure_json(*session_.failure())},
          {"explanation", explanation_json(*session_.failure(), session_.plan().options)}};
    return r;
  }

 private:
  void read() {
    read_discovery_log(session_.with(), [this](std::expected<discovery_log, host_failure> log) {
      session_.finish(log ? tell(*log) : failed(log.error()));
    });
  }

  static result failed(const host_failure& f) {
    return result::fail(status_of(f), "discover: the discovery log could not be read: " + f.detail);
  }

  result tell(const discovery_log& log) {
    std::vector<discovery_view> views;
    for (const discovery_entry& e : log.entries)
      views.push_back(view_of(e, session_.plan().uri.transport));
    for (std::size_t i = 0; i < views.size(); ++i)
      for (const std::string& problem : views[i].problems)
        ctx_.warn(fmt::format("entry {}: {}", i, problem));
    result r;
    if (ctx_.json())
      r.document = document(log, views);
    else
      print(log, views);
    return r;
  }

  void print(const discovery_log& log, const std::vector<discovery_view>& views) {
    const style& look = ctx_.out_style;
    ctx_.out << fmt::format("{} generation {}, {} entr{}\n", look(tone::strong, "discovery log"),
                            log.generation, views.size(), views.size() == 1 ? "y" : "ies");
    text_table rows;
    rows.align_right(0);
    for (std::size_t i = 0; i < views.size(); ++i) {
      const discovery_view& v = views[i];
      const bool usable = !v.uri.empty();
      const std::string place =
          usable ? v.uri : fmt::format("{} {} {} {}", v.transport, v.address, v.service, v.nqn);
      rows.add({fmt::format("{}", i), v.subsystem, v.secure_channel == "required" ? "secure" : "",
                look(usable ? tone::name : tone::warning, place)});
    }
    ctx_.out << rows.str();
    if (ctx_.options.verbosity == 0) return;
    for (std::size_t i = 0; i < views.size(); ++i)
      ctx_.out << fmt::format("\n{} {}\n", look(tone::strong, "entry"), i)
               << wire::render_text(wire::discovery_entry, log.entries[i], {.indent = 2});
  }

  boost::json::object document(const discovery_log& log,
                               const std::vector<discovery_view>& views) const {
    boost::json::array entries;
    for (std::size_t i = 0; i < views.size(); ++i) {
      const discovery_view& v = views[i];
      boost::json::array problems;
      for (const std::string& p : v.problems) problems.emplace_back(json_text(p));
      boost::json::object o{{"usable", !v.uri.empty()}};
      if (!v.uri.empty()) o["uri"] = v.uri;
      o["problems"] = std::move(problems);
      o["fields"] = fields_json(wire::discovery_entry, log.entries[i]);
      entries.push_back(std::move(o));
    }
    return {{"schema", "nvmfctl.discover/1"},
            {"uri", to_text(session_.plan().uri)},
            {"generation", log.generation},
            {"entries", std::move(entries)}};
  }

  context& ctx_;
  host_session session_;
};

result discover_command::run(context& ctx) {
  host_.set_default_uri(ctx.default_uri);
  auto to = host_.plan(true);
  if (!to) return result::fail(exit_status::usage, "discover: " + to.error());
  // A look at the log needs no keep alive, and not every discovery controller has one.
  if (!host_.keep_alive_given()) to->options.keep_alive = {};
  to->options.async_events = 0;
  const auto shown = inside_trace::start(trace_, ctx);
  if (!shown) return result::fail(exit_status::usage, "discover: " + shown.error());
  if (*shown != nullptr) to->options.watched_by = (*shown)->before(nullptr);
  result r = discovering{ctx, std::move(*to)}.run();
  inside_trace::end(*shown, ctx, "discover", r);
  return r;
}

}  // namespace

std::unique_ptr<command> make_discover() { return std::make_unique<discover_command>(); }

}  // namespace nvmf::cli
