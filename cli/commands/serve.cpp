// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <ostream>

#include "child_process.hpp"
#include "context.hpp"
#include "core/memory_reserve.hpp"
#include "event_log.hpp"
#include "reactor_pool.hpp"
#include "render/json.hpp"
#include "serve_plan.hpp"
#include "session_loop.hpp"
#include "tracing/inside_trace.hpp"
#include "values.hpp"
#include "wire/nqn.hpp"
#include "wire/uri.hpp"

namespace nvmf::cli {
namespace {

constexpr unsigned reactors_max = 256;
constexpr unsigned cpu_max = 1023;
// From SIGTERM to the end: hosts are told at once, only a disk takes its time.
constexpr std::chrono::seconds stop_limit{5};

class serve_command final : public command, public takes_trailing {
 public:
  const command_info& info() const override {
    using enum exit_status;
    static constexpr std::array<example, 7> examples{{
        {"serve", "64 MiB of memory on 127.0.0.1:4420"},
        {"serve --listen 127.0.0.1:0 --ns file:disk.img -n nqn.2026-01.io.example:s",
         "a file, on a port that is free"},
        {"serve -n nqn.2026-01.io.example:a --subsystem nqn.2026-01.io.example:b --ns null:1T",
         "two subsystems"},
        {"serve --listen 127.0.0.1:0 -- nvmfctl connect",
         "serve as long as a command runs; it finds the address in NVMF_URI"},
        {"serve --fault 'when cmd==read && every 100: delay 50ms'",
         "a target that is slow now and then; `nvmfctl describe fault-plan` has the rest"},
        {"serve --reactors 2 --poll --cpus 0,1", "two threads that never sleep"},
        {"serve --listen 127.0.0.1:0 --trace=said.pcapng -- nvmfctl connect",
         "what was said, for wireshark"},
    }};
    static constexpr std::array statuses{resolve, connect, timeout};
    static constexpr std::array<json_key, 2> keys{{
        {"event", "what the line tells: \"listening\", one for each listener"},
        {"uri", "where it listens"},
    }};
    static constexpr command_info about{
        .name = "serve",
        .summary = "serve namespaces as an NVMe over Fabrics target",
        .usage = "",
        .details =
            "Listens, and prints a line \"listening URI\" for each listener the moment it is "
            "ready. It serves until SIGINT or SIGTERM, which is its ordinary end (exit status 0): "
            "every host is told, then it stops. A disk that does not answer is waited for 5 "
            "seconds (exit status 19).\n"
            "\n"
            "With a command after --, it runs the command with NVMF_URI set to the first "
            "listener's URI, stops when the command ends, and exits with the command's status; "
            "128 and the number of the signal if one ended it, 127 if it could not be started.\n"
            "\n"
            "When descriptors or memory run out (ulimit -n, ulimit -v), new connections are closed "
            "at once and the log says what is short; commands whose data finds no memory get "
            "Internal Error, without DNR; those who are connected stay so.\n"
            "\n"
            "A file: namespace has the size that the file had at the start; nobody else may write "
            "to it. What has been acknowledged survives the death of serve; a power cut it "
            "survives when it was written with FUA or flushed. What the system cannot read is an "
            "Unrecovered Read Error to the host, what it cannot write a Write Fault, a full disk "
            "Capacity Exceeded, one that became read-only Namespace Is Write Protected; the log "
            "names file, offset and reason. Blocks beyond the end of a file that was cut short "
            "are neither read nor written, so that it does not look whole again; when it is long "
            "enough again they are. A file that is deleted or replaced stays the one that was "
            "opened.\n"
            "\n"
            "Options are read from left to right: --ns, --allow-host, --serial and --model belong "
            "to the --subsystem before them. Unless told otherwise it listens on 127.0.0.1 only.",
        .examples = examples,
        .statuses = statuses,
        .trailing = "CMD [ARGUMENT]...",
        .keys = keys,
        .topic = "fault-plan",
    };
    return about;
  }
  void add_options(option_table& table) override {
    plan_.add_options(table);
    table.number("--reactors", "N", reactors_,
                 "threads that serve; connections are spread over them", 1, reactors_max);
    table.flag("--poll", poll_, "never sleep: a reactor takes a whole CPU and answers sooner");
    table.custom("--cpus", "LIST", "CPUs to pin the reactors to, such as 0,2-3",
                 [this](std::string_view text) -> std::expected<void, std::string> {
                   auto list = parse_list(text, cpu_max);
                   if (!list) return std::unexpected(to_text(list.error()));
                   cpus_ = std::move(*list);
                   return check_cpus(cpus_);
                 });
    trace_.add(table);
  }
  void set_trailing(std::vector<std::string> words) override { command_ = std::move(words); }
  result run(context& ctx) override;

