// SPDX-License-Identifier: BSD-2-Clause
#include "plans.hpp"

#include <fmt/format.h>

#include <nvmf/forwarding_transport.hpp>

#include "engine/fault/plan.hpp"
#include "support/accepting_transport.hpp"

namespace nvmf::sim {

using engine::fault_action;
using engine::fault_step;
using std::chrono::milliseconds;

struct plan_rules {
  engine::fault_plan plan;
};

namespace {

// No time limit of a host or a controller notices less.
constexpr milliseconds unnoticed{100};

constexpr std::string_view controller_plans[] = {
    "when cmd == read && after 3 && count 5: delay 80ms",
    "when queue == 1 && every 7 && count 2: delay 15s",
    "when queue == 1 && every 7 && count 3: drop",
    "when cmd == write && every 5 && count 2: duplicate",
    "when cmd == read && every 9 && count 2: wrong-cid",
    "when bytes > 0 && after 30 && count 1: wrong-length",
    "when cmd == read && after 5 && count 2: wrong-length -8",
    "when cmd == read && every 6 && count 3: short-data",
    "when cmd == read && bytes >= 4K && count 3: early-success",
    "when cmd == read && every 5 && count 3: flip-digest",
    "when queue != admin && every 9 && count 2: flip-digest header",
    "when cmd == write && every 4 && count 6: status internal-error dnr",
    "when cmd == compare && count 2: termreq",
    "when cmd == flush && count 2: reset",
    "when queue == 1 && after 20 && count 2: stop-reading 5s",
    "when cmd == keep-alive && count 1: silence",
    "when queue == 1 && after 9 && count 1: silence 700ms; when cmd == abort: delay 10ms",
    "when cmd == property-set && count 1: delay 30s; when cmd == identify && count 1: drop",
    "when cmd == connect && after 1 && count 2: status internal-error",
    "when cmd == connect && count 1: short-data; when cmd == connect && count 1: duplicate",
    "when cmd == identify && count 2: short-data; when cmd == property-get && count 1: wrong-cid",
    "when cmd == identify && count 4: early-success",
    "when cmd == abort && count 2: drop; when queue == 1 && after 12 && count 1: drop",
    "when conn == 2: delay 1ms\nwhen conn == 3 && after 4 && count 1: stop-reading",
    "when probability 2% && count 6: duplicate, delay 3ms",
    "when host == \"nqn.2026-11.io.example:sim-host-0\" && every 40 && count 2: reset",
};

constexpr std::string_view host_plans[] = {
    "when cmd == write && after 3 && count 5: delay 80ms",
    "when queue == 1 && every 7 && count 2: delay 15s",
    "when queue == 1 && every 7 && count 3: drop",
    "when cmd == read && every 5 && count 2: duplicate",
    "when cmd == write && every 6 && count 2: duplicate",
    "when cmd == read && every 9 && count 2: wrong-cid",
    "when cmd == write && every 8 && count 2: wrong-cid 3",
    "when bytes > 0 && after 30 && count 1: wrong-length",
    "when cmd == write && after 5 && count 2: wrong-length +100K",
    "when cmd == write && every 6 && count 3: short-data",
    "when cmd == compare && count 2: short-data 1",
    "when cmd == write && every 5 && count 3: flip-digest",
    "when queue != admin && every 9 && count 2: flip-digest header",
    "when cmd == compare && count 2: termreq header-digest-error",
    "when cmd == flush && count 2: reset",
    "when queue == 1 && after 20 && count 2: stop-reading 5s",
    "when cmd == keep-alive && count 1: silence",
    "when queue == 1 && after 9 && count 1: silence 700ms",
    "when cmd == property-set && count 1: delay 30s; when cmd == identify && count 1: drop",
    "when cmd == connect && after 1 && count 2: drop",
    "when cmd == connect && count 1: short-data; when cmd == connect && count 1: duplicate",
    "when cmd == abort && count 2: drop; when queue == 1 && after 12 && count 1: drop",
    "when cmd == read && after 15 && count 1: stop-reading, silence",
    "when probability 2% && count 6: drop",
};

// One more of everything: any condition, any timing, any actions that this end can do.
std::string composed_rule(chance& luck, engine::fault_role side) {
  std::string rule = fmt::format(
      "when {}", luck.any_of<std::string_view>(
                     {"queue == admin", "queue == 1", "queue > 1", "cmd == read", "cmd == write",
                      "cmd == compare", "bytes >= 2K", "bytes == 0", "(nlb > 3 || nlb == 0)",
                      "opcode == 0x02", "conn > 1", "nsid == 1"}));
  rule += fmt::format(" && after {}", luck.between(1, 40));
  if (luck.one_in(2)) rule += fmt::format(" && every {}", luck.between(1, 12));
  if (luck.one_in(3)) rule += fmt::format(" && probability {}%", luck.between(5, 90));
  rule += fmt::format(" && count {}:", luck.between(1, 4));
  const auto all = engine::fault_actions();
  const std::size_t first = luck.between(0, all.size() - 1), step = luck.between(1, 5);
  const std::size_t wanted = luck.between(1, 2);
  std::size_t said = 0;
  for (std::size_t i = first; said < wanted; i += step) {
    const engine::fault_action_info& a = all[i % all.size()];
    if (!a.can(side)) continue;
    rule += fmt::format("{} {}", said++ == 0 ? "" : ",", a.name);
    // Not one that says that a command has succeeded, or that a Compare has found a difference.
    if (a.id == fault_action::status) rule += luck.one_in(2) ? " internal-error" : " 0/0x06 dnr";
    if (a.id == fault_action::delay) rule += fmt::format(" {}ms", luck.between(1, 4'000));
    if (a.id == fault_action::silence && luck.one_in(2)) rule += " 300ms";
    if (a.id == fault_action::stop_reading && luck.one_in(2)) rule += " 300ms";
  }
  return rule;
}

std::string choose(chance& luck, std::uint64_t turn, std::span<const std::string_view> by_hand,
                   engine::fault_role side) {
  // By hand, one after the other; and composed ones.
  if (turn % 2 == 0) return std::string(by_hand[turn / 2 % by_hand.size()]);
  std::string plan;
  for (std::uint64_t rules = luck.between(1, 3); rules > 0; --rules)
    plan += composed_rule(luck, side) + "\n";
  return plan;
}

engine::fault_role role_of(role r) {
  return r == role::host ? engine::fault_role::host : engine::fault_role::controller;
}

std::string_view name_of(role r, fault_action a) {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made;
    for (const std::string_view who : {"host", "controller"})
      for (const engine::fault_action_info& info : engine::fault_actions())
        made.push_back(fmt::format("plan: {} {}", who, info.name));
    return made;
  }();
  const std::size_t first = r == role::host ? 0 : engine::fault_actions().size();
  return names[first + static_cast<std::size_t>(a)];
}

// What it may cause, for this host.
void excuse(network& in, const network_end& at, const fault_step& s, std::uint16_t qid) {
  host_luck& host = *at.host;
  const bool by_host = at.side == role::host;
  if (s.what == fault_action::delay && s.time <= unnoticed) return;
  if (s.what == fault_action::status && qid != 0) {
    host.told.push_back(s.status);
    // The controller has not seen the command, which the host takes for a sign of life.
    return in.watch.untimed(at.connection);
  }
  ++host.faults;
  in.watch.excuse_host_of(at.connection);
  switch (s.what) {
    case fault_action::delay:
      // A command that leaves late may leave after the Abort that names it.
      if (by_host) in.watch.wrong_cids(at.connection);
      [[fallthrough]];
    case fault_action::status:
      if (!by_host) in.watch.untimed(at.connection);
      break;
    case fault_action::short_data:
      host.cut = host.cut || !by_host;
      break;
    case fault_action::early_success:
      // With flow control the response follows, and finds its CID in use again.
    case fault_action::duplicate:
    case fault_action::wrong_cid:
      // Two commands in one, or the answer to another.
      host.doubtful = true;
      if (by_host) in.watch.wrong_cids(at.connection);
      break;
    case fault_action::wrong_length:
      // Where its PDUs end is not to be seen any more.
      in.watch.blind(at.connection);
      if (const auto p = at.in.lock()) p->no_more_pdus();
      if (const auto p = at.out.lock()) p->no_more_pdus();
      break;
    case fault_action::stop_reading:
      in.deaf_controllers = in.deaf_controllers || (!by_host && !s.given);
      break;
    default:
      break;
  }
}

}  // namespace

plan_texts choose_plans(std::uint64_t seed) {
  // Of its own: a seed without a plan is the run that it was.
  chance luck(seed ^ 0x706c'616e'7321);
  const std::uint64_t turn = seed / 4;
  plan_texts t;
  if (seed % 4 == 1 || seed % 4 == 3)
    t.host = choose(luck, turn, host_plans, engine::fault_role::host);
  if (seed % 4 == 2 || seed % 4 == 3)
    t.controller =
        choose(luck, turn + seed % 4 / 3, controller_plans, engine::fault_role::controller);
  return t;
}

std::span<const std::string_view> plans_by_hand(role r) {
  return r == role::host ? std::span<const std::string_view>{host_plans}
                         : std::span<const std::string_view>{controller_plans};
}

std::span<const std::string_view> plan_actions() {
  static const std::vector<std::string_view> all = [] {
    std::vector<std::string_view> made;
    for (const role r : {role::host, role::controller})
      for (const engine::fault_action_info& a : engine::fault_actions())
        if (a.can(role_of(r))) made.push_back(name_of(r, a.id));
    return made;
  }();
  return all;
}

plans::side plans::make(const std::string& text, role r, std::uint64_t seed, time_point start) {
  if (text.empty()) return {};
  auto work = faults::make(text, {.side = r, .pdus = true, .seed = seed, .start = start});
  auto parsed = engine::fault_plan::parse(text, {.role = role_of(r), .pdus = true});
  if (!work || !parsed) {
    fmt::print(stderr, "this is no plan: {}\n", text);
    std::abort();
  }
  return {std::move(*work), std::make_unique<plan_rules>(std::move(*parsed))};
}

plans::plans(network& of, std::shared_ptr<transport> inner, const plan_texts& texts,
             std::uint64_t seed)
    : of_(of),
      inner_(std::move(inner)),
      host_(make(texts.host, role::host, seed, of.time.now())),
      controller_(make(texts.controller, role::controller, seed, of.time.now())) {}

plans::~plans() = default;

void plans::on_event(const event& e) noexcept {
  if (e.type != event_type::fault) return;
  const auto found = of_.ends.find(e.qpair);
  if (found == of_.ends.end()) return of_.log.wrong("a plan has fired on no connection");
  const network_end& at = found->second;
  const side& s = at.side == role::host ? host_ : controller_;
  of_.log.say(
      fmt::format("plan of the {}: {}", at.side == role::host ? "host" : "controller", e.text));
  for (const fault_step& step : s.rules->plan.rules()[e.a - 1].steps) {
    of_.log.count(name_of(at.side, step.what));
    excuse(of_, at, step, e.qid);
  }
}

// --- The transport ------------------------------------------------------------------------------

class plans::planned_transport final : public forwarding_transport {
 public:
  planned_transport(const network& of, std::shared_ptr<transport> inner,
                    const std::shared_ptr<faults>& host, const std::shared_ptr<faults>& controller)
      : forwarding_transport(inner), of_(of) {
    if (host) connects_ = with_faults(std::move(inner), host);
    if (controller) listens_ = with_faults(gate_, controller);
  }

