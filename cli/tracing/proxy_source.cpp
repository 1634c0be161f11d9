// SPDX-License-Identifier: BSD-2-Clause
#include "proxy_source.hpp"

#include <fmt/format.h>

#include <ostream>

#include "child_process.hpp"
#include "context.hpp"
#include "session_loop.hpp"

namespace nvmf::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t connections_most = 65535;
// A person watches: no line is kept longer.
constexpr std::chrono::milliseconds flush_after{20};
// For what still has to leave, after the last.
constexpr std::chrono::milliseconds drain_limit{500};

class proxying {
 public:
  proxying(context& ctx, const proxy::proxy_options& how, std::vector<std::string> command,
           outputs& out)
      : ctx_(ctx),
        how_(how),
        command_(std::move(command)),
        out_(out),
        tracer_(out.options(), out.listener()),
        proxy_(loop_.executor(), tracer_, how,
               {.say = [this](std::string_view text) { say(text); },
                .on_traffic = [this] { traffic(); }}) {}

  result run() {
    loop_.on_interrupt([this] { interrupted(); });
    proxy_.start([this](auto at) { started(std::move(at)); });
    loop_.run();
    proxy_.stop();
    loop_.drain(drain_limit);
    if (!failed_.error.empty() && !listening_) return std::move(failed_);
    return finish();
  }

 private:
  using addresses = std::expected<std::vector<proxy::gate::address>, proxy::proxy::failure>;

  void say(std::string_view text) {
    ctx_.err << ctx_.err_style(tone::strong, "nvmfctl:") << " proxy: " << text << "\n"
             << std::flush;
  }

  void started(addresses at) {
    if (!at) {
      failed_ = result::fail(at.error().resolving ? exit_status::resolve : exit_status::connect,
                             "trace: --proxy: " + at.error().text);
      return loop_.stop();
    }
    listening_ = true;
    std::string first;
    for (std::size_t i = 0; i < at->size(); ++i) {
      wire::uri here = how_.routes[i].to;
      here.host = (*at)[i].address().to_string();
      here.port = (*at)[i].port();
      if (first.empty()) first = to_text(here);
      say(fmt::format("listening on {}, for {}", to_text(here), to_text(how_.routes[i].to)));
    }
    if (!command_.empty()) start_command(first);
  }

  void start_command(const std::string& uri) {
    child_ = std::make_unique<child_process>(loop_.executor(), [this](int status) {
      if (!ending_) status_ = static_cast<exit_status>(status);
      loop_.stop();
    });
    if (const auto begun = child_->start(command_, {"NVMF_URI=" + uri}); !begun) {
      failed_ = result::fail(static_cast<exit_status>(127), "trace: " + begun.error());
      loop_.stop();
    }
  }

  void interrupted() {
    // With a command the command decides: it gets the signal, and its end is the end.
    if (child_ != nullptr && child_->running()) return child_->signal(SIGINT);
    loop_.stop();
  }

  void traffic() {
    if (out_.done() && !ending_) {
      ending_ = true;
      loop_.executor().post([this] { enough(); });
    }
    if (flushing_) return;
    flushing_ = true;
    loop_.executor().start_timer(loop_.executor().now() + flush_after, [this] {
      flushing_ = false;
      out_.flush();
    });
  }

  // --first: its lines are there, or nobody reads them.
  void enough() {
    if (child_ != nullptr) child_->signal(SIGTERM);
    loop_.stop();
  }

  result finish() {
    tracer_.finish();
    std::vector<std::string> warnings;
    result r = out_.finish(tracer_, warnings);
    const proxy::proxy_counts& n = proxy_.counts();
    const trace::packet_counts& seen = tracer_.counts();
    if (n.taken > 0 && seen.connections == 0)
      warnings.push_back(
          fmt::format("no NVMe/TCP went through{}", seen.tls > 0 ? ": it begins with TLS" : ""));
    for (const std::string& w : warnings) ctx_.warn(w);
    if (r.document.contains("summary"))
      r.document["summary"].as_object()["proxy"] = {
          {"connections", n.taken},         {"not_connected", n.failed},
          {"refused", n.refused},           {"resets", n.resets},
          {"bytes_from_hosts", n.bytes[0]}, {"bytes_from_target", n.bytes[1]},
          {"entries_rewritten", n.entries}};
    else
      say(summary(n, seen.connections));
    if (r.status != exit_status::ok) return r;
    r.status = failed_.error.empty() ? status_ : failed_.status;
    r.error = failed_.error;
    return r;
  }

  static std::string summary(const proxy::proxy_counts& n, std::uint64_t nvme) {
    std::string text = fmt::format(
        "{} connection{}, {} of NVMe/TCP; {} bytes from hosts, {} bytes from the target", n.taken,
        n.taken == 1 ? "" : "s", nvme, n.bytes[0], n.bytes[1]);
    const auto add = [&](std::uint64_t count, std::string_view what) {
      if (count > 0) text += fmt::format("; {} {}", count, what);
    };
    add(n.resets, "reset");
    add(n.failed, "found no target");
    add(n.refused, "refused");
    add(n.entries, "discovery entries rewritten");
    return text;
  }

  context& ctx_;
  const proxy::proxy_options& how_;
  std::vector<std::string> command_;
  outputs& out_;
  trace::tracer tracer_;
  session_loop loop_;
  proxy::proxy proxy_;
  std::unique_ptr<child_process> child_;
  exit_status status_ = exit_status::ok;
  result failed_;
  bool listening_ = false, flushing_ = false, ending_ = false;
};

}  // namespace

void add_proxy_options(option_table& table, proxy::proxy_options& into) {
  table
      .custom("--proxy", "LISTEN,TARGET-URI",
              "listen, pass everything on to the target and back, and show it",
              [&into](std::string_view text) -> std::expected<void, std::string> {
                auto route = proxy::parse_route(text);
                if (!route) return std::unexpected(route.error());
                into.routes.push_back(std::move(*route));
                return {};
              })
      .repeats = true;
  table.flag("--rewrite-discovery", into.rewrite_discovery,
             "with --proxy: put its addresses into discovery logs");
  table.number("--connections", "N", into.connections_max,
               "with --proxy: how many at once; more are reset", 1, connections_most);
  table.duration("--connect-timeout", "SECONDS", into.connect_timeout, 1s,
                 "with --proxy: to reach the target", {.min = 1ms, .max = 1h});
}

result trace_proxy(context& ctx, const proxy::proxy_options& how, std::vector<std::string> command,
                   outputs& out) {
  return proxying{ctx, how, std::move(command), out}.run();
}

}  // namespace nvmf::cli
