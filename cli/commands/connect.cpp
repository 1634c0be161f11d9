// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <ostream>

#include "context.hpp"
#include "engine/host/explain.hpp"
#include "failure.hpp"
#include "host_session.hpp"
#include "render/association.hpp"
#include "render/json.hpp"
#include "render/text.hpp"
#include "render/timeline.hpp"
#include "tracing/inside_trace.hpp"
#include "values.hpp"

namespace nvmf::cli {
namespace {

using namespace std::chrono_literals;

class connect_command final : public command {
 public:
  const command_info& info() const override {
    static constexpr std::array<example, 6> examples{{
        {"connect nvme+tcp://127.0.0.1:4420/nqn.2026-01.io.example:s",
         "bring it up stage by stage, tell the limits, take it down"},
        {"connect -t tcp -a 127.0.0.1 -s 4420 -n nqn.2026-01.io.example:s", "nvme-cli's spelling"},
        {"connect $URI -i 4 -Q 64 -g -G", "four I/O queues of 64 entries, both digests"},
        {"connect $URI --hold=60s", "keep it alive for a minute and print events"},
        {"connect $URI --json", "stages, limits and namespaces for scripts"},
        {"connect $URI --trace", "each capsule of it, with the rules held against it"},
    }};
    static constexpr std::array<json_key, 11> keys{{
        {"uri", "the address"},
        {"host", "the identity of the host: \"nqn\" and \"id\""},
        {"cntlid", "the controller that Connect gave"},
        {"io_queues", "I/O queues that are connected"},
        {"max_transfer", "largest transfer of one command, bytes; 0: no limit"},
        {"namespaces",
         "of each active one \"nsid\", \"blocks\", \"block_size\" and \"metadata_size\" in bytes"},
        {"limits", "each limit in force: \"name\", \"value\" and \"source\""},
        {"identify_controller", "the fields of Identify Controller by their abbreviations"},
        {"stages",
         "of each stage \"stage\", \"us\", \"sent\", \"got\", \"verdict\" and \"failed\""},
        {"failure",
         "what went wrong: \"stage\", \"message\", and what there is of \"code\", \"status\", "
         "\"cqe_dw0\", \"sent_sqe\" and \"violation\""},
        {"explanation", "of a failure: \"what\", \"field\", \"value\", \"cause\" and \"advice\""},
    }};
    static constexpr command_info about{
        .name = "connect",
        .summary = "bring up an association, telling every stage and limit",
        .usage = "[URI]",
        .details =
            "Goes through resolve, tcp, ic, connect, properties, enable, identify, namespaces and "
            "io-queues. For each it tells how long it took, what was sent, what came back and a "
            "verdict; then every limit in force and where it comes from. Then it shuts the "
            "controller down cleanly. If a stage fails it tells the status that came back, the "
            "field that was refused with the value that was sent, what is likely wrong and what to "
            "try.\n"
            "\n"
            "With --hold it stays until the time is over or an interrupt comes, which is then the "
            "ordinary end and no failure; events are printed as they happen. With --hold and "
            "--json the output is JSON Lines.",
        .examples = examples,
        .statuses = bring_up_statuses,
        .keys = keys,
    };
    return about;
  }
  void add_options(option_table& table) override {
    host_.add_address(table);
    host_.add_connection(table);
    host_.add_queues(table);
    option& hold =
        table.custom("--hold", "SECONDS", "keep the association alive, for ever or for SECONDS",
                     [this](std::string_view text) -> std::expected<void, std::string> {
                       hold_ = true;
                       if (text.empty()) return {};
                       const auto time = parse_duration(text, 1s);
                       if (!time) return std::unexpected(to_text(time.error()));
                       hold_for_ = *time;
                       return {};
                     });
    hold.wants = option::takes::optional;
    trace_.add(table);
  }
  result run(context& ctx) override;

 private:
  host_options host_;
  bool hold_ = false;
  std::optional<std::chrono::milliseconds> hold_for_;
  trace_choice trace_;
};

// A line of --hold says what it is, as every document does.
boost::json::object of_stream(boost::json::object event) {
  boost::json::object line{{"schema", "nvmfctl.event/1"}};
  for (auto& member : event) line.insert(member);
  return line;
}

// Events worth a line while nothing else goes on.
class event_printer final : public observer {
 public:
  explicit event_printer(context& ctx) : ctx_(ctx) {}
  void start() { on_ = true; }
  void on_event(const event& e) noexcept override {
    if (!on_) return;
    if (zero_ == time_point{}) zero_ = e.at;
    const recorded_event kept = record(e);
    if (e.type == event_type::sent || e.type == event_type::received) return;
    if (ctx_.json())
      ctx_.out << json_line(of_stream(event_json(kept, zero_)));
    else
      ctx_.out << event_line(kept, zero_, ctx_.out_style);
    ctx_.out.flush();
  }