 private:
  serve_plan plan_;
  unsigned reactors_ = 1;
  bool poll_ = false;
  std::vector<unsigned> cpus_;
  std::vector<std::string> command_;
  trace_choice trace_;
};

class serving {
 public:
  serving(context& ctx, const serve_plan& plan, reactor_pool& pool,
          std::vector<std::string> command, const faulty_transports& transports,
          inside_trace* shown)
      : ctx_(ctx),
        plan_(plan),
        pool_(pool),
        command_(std::move(command)),
        events_(ctx.log),
        interrupts_(pool.at(0), [this](int number) { interrupted(number); }) {
    // A target's notices are what a person watches it for.
    if (ctx.options.log_level.empty() && ctx.options.verbosity == 0)
      ctx.log->set_level(spdlog::level::info);
    target_ = target::make(
        transports.registry(), pool.executors(), plan.limits(),
        shown != nullptr ? shown->before(listener()) : listener(),
        {.on_notice = [log = ctx.log](std::string_view text) { log->info("{}", text); },
         .may_admit = memory_reserve::whole});
  }

  // Its documents are lines, also the one of a failure.
  result run() {
    result r = serve();
    r.streamed = true;
    return r;
  }

 private:
  observer* listener() { return event_log::wanted(*ctx_.log) ? &events_ : nullptr; }

  result serve() {
    if (!memory_reserve::whole())
      return result::fail(exit_status::internal_error,
                          "serve: out of memory: there is no room for what is kept in reserve");
    for (const served_subsystem& s : plan_.subsystems())
      if (const auto done = add(s); !done)
        return result::fail(exit_status::usage, "serve: " + done.error());
    std::string first;
    for (const listener_options& l : plan_.listeners()) {
      const auto at = target_->listen(l);
      if (!at) return cannot_listen(l, at.error());
      const std::string uri = uri_of(l, *at);
      if (first.empty()) first = uri;
      tell(uri);
    }
    for (const std::string& line : served_) ctx_.log->info("{}", line);
    if (!command_.empty())
      if (const auto started = start_command(first); !started) {
        outcome_ = result::fail(static_cast<exit_status>(127), "serve: " + started.error());
        stop();
      }
    pool_.run();
    return std::move(outcome_);
  }

  std::expected<void, std::string> add(const served_subsystem& s) {
    if (const auto done = target_->add_subsystem(s.options); !done)
      return std::unexpected(fmt::format("{}: {}", s.options.nqn, done.error()));
    for (const std::string& spec : s.namespaces) {
      auto store = parse_backend(spec);
      if (!store) return std::unexpected("--ns: " + store.error());
      const auto nsid = target_->add_namespace(s.options.nqn, {.store = *store});
      if (!nsid) return std::unexpected(fmt::format("--ns {}: {}", spec, nsid.error()));
      served_.push_back(
          fmt::format("{} namespace {}: {}", s.options.nqn, *nsid, (*store)->describe()));
    }
    return {};
  }

  std::string uri_of(const listener_options& l, const endpoint& at) const {
    wire::uri uri;
    for (const auto t : {wire::uri_transport::tcp, wire::uri_transport::rdma})
      if (l.transport == wire::transport_name(t)) uri.transport = t;
    uri.host = at.host;
    uri.port = at.port;
    uri.nqn = l.discovery_only ? std::string{wire::discovery_nqn}
                               : plan_.subsystems().front().options.nqn;
    return to_text(uri);
  }