  std::shared_ptr<connect_attempt> connect(executor& on, const endpoint& to,
                                           const qpair_params& params,
                                           connect_callback done) override {
    if (connects_ != nullptr && !of_.faults.calm)
      return connects_->connect(on, to, params, std::move(done));
    return forwarding_transport::connect(on, to, params, std::move(done));
  }
  std::expected<std::unique_ptr<listener>, std::error_code> listen(
      executor& on, const endpoint& at, const qpair_params& params, executor_chooser choose,
      accept_callback accept) override {
    if (listens_ != nullptr) {
      (void)listens_->listen(on, at, params, choose, accept);
      accept = [this, accept = std::move(accept)](qpair q) {
        (of_.faults.calm ? accept : gate_->accept)(std::move(q));
      };
    }
    return forwarding_transport::listen(on, at, params, std::move(choose), std::move(accept));
  }

 private:
  const network& of_;
  std::shared_ptr<transport> connects_, listens_;
  // Where a controller's plan accepts: what comes through here obeys it.
  std::shared_ptr<test::accepting_transport> gate_ = std::make_shared<test::accepting_transport>();
};

std::shared_ptr<transport> plans::wrapped() {
  return std::make_shared<planned_transport>(of_, inner_, host_.work, controller_.work);
}

}  // namespace nvmf::sim
