// SPDX-License-Identifier: BSD-2-Clause
#include "bring_up.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "commands.hpp"
#include "wire/layouts/features.hpp"
#include "wire/nqn.hpp"

namespace nvmf::engine {

using depth = association_options::depth;

namespace {

std::string hex(std::uint64_t value, int digits) { return fmt::format("{:0{}X}h", value, digits); }

host_failure bad_option(std::string detail) {
  host_failure f;
  f.stage = host_stage::fabrics_connect;
  f.code = errc::invalid_argument;
  f.detail = std::move(detail);
  return f;
}

std::string kilobytes(std::uint64_t bytes) {
  return bytes == 0 ? "no limit" : fmt::format("{} bytes", bytes);
}

std::string_view kind_title(controller_type kind) {
  switch (kind) {
    case controller_type::discovery:
      return "discovery controller";
    case controller_type::administrative:
      return "administrative controller";
    case controller_type::io:
      break;
  }
  return "I/O controller";
}

}  // namespace

bring_up::bring_up(const association_options& options, const capabilities& caps,
                   authenticator* auth)
    : options_(options), caps_(caps), auth_(auth) {}

std::optional<host_failure> bring_up::check(const association_options& o) {
  const auto bad_nqn = [](const std::string& nqn) {
    return nqn.empty() || nqn.size() > wire::nqn_max_length;
  };
  if (bad_nqn(o.subsystem_nqn))
    return bad_option(
        fmt::format("the subsystem NQN has {} bytes, not 1 to 223", o.subsystem_nqn.size()));
  if (bad_nqn(o.host_nqn))
    return bad_option(fmt::format("the host NQN has {} bytes, not 1 to 223", o.host_nqn.size()));
  if (o.admin_queue_size < 2 || o.admin_queue_size > 4096)
    return bad_option(
        fmt::format("an admin queue has 2 to 4096 entries, not {}", o.admin_queue_size));
  if (o.io_queue_size < 2 || o.io_queue_size > 65536)
    return bad_option(fmt::format("an I/O queue has 2 to 65536 entries, not {}", o.io_queue_size));
  if (o.io_queues > 65535)
    return bad_option(fmt::format("there are at most 65535 I/O queues, not {}", o.io_queues));
  if (o.keep_alive.count() < 0 || o.keep_alive.count() > std::numeric_limits<std::uint32_t>::max())
    return bad_option(fmt::format("KATO has 32 bits: {} ms do not fit", o.keep_alive.count()));
  return std::nullopt;
}

// ---- running the machine --------------------------------------------------------------------

action bring_up::start(time_point now) {
  begin(host_stage::fabrics_connect, now);
  return start_connect(0, now);
}

action bring_up::on_reply(const reply& got, time_point now) {
  if (auto* own = std::get_if<own_command>(&sub_)) {
    switch (own->step) {
      case own_step::identify:
        return identified(got, now);
      case own_step::queues:
        return queues_granted(got, now);
      case own_step::events:
        return events_configured(got, now);
      case own_step::none:
        break;
    }
    assert(false && "no command was asked for");
  }
  if (auto* m = std::get_if<connect_machine>(&sub_)) return advance(m->on_reply(got, now), now);
  if (auto* m = std::get_if<read_properties>(&sub_)) return advance(m->on_reply(got), now);
  if (auto* m = std::get_if<enable_machine>(&sub_)) return advance(m->on_reply(got, now), now);
  return advance(std::get<namespace_scan>(sub_).on_reply(got), now);
}

action bring_up::on_time(time_point now) {
  return advance(std::get<enable_machine>(sub_).on_time(now), now);
}

action bring_up::advance(action next, time_point now) {
  if (std::holds_alternative<finished>(next)) return after_step(now);
  return next;
}

action bring_up::after_step(time_point now) {
  if (std::holds_alternative<connect_machine>(sub_)) return connected(now);
  if (auto* m = std::get_if<read_properties>(&sub_)) {
    facts_.properties = m->properties();
    const auto& p = facts_.properties;
    if (p.no_command_set() && !wire::is_discovery_nqn(options_.subsystem_nqn))
      notes_.add("CAP.CSS names no command set: the NVM command set is assumed");
    end(now, {},
        {{"CAP", hex(p.cap, 16)},
         {"CAP.MQES",
          fmt::format("{} ({} entries)", p.max_queue_entries() - 1, p.max_queue_entries())},
         {"CAP.TO", fmt::format("{} ms", p.ready_timeout.count())},
         {"VS", p.version()}});
    return start_enable(now);
  }
  if (auto* m = std::get_if<enable_machine>(&sub_)) {
    facts_.properties = m->properties();
    const auto& p = facts_.properties;
    end(now, {{"CC", hex(p.cc, 8)}},
        {{"CSTS", hex(p.csts, 8)}, {"polls", fmt::format("{}", m->polls())}});
    return stops_after(depth::enabled) ? action{finished{}} : start_identify(now);
  }
  auto& scan = std::get<namespace_scan>(sub_);
  facts_.namespaces = scan.found();
  if (!scan.notes().empty()) notes_.add(scan.notes().verdict());
  pairs got{{"active", fmt::format("{}", facts_.namespaces.size())}};
  for (const namespace_info& n : facts_.namespaces) {
    if (got.size() > 8) {
      got.emplace_back("...", fmt::format("{} more", facts_.namespaces.size() - 8));
      break;
    }
    got.emplace_back(fmt::format("NSID {}", n.nsid),
                     fmt::format("{} blocks of {} bytes", n.blocks, n.block_size));
  }
  end(now, {}, std::move(got));
  return start_queues(now);
}

action bring_up::ask(own_step step, send_command c) {
  sub_ = own_command{step, c};
  return c;
}

// ---- reports --------------------------------------------------------------------------------

void bring_up::begin(host_stage stage, time_point now) {
  stage_ = stage;
  stage_began_ = now;
  notes_ = {};
}

void bring_up::end(time_point now, pairs sent, pairs got) {
  reports_.push_back({.stage = stage_,
                      .took = now - stage_began_,
                      .sent = std::move(sent),
                      .got = std::move(got),
                      .verdict = notes_.verdict(),
                      .failed = false});
  facts_.reached = stage_;
}

// ---- Connect --------------------------------------------------------------------------------

action bring_up::start_connect(std::uint16_t qid, time_point now) {
  connecting_ = qid;
  connect_parameters r;
  r.qid = qid;
  r.entries = qid == 0 ? options_.admin_queue_size : facts_.io_queue_entries;
  r.cntlid = qid == 0 ? options_.controller_id : facts_.cntlid;
  r.kato_ms = static_cast<std::uint32_t>(options_.keep_alive.count());
  r.disable_sq_flow_control = options_.disable_sq_flow_control;
  r.host_id = options_.host_id;
  r.host_nqn = options_.host_nqn;
  r.subsystem_nqn = options_.subsystem_nqn;
  sub_ = connect_machine(stage_, r, auth_);
  return advance(std::get<connect_machine>(sub_).start(), now);
}

action bring_up::connected(time_point now) {
  const auto& m = std::get<connect_machine>(sub_);
  if (connecting_ != 0) {
    facts_.io.push_back({facts_.io_queue_entries, m.sq_flow_control()});
    if (m.cntlid() != facts_.cntlid)
      notes_.add(fmt::format("Connect of queue {} was answered with CNTLID {}", connecting_,
                             hex(m.cntlid(), 4)));
    if (facts_.io.size() < facts_.queues_granted) return open_next(now);
    pairs sent{
        {"NSQR, NCQR", fmt::format("{} ({} queue{})", facts_.queues_asked - 1, facts_.queues_asked,
                                   facts_.queues_asked == 1 ? "" : "s")},
        {"SQSIZE",
         fmt::format("{} ({} entries)", facts_.io_queue_entries - 1, facts_.io_queue_entries)}};
    end(now, std::move(sent),
        {{"queues", fmt::format("{}", facts_.queues_granted)},
         {"SQ flow control", m.sq_flow_control() ? "on" : "off"}});
    return start_events(now);
  }
  facts_.cntlid = m.cntlid();
  facts_.admin = {options_.admin_queue_size, m.sq_flow_control()};
  if (options_.disable_sq_flow_control && m.sq_flow_control())
    notes_.add("the controller keeps SQ flow control on");
  end(now,
      {{"SUBNQN", options_.subsystem_nqn},
       {"HOSTNQN", options_.host_nqn},
       {"CNTLID", hex(options_.controller_id, 4)},
       {"SQSIZE",
        fmt::format("{} ({} entries)", options_.admin_queue_size - 1, options_.admin_queue_size)},
       {"KATO", fmt::format("{} ms", options_.keep_alive.count())}},
      {{"CNTLID", hex(facts_.cntlid, 4)},
       {"AUTHREQ", hex(m.authreq(), 4)},
       {"SQ flow control", m.sq_flow_control() ? "on" : "off"}});
  return stops_after(depth::connected) ? action{finished{}} : start_properties(now);
}

// ---- properties, enable, Identify, namespaces -----------------------------------------------

action bring_up::start_properties(time_point now) {
  begin(host_stage::properties, now);
  sub_ = read_properties{};
  return advance(std::get<read_properties>(sub_).start(), now);
}

action bring_up::start_enable(time_point now) {
  begin(host_stage::enable, now);
  sub_ = enable_machine(facts_.properties);
  return advance(std::get<enable_machine>(sub_).start(), now);
}

action bring_up::start_identify(time_point now) {
  begin(host_stage::identify, now);
  return ask(own_step::identify, identify(wire::cns::controller, 0));
}

action bring_up::identified(const reply& got, time_point now) {
  if (!got.result.ok())
    return advance(failed{refused(stage_, std::get<own_command>(sub_).sent, got)}, now);
  facts_.identify.assign(got.data.begin(), got.data.end());
  const identify_context context{facts_.cntlid, options_.subsystem_nqn, facts_.properties, caps_};
  auto judged = judge_controller(facts_.identify, context, notes_);
  if (!judged) return advance(failed{std::move(judged.error())}, now);
  facts_.controller = std::move(*judged);
  const controller_facts& c = facts_.controller;
  end(now, {},
      {{"type", std::string(kind_title(c.kind))},
       {"MN", c.model},
       {"SN", c.serial},
       {"FR", c.firmware},
       {"MDTS", kilobytes(c.max_transfer)},
       {"NN", fmt::format("{}", c.namespaces)}});
  if (stops_after(depth::identified)) return finished{};
  return c.kind == controller_type::io ? start_namespaces(now) : start_events(now);
}

action bring_up::start_namespaces(time_point now) {
  begin(host_stage::namespaces, now);
  sub_ = namespace_scan(facts_.controller.namespaces);
  return advance(std::get<namespace_scan>(sub_).start(), now);
}

// ---- I/O queues -----------------------------------------------------------------------------

action bring_up::start_queues(time_point now) {
  facts_.queues_asked = options_.io_queues;
  if (facts_.queues_asked == 0 || facts_.properties.admin_only()) return start_events(now);
  begin(host_stage::io_queues, now);
  // MAXCMD bounds what is outstanding, and a queue of n entries holds n - 1 commands.
  std::uint32_t entries = std::min(options_.io_queue_size, facts_.properties.max_queue_entries());
  if (facts_.controller.max_commands != 0)
    entries = std::min(entries, facts_.controller.max_commands + 1);
  facts_.io_queue_entries = entries;
  if (entries < options_.io_queue_size)
    notes_.add(
        fmt::format("{} entries asked, {} possible ({})", options_.io_queue_size, entries,
                    entries == facts_.properties.max_queue_entries() ? "CAP.MQES" : "MAXCMD"));
  return ask(own_step::queues, set_number_of_queues(facts_.queues_asked));
}

action bring_up::queues_granted(const reply& got, time_point now) {
  if (!got.result.ok())
    return advance(failed{refused(stage_, std::get<own_command>(sub_).sent, got)}, now);
  const auto result = wire::byte_span{got.result.cqe}.first(4);
  const auto granted = static_cast<std::uint32_t>(
      1 + std::min(wire::get<wire::feature_queues_result, "nsqa">(result),
                   wire::get<wire::feature_queues_result, "ncqa">(result)));
  facts_.queues_granted = std::min(granted, facts_.queues_asked);
  if (granted < facts_.queues_asked)
    notes_.add(fmt::format("{} queues asked, {} granted", facts_.queues_asked, granted));
  return open_next(now);
}

action bring_up::open_next(time_point) {
  return open_queue{static_cast<std::uint16_t>(facts_.io.size() + 1), facts_.io_queue_entries};
}

action bring_up::on_queue(time_point now) {
  return start_connect(static_cast<std::uint16_t>(facts_.io.size() + 1), now);
}

// ---- events ---------------------------------------------------------------------------------

action bring_up::start_events(time_point now) {
  begin(host_stage::ready, now);
  const std::uint32_t events = facts_.controller.optional_events & wanted_events;
  if (options_.async_events > 0 && events != 0) {
    facts_.events_configured = events;
    return ask(own_step::events, set_features(wire::feature::async_event_configuration, events));
  }
  end(now, {}, {});
  return finished{};
}

action bring_up::events_configured(const reply& got, time_point now) {
  if (got.result.error)
    return advance(failed{refused(stage_, std::get<own_command>(sub_).sent, got)}, now);
  if (!got.result.status.ok()) {
    // Events are a convenience: the association is good without them.
    notes_.add(fmt::format("Asynchronous Event Configuration: {}", to_text(got.result.status)));
    facts_.events_configured = 0;
  }
  end(now, {{"asynchronous events", hex(facts_.events_configured, 8)}}, {});
  return finished{};
}

}  // namespace nvmf::engine
