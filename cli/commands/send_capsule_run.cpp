// SPDX-License-Identifier: BSD-2-Clause
// Sending: one association, one or many commands, a report.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <ostream>

#include "commands/send_capsule.hpp"
#include "failure.hpp"
#include "host_session.hpp"
#include "output_file.hpp"
#include "render/capsule.hpp"
#include "render/json.hpp"
#include "render/timeline.hpp"
#include "wire/layouts/commands_nvm.hpp"
#include "wire/numbers.hpp"

namespace nvmf::cli {
namespace {

constexpr std::size_t dump_max_bytes = 512;  // without --verbose

double microseconds(duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

// How long the runs took; for --repeat.
struct latencies {
  std::uint64_t count = 0, failed = 0;
  duration least = duration::max(), most{}, sum{};

  void add(duration took, bool ok) {
    ++count;
    failed += ok ? 0 : 1;
    least = std::min(least, took);
    most = std::max(most, took);
    sum += took;
  }
  double mean_us() const { return count == 0 ? 0 : microseconds(sum) / static_cast<double>(count); }
};

class sender {
 public:
  sender(context& ctx, const host_options& host, capsule_request request, std::string out,
         std::uint64_t repeat, host_plan to, inside_trace* shown)
      : ctx_(ctx),
        request_(std::move(request)),
        out_(std::move(out)),
        repeat_(repeat),
        timeout_(host.timeout()),
        session_(ctx, watched(std::move(to), shown), {.on_up = [this] { begin(); }}) {}

  result run() {
    result r = session_.run();
    if (session_.failure() && ctx_.json() && r.document.empty())
      r.document = {
          {"schema", "nvmfctl.send-capsule/1"},
          {"uri", to_text(session_.plan().uri)},
          {"failure", failure_json(*session_.failure())},
          {"explanation", explanation_json(*session_.failure(), session_.plan().options)}};
    return r;
  }

 private:
  host_plan watched(host_plan to, inside_trace* shown) {
    to.options.watched_by = &events_;
    if (shown != nullptr) to.options.watched_by = shown->before(&events_);
    return to;
  }
  std::ostream& report() { return out_ == "-" ? ctx_.err : ctx_.out; }
  const style& look() const { return out_ == "-" ? ctx_.err_style : ctx_.out_style; }

  // The association is up: what the command is can be settled now that the namespaces are known.
  void begin() {
    const auto sizes = [this](std::uint32_t nsid) -> std::optional<std::uint32_t> {
      for (const namespace_info& n : session_.with().namespaces())
        if (n.nsid == nsid) return n.block_size;
      return std::nullopt;
    };
    auto plan = plan_capsule(request_, sizes, ctx_.in);
    if (!plan) return fail(exit_status::usage, plan.error());
    plan_ = std::move(*plan);
    if (plan_.qid > session_.with().io_queues())
      return fail(exit_status::usage,
                  fmt::format("--qid: there is no queue {}, {} I/O queues are connected", plan_.qid,
                              session_.with().io_queues()));
    submit();
  }
  void fail(exit_status status, const std::string& why) {
    session_.finish(result::fail(status, "send-capsule: " + why));
  }

  void submit() {
    if (plan_.way == direction::receive) std::ranges::fill(plan_.data, std::byte{0});
    events_.start();
    began_ = session_.executor().now();
    const memdesc mem = plan_.way == direction::send
                            ? memdesc::of(std::span<const std::byte>{plan_.data})
                            : memdesc::of(std::span{plan_.data});
    session_.with().submit(plan_.qid, plan_.sqe, plan_.way == direction::none ? memdesc{} : mem,
                           plan_.way, timeout_, [this](const command_result& r) { done(r); });
  }

  // Blocks that a read did not bring are missing, whatever its status says.
  bool short_of_data(const command_result& r) {
    if (!r.ok() || plan_.admin ||
        plan_.command.opcode != static_cast<std::uint8_t>(wire::nvm_opcode::read))
      return false;
    const auto nsid = static_cast<std::uint32_t>(wire::get<wire::sqe_layout, "nsid">(plan_.sqe));
    const std::uint64_t blocks = wire::get<wire::read_command, "nlb">(plan_.sqe) + 1;
    for (const namespace_info& n : session_.with().namespaces())
      if (n.nsid == nsid)
        return r.bytes < std::min<std::uint64_t>(plan_.data.size(), blocks * n.block_size);
    return false;
  }

  void done(command_result r) {
    if (short_of_data(r)) r.error = errc::data_incomplete;
    events_.stop();
    took_.add(session_.executor().now() - began_, r.ok());
    if (took_.count < repeat_ && r.has_cqe && !r.error) return submit();
    finish(r);
  }

  // The transport has chosen the CID and written SGL 1: the report shows what was really sent.
  void take_sent_sqe() {
    for (const recorded_event& e : events_.events())
      if (e.type == event_type::command_out && e.qid == plan_.qid &&
          e.header.size() == plan_.sqe.size() && e.header[0] == plan_.sqe[0]) {
        std::ranges::copy(e.header, plan_.sqe.begin());
        return;
      }
  }

  void finish(const command_result& r) {
    take_sent_sqe();
    const std::size_t received = plan_.way == direction::receive ? r.bytes : 0;
    result end{.status = status_of(r, plan_.admin, plan_.command.opcode, plan_.command.fctype)};
    if (end.status != exit_status::ok)
      end.error = fmt::format("send-capsule: {}: {}", to_text(plan_.command),
                              sentence(r, plan_.command.opcode));
    if (ctx_.json())
      end.document = document(r, received);
    else
      print(r, received);
    // Data of a command that failed is not the data that was asked for.
    if (!out_.empty() && r.ok()) save(end, received);
    session_.finish(std::move(end));
  }

  void save(result& end, std::size_t received) {
    const auto bytes = std::span<const std::byte>{plan_.data}.first(received);
    if (out_ == "-") {
      ctx_.out.write(reinterpret_cast<const char*>(bytes.data()),
                     static_cast<std::streamsize>(bytes.size()));
      return;
    }
    if (const auto written = write_file(out_, bytes); !written) {
      end.status = exit_status::usage;
      end.error = "send-capsule: --out: " + written.error();
    }
  }

  void print(const command_result& r, std::size_t received) {
    const bool all = ctx_.options.verbosity > 0;
    std::ostream& to = report();
    to << capsule_text(plan_, look(), all) << look()(tone::strong, "Timeline") << "\n"
       << timeline_text(events_.events(), look(), all);
    if (events_.lost() > 0) to << fmt::format("  {} later events were not kept\n", events_.lost());
    to << completion_text(plan_, r, look(), all);
    if (received > 0 && out_.empty())
      to << look()(tone::strong, "Data") << " " << wire::size_text(received) << " received\n"
         << data_text(plan_, received, all ? received : dump_max_bytes);
    else if (received > 0)
      to << look()(tone::strong, "Data") << " " << wire::size_text(received) << " received, into "
         << (out_ == "-" ? "standard output" : out_) << "\n";
    if (repeat_ > 1)
      to << fmt::format("{} {} times, {} failed: least {:.1f} us, mean {:.1f} us, most {:.1f} us\n",
                        look()(tone::strong, "Repeated"), took_.count, took_.failed,
                        microseconds(took_.least), took_.mean_us(), microseconds(took_.most));
  }

  boost::json::object document(const command_result& r, std::size_t received) const {
    boost::json::object o{{"schema", "nvmfctl.send-capsule/1"},
                          {"uri", to_text(session_.plan().uri)}};
    for (auto& member : capsule_json(plan_)) o.insert(member);
    o["events"] = timeline_json(events_.events());
    o["cqe"] = completion_json(plan_, r);
    if (received > 0)
      o["data"] =
          data_json(plan_, received, ctx_.options.verbosity > 0 ? received : dump_max_bytes);
    if (received > 0 && !out_.empty() && r.ok()) o["out"] = out_;
    o["us"] = {{"count", took_.count},
               {"failed", took_.failed},
               {"min", microseconds(took_.least)},
               {"mean", took_.mean_us()},
               {"max", microseconds(took_.most)}};
    return o;
  }

  context& ctx_;
  capsule_request request_;
  std::string out_;
  std::uint64_t repeat_;
  std::chrono::milliseconds timeout_;
  timeline events_;  // outlives the association that it watches
  capsule_plan plan_;
  time_point began_;
  latencies took_;
  host_session session_;
};

}  // namespace

result send_capsule_command::send(context& ctx) {
  auto to = host_.plan(false);
  if (!to) return result::fail(exit_status::usage, "send-capsule: " + to.error());
  take_plan(*to);
  if (!out_.empty() && out_ != "-")
    if (const auto can = check_writable(out_); !can)
      return result::fail(exit_status::usage, "send-capsule: --out: " + can.error());
  // Mistakes that need no connection are told before one is made. What stands on standard input is
  // read once, later.
  if (request_.send != "-") {
    std::istream& in = ctx.in;
    const auto early = plan_capsule(request_, {}, in);
    if (!early && !early.error().starts_with("the block size"))
      return result::fail(exit_status::usage, "send-capsule: " + early.error());
    // A queue that is named must be there.
    if (early && early->qid > to->options.io_queues && !host_.queues_given())
      to->options.io_queues = early->qid;
    if (early && early->qid == 0 && !host_.queues_given()) to->options.io_queues = 0;
  }
  const auto shown = inside_trace::start(trace_, ctx);
  if (!shown) return result::fail(exit_status::usage, "send-capsule: " + shown.error());
  result r = sender{ctx, host_, request_, out_, repeat_, std::move(*to), shown->get()}.run();
  inside_trace::end(*shown, ctx, "send-capsule", r);
  return r;
}

}  // namespace nvmf::cli