 private:
  context& ctx_;
  time_point zero_{};
  bool on_ = false;
};

class connecting {
 public:
  connecting(context& ctx, host_plan to, bool hold,
             std::optional<std::chrono::milliseconds> hold_for, inside_trace* shown)
      : ctx_(ctx),
        events_(ctx),
        hold_(hold),
        hold_for_(hold_for),
        session_(ctx, watched(std::move(to), shown),
                 {.on_stage = [this](const stage_report& s) { stage(s); },
                  .on_up = [this] { up(); },
                  .on_async_event = [this](std::uint32_t dw0, auto log) { event(dw0, log); },
                  .on_interrupt = [this] { interrupt(); }}) {}

  result run() {
    if (!ctx_.json()) {
      ctx_.out << heading_text(session_.plan(), ctx_.out_style) << std::flush;
      session_.leave_causes_out();
    }
    result r = session_.run();
    if (session_.failure()) explain(r, *session_.failure());
    return r;
  }

 private:
  host_plan watched(host_plan to, inside_trace* shown) {
    if (hold_) to.options.watched_by = &events_;
    if (shown != nullptr) to.options.watched_by = shown->before(to.options.watched_by);
    return to;
  }

  void stage(const stage_report& s) {
    stages_.push_back(stage_json(s));
    if (!ctx_.json()) ctx_.out << stage_text(s, ctx_.out_style) << std::flush;
  }

  void up() {
    document_ = association_json(session_.plan(), session_.with());
    document_["stages"] = std::move(stages_);
    stages_ = {};
    if (!ctx_.json()) ctx_.out << association_text(session_.with(), ctx_.out_style) << std::flush;
    if (!hold_) return session_.finish(ending());
    if (ctx_.json())
      ctx_.out << json_line(document_) << std::flush;
    else
      ctx_.out << "\nholding; an interrupt ends it\n" << std::flush;
    held_ = true;
    events_.start();
    if (hold_for_)
      session_.executor().start_timer(session_.executor().now() + *hold_for_,
                                      [this] { session_.finish(ending()); });
  }

  // JSON Lines have been written when it was held, and one document is due when it was not.
  result ending() {
    result r;
    r.streamed = held_;
    if (ctx_.json() && !held_) r.document = std::move(document_);
    return r;
  }

  void interrupt() {
    if (held_) return session_.finish(ending());
    session_.finish(result::fail(exit_status::interrupted, "connect: interrupted"));
  }

  void event(std::uint32_t dw0, std::span<const std::byte> log) {
    if (!held_) return;
    if (ctx_.json())
      ctx_.out << json_line(of_stream(async_event_json(dw0, log)));
    else
      ctx_.out << async_event_text(dw0, log, ctx_.out_style);
    ctx_.out.flush();
  }

  void explain(result& r, const host_failure& f) {
    r.streamed = held_;
    const association_options& asked = session_.plan().options;
    if (!ctx_.json()) {
      ctx_.out << failure_text(f, engine::explain(f, asked), ctx_.out_style) << std::flush;
      return;
    }
    r.document = {{"schema", "nvmfctl.connect/1"}, {"uri", to_text(session_.plan().uri)}};
    if (!stages_.empty()) r.document["stages"] = std::move(stages_);
    r.document["failure"] = failure_json(f);
    r.document["explanation"] = explanation_json(f, asked);
  }

  context& ctx_;
  event_printer events_;
  bool hold_, held_ = false;
  std::optional<std::chrono::milliseconds> hold_for_;
  boost::json::array stages_;
  boost::json::object document_;
  host_session session_;
};

result connect_command::run(context& ctx) {
  host_.set_default_uri(ctx.default_uri);
  auto to = host_.plan(false);
  if (!to) return result::fail(exit_status::usage, "connect: " + to.error());
  const auto shown = inside_trace::start(trace_, ctx);
  if (!shown) return result::fail(exit_status::usage, "connect: " + shown.error());
  result r = connecting{ctx, std::move(*to), hold_, hold_for_, shown->get()}.run();
  inside_trace::end(*shown, ctx, "connect", r);
  return r;
}

}  // namespace

std::unique_ptr<command> make_connect() { return std::make_unique<connect_command>(); }

}  // namespace nvmf::cli