  static result cannot_listen(const listener_options& l, std::error_code why) {
    if (why == errc::no_transport)
      return result::fail(exit_status::usage,
                          fmt::format("serve: this build has no {} transport (nvmfctl version "
                                      "tells what it has)",
                                      l.transport));
    const auto at = wire::to_text(wire::endpoint{l.at.host, l.at.port});
    // Asio has categories for what the resolver says.
    const bool name = std::string_view{why.category().name()}.starts_with("asio.");
    std::string_view advice;
    if (name)
      advice = "; give an address of this machine, 0.0.0.0 and [::] are all of them";
    else if (why == std::errc::address_in_use)
      advice = "; something else has the port, port 0 picks a free one";
    else if (why == std::errc::address_not_available)
      advice = "; no interface of this machine has that address, `ip address` lists them";
    else if (why == std::errc::permission_denied)
      advice = "; ports below 1024 are for root, port 0 picks a free one";
    const std::string said = why.message();
    return result::fail(name ? exit_status::resolve : exit_status::connect,
                        fmt::format("serve: cannot listen on {}: {}{}", at,
                                    said.substr(0, said.find(" (authoritative)")), advice));
  }

  // Scripts wait for this line: it leaves at once.
  void tell(const std::string& uri) {
    if (ctx_.json())
      ctx_.out << json_line({{"schema", "nvmfctl.serve/1"}, {"event", "listening"}, {"uri", uri}});
    else
      ctx_.out << ctx_.out_style(tone::good, "listening") << " " << uri << "\n";
    ctx_.out.flush();
  }

  std::expected<void, std::string> start_command(const std::string& uri) {
    child_ = std::make_unique<child_process>(pool_.at(0), [this](int status) {
      outcome_.status = static_cast<exit_status>(status);
      stop();
    });
    return child_->start(command_, {"NVMF_URI=" + uri});
  }

  void interrupted(int number) {
    // With a command the command decides: it gets the signal, and its end is the end.
    if (child_ != nullptr && child_->running()) return child_->signal(number);
    stop();
  }

  void stop() {
    target_->stop([this] { pool_.stop(); });
    pool_.at(0).start_timer(pool_.at(0).now() + stop_limit, [this] { give_up(); });
  }

  // Commands are with a disk that does not answer. Its threads cannot be ended, nor what they write
  // to be freed: only the end of the process helps.
  [[noreturn]] void give_up() {
    const std::string why = fmt::format(
        "serve: stopped without its disk, which has not answered within {} s: what was under way "
        "is lost (is the storage of a file: namespace gone?)",
        stop_limit.count());
    ctx_.err << ctx_.err_style(tone::bad, "nvmfctl:") << " " << why << std::endl;
    if (ctx_.json())
      ctx_.out << json_line({{"schema", "nvmfctl.error/1"},
                             {"command", "serve"},
                             {"error",
                              {{"status", static_cast<unsigned>(exit_status::timeout)},
                               {"name", exit_status_name(exit_status::timeout)},
                               {"message", why}}}});
    ctx_.out.flush();
    std::_Exit(static_cast<int>(exit_status::timeout));
  }

  memory_reserve reserve_;
  context& ctx_;
  const serve_plan& plan_;
  reactor_pool& pool_;
  std::vector<std::string> command_, served_;
  event_log events_;  // -vv
  result outcome_;
  std::unique_ptr<target> target_;
  std::unique_ptr<child_process> child_;
  interrupts interrupts_;
};

result serve_command::run(context& ctx) {
  plan_.complete();
  reactor_pool pool{reactors_, poll_, cpus_};
  const auto transports = faulty_transports::for_serve(ctx.transports, plan_.faults());
  if (!transports) return result::fail(exit_status::usage, "serve: " + transports.error());
  const auto shown = inside_trace::start(trace_, ctx);
  if (!shown) return result::fail(exit_status::usage, "serve: " + shown.error());
  result r = serving{ctx, plan_, pool, std::move(command_), *transports, shown->get()}.run();
  if (r.error.empty()) transports->report(ctx);  // it has served
  inside_trace::end(*shown, ctx, "serve", r);
  return r;
}

}  // namespace

std::unique_ptr<command> make_serve() { return std::make_unique<serve_command>(); }

}  // namespace nvmf::cli
