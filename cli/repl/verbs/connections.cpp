// SPDX-License-Identifier: BSD-2-Clause
// open, connect: queues to a controller.
#include <fmt/format.h>

#include "../fault_option.hpp"
#include "../verbs.hpp"
#include "../workbench.hpp"
#include "failure.hpp"
#include "host_options.hpp"
#include "identity.hpp"
#include "loop_target.hpp"
#include "render/association.hpp"
#include "render/text.hpp"
#include "wire/uri.hpp"

namespace nvmf::cli::repl {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

done check_free(const workbench& bench, const word& name) {
  if (auto d = check_name(name, "queue"); !d) return d;
  if (bench.queues.find(name.text) || bench.connections.find(name.text))
    return wrong(fmt::format("{} is taken: close it, or give another name", name.text),
                 name.column);
  return {};
}

std::expected<word, complaint> take_name(workbench& bench, arguments& args,
                                         std::string_view prefix) {
  const auto given = args.take_option("name");
  if (!given) {
    for (int n = 1;; ++n) {
      const auto name = fmt::format("{}{}", prefix, n);
      if (!bench.queues.find(name) && !bench.connections.find(name)) return word{name};
    }
  }
  if (auto d = check_free(bench, *given); !d) return std::unexpected(d.error());
  return *given;
}

// A URI, or the name of a listener of ours.
std::expected<wire::uri, complaint> take_uri(const workbench& bench, arguments& args) {
  const auto typed = args.take("a URI, such as nvme+tcp://127.0.0.1");
  if (!typed) return std::unexpected(typed.error());
  if (const auto l = bench.listeners.find(typed->text)) return *wire::parse_uri(l->uri);
  auto uri = wire::parse_address(typed->text);
  if (!uri) return wrong(to_text(uri.error()), typed->column + uri.error().position);
  return *uri;
}

bool has_pdus(const wire::uri& uri) { return uri.transport == wire::uri_transport::tcp; }

// hdgst ddgst hpda= maxr2t=, as Initialize Connection Request has them.
done take_settings(workbench& bench, arguments& args, const wire::uri& uri, transport_options& to) {
  const auto hdgst = args.take_flag("hdgst"), ddgst = args.take_flag("ddgst");
  const auto hpda = args.take_number("hpda", 31), maxr2t = args.take_number("maxr2t", 65535);
  for (const auto* each : {&hdgst, &ddgst})
    if (!*each) return std::unexpected(each->error());
  for (const auto* each : {&hpda, &maxr2t})
    if (!*each) return std::unexpected(each->error());
  to.header_digest = hdgst->value_or(uri.hdgst.value_or(false));
  to.data_digest = ddgst->value_or(uri.ddgst.value_or(false));
  to.alignment = static_cast<std::uint32_t>((hpda->value_or(0) + 1) * 4);
  to.max_r2t = static_cast<std::uint32_t>(maxr2t->value_or(0) + 1);
  to.connect_timeout = to.ic_timeout = duration_cast<milliseconds>(bench.options.timeout);
  return {};
}

exit_status status_of(connect_stage stage) {
  switch (stage) {
    case connect_stage::resolve:
      return exit_status::resolve;
    case connect_stage::connect:
      return exit_status::connect;
    case connect_stage::exchange:
      break;
  }
  return exit_status::initialize_connection;
}

void say_steps(workbench& bench, const std::vector<connect_step>& steps) {
  for (const connect_step& s : steps) {
    std::string text = fmt::format("{:<8}", s.name);
    for (const auto& [key, value] : s.values) text += fmt::format("  {} {}", key, value);
    bench.say(wrapped(text, 0));
  }
}

// A queue that the person holds alone: nothing but the transport has been settled.
void adopt(workbench& bench, const std::shared_ptr<queue_object>& q) {
  std::weak_ptr<queue_object> weak = q;
  q->raw.start({.on_receive =
                    [weak](capsule response) {
                      const auto to = weak.lock();
                      if (to) take_response(*to, std::move(response));
                    },
                .on_error =
                    [weak](const qpair_error& why) {
                      if (const auto to = weak.lock()) end_queue(*to, why);
                    }});
  bench.queues.put(q);
  bench.stopping.watch(q);
  bench.use(q->name);
}

// qid= size=
done take_queue(arguments& args, qpair_params& params, std::uint16_t qid_default) {
  const auto qid = args.take_number("qid", 65535), size = args.take_number("size", 65536);
  if (!qid) return std::unexpected(qid.error());
  if (!size) return std::unexpected(size.error());
  params.qid = static_cast<std::uint16_t>(qid->value_or(qid_default));
  params.admin = params.qid == 0;
  params.queue_size = static_cast<std::uint32_t>(size->value_or(params.admin ? 32 : 128));
  return {};
}

done open_queue(workbench& bench, const std::shared_ptr<queue_object>& q, std::size_t column) {
  qpair_params params = q->way->params;
  if (const auto good = check(params); !good) return wrong(std::string{good.error()}, column);
  q->qid = params.qid;
  q->pdus = q->way->transport == "tcp";
  q->watched_by = std::make_shared<watcher>(bench, q->name, false);
  params.watched_by = q->watched_by.get();
  const auto provider = obeying(bench, q->plan).find(q->way->transport, params);
  if (!provider)
    return wrong(fmt::format("{}: {} (version lists the transports)", q->way->transport,
                             provider.error().message()),
                 column);
  std::optional<std::expected<connected, connect_error>> made;
  const auto attempt = (*provider)->connect(bench.on(), q->way->to, params,
                                            [&made](auto r) { made.emplace(std::move(r)); });
  const auto there =
      bench.wait_until([&] { return made.has_value(); }, std::chrono::nanoseconds::max() / 4);
  if (!there) {
    attempt->cancel();
    bench.settle();
    return std::unexpected(there.error());
  }
  if (!*made) {
    say_steps(bench, made->error().steps);
    return wrong(made->error().detail, column, status_of(made->error().stage));
  }
  say_steps(bench, (*made)->steps);
  q->raw = std::move((*made)->queue);
  adopt(bench, q);
  bench.say(fmt::format("{} is open: queue {} to {}", q->name, q->qid, q->raw.peer()));
  return {};
}

done open(workbench& bench, arguments args) {
  const auto name = take_name(bench, args, "q");
  if (!name) return std::unexpected(name.error());
  queue_way way;
  if (auto d = take_queue(args, way.params, 0); !d) return d;
  const std::size_t column = args.column();
  const auto uri = take_uri(bench, args);
  if (!uri) return std::unexpected(uri.error());
  if (auto d = take_settings(bench, args, *uri, way.params.options); !d) return d;
  auto plan = take_faults(bench, args, role::host, has_pdus(*uri));
  if (!plan) return std::unexpected(plan.error());
  if (auto d = args.end(); !d) return d;
  way.transport = wire::transport_name(uri->transport);
  way.to = {uri->host, uri->port};
  const auto q = std::make_shared<queue_object>();
  q->name = name->text;
  q->nqn = uri->nqn;
  q->way = std::move(way);
  q->plan = std::move(*plan);
  return open_queue(bench, q, column);
}

// Where the queue in use leads.
std::optional<queue_way> way_of(const queue_object& q) {
  if (q.way) return q.way;
  const auto c = q.of.lock();
  if (!c) return std::nullopt;
  queue_way way{c->options.transport, c->options.to};
  way.params.options = c->options.transport_settings;
  return way;
}

done one_more(workbench& bench, arguments args) {
  const auto beside = bench.queues.find(bench.current());
  qpair_params asked;
  if (auto d = take_queue(args, asked, 1); !d) return d;
  const auto name = args.take("a name for the queue");
  if (!name) return std::unexpected(name.error());
  if (auto d = check_free(bench, *name); !d) return d;
  if (auto d = args.end(); !d) return d;
  if (!beside) return wrong("no queue is in use: open or connect makes one", name->column);
  auto way = way_of(*beside);
  if (!way)
    return wrong(fmt::format("{} is a controller's end: hosts open queues", beside->name),
                 name->column);
  asked.options = way->params.options;
  way->params = asked;
  const auto q = std::make_shared<queue_object>();
  q->name = name->text;
  q->nqn = beside->nqn;
  if (const auto c = beside->of.lock()) q->nqn = c->options.subsystem_nqn;
  q->way = std::move(way);
  return open_queue(bench, q, name->column);
}

association_options options_of(workbench& bench, const wire::uri& uri, const host_identity& who) {
  association_options o;
  o.transport = wire::transport_name(uri.transport);
  o.to = {uri.host, uri.port};
  o.subsystem_nqn = uri.nqn;
  o.host_nqn = who.nqn;
  o.host_id = who.id;
  o.timeout = duration_cast<milliseconds>(bench.options.timeout);
  return o;
}

void add_queues(workbench& bench, const std::shared_ptr<connection_object>& c) {
  for (std::uint32_t qid = 0; qid <= c->with->io_queues(); ++qid) {
    auto q = std::make_shared<queue_object>();
    q->name = fmt::format("{}:{}", c->name, qid);
    q->of = c;
    q->qid = static_cast<std::uint16_t>(qid);
    q->pdus = c->options.transport == "tcp";
    bench.queues.put(q);
    bench.stopping.watch(q);
  }
  bench.use(fmt::format("{}:{}", c->name, c->with->io_queues() == 0 ? 0 : 1));
}

// Digests, queues and limits that were asked for.
done take_wishes(workbench& bench, arguments& args, const wire::uri& uri, association_options& o) {
  const auto queues = args.take_number("queues", 65535), size = args.take_number("size", 65536);
  const auto kato = args.take_time("kato");
  const auto sqflow = args.take_flag("sqflow");
  if (!queues) return std::unexpected(queues.error());
  if (!size) return std::unexpected(size.error());
  if (!kato) return std::unexpected(kato.error());
  if (!sqflow) return std::unexpected(sqflow.error());
  o.io_queues = static_cast<std::uint32_t>(queues->value_or(1));
  if (*size) o.io_queue_size = static_cast<std::uint32_t>(**size);
  if (*kato) o.keep_alive = duration_cast<milliseconds>(**kato);
  o.disable_sq_flow_control = !sqflow->value_or(true);
  return take_settings(bench, args, uri, o.transport_settings);
}

void tell_up(workbench& bench, const std::shared_ptr<connection_object>& c) {
  c->watched_by->be_quiet(false);
  bench.connections.put(c);
  add_queues(bench, c);
  bench.say(fmt::format("{} is up: controller {}, {} I/O queue{}", c->name,
                        c->with->controller_id(), c->with->io_queues(),
                        c->with->io_queues() == 1 ? "" : "s"));
}

// Of a connect that nobody waits for.
void tell_settled(workbench& bench, const std::shared_ptr<connection_object>& c) {
  c->settled = true;
  if (bench.connections.find(c->name) != c) return;  // closed meanwhile
  if (c->up) return tell_up(bench, c);
  bench.say(fmt::format("{}: {}", c->name, explained(*c->failure, c->options, false)));
  bench.connections.remove(c->name);
}

void start(workbench& bench, const std::shared_ptr<connection_object>& c, association_options o,
           bool waits) {
  std::weak_ptr<connection_object> weak = c;
  c->options = o;
  c->transports = std::make_unique<transport_registry>(obeying(bench, c->plan));
  c->with = association::start(
      *c->transports, bench.on(), std::move(o),
      {.on_stage = [&bench](const stage_report& s) { bench.say(stage_text(s, bench.look())); },
       .on_up =
           [weak, waits, &bench](std::expected<void, host_failure> up) {
             const auto at = weak.lock();
             if (!at) return;
             at->settled = waits;
             at->up = up.has_value();
             if (!up) at->failure = std::move(up.error());
             // Not from within the callback: the association may go.
             if (!waits) bench.on().post([at, &bench] { tell_settled(bench, at); });
           },
       .on_lost =
           [weak, &bench](const host_failure& f) {
             const auto at = weak.lock();
             if (!at) return;
             at->up = false;
             at->failure = f;
             bench.say(fmt::format("{} is lost: {}", at->name, explained(f, at->options, true)));
           },
       .on_async_event =
           [&bench](std::uint32_t dw0, std::span<const std::byte> log) {
             bench.say(async_event_text(dw0, log, bench.look()));
           }});
}

done connect(workbench& bench, arguments args) {
  const auto name = take_name(bench, args, "a");
  if (!name) return std::unexpected(name.error());
  const std::size_t column = args.column();
  const auto uri = take_uri(bench, args);
  if (!uri) return std::unexpected(uri.error());
  const auto nqn = args.take_option("hostnqn"), id = args.take_option("hostid");
  const auto who = make_identity(nqn ? nqn->text : "", id ? id->text : "");
  if (!who) return wrong(who.error(), nqn ? nqn->column : column);
  const bool waits = !args.take_option("nowait");
  auto o = options_of(bench, *uri, *who);
  auto plan = take_faults(bench, args, role::host, has_pdus(*uri));
  if (!plan) return std::unexpected(plan.error());
  if (auto d = take_wishes(bench, args, *uri, o); !d) return d;
  if (auto d = args.end(); !d) return d;
  if (uri->nqn.empty())
    return wrong("the URI names no subsystem: add /SUBNQN (nvmfctl discover lists them)", column);
  const auto c = std::make_shared<connection_object>();
  c->name = name->text;
  c->uri = to_text(*uri);
  c->plan = std::move(*plan);
  c->watched_by = std::make_shared<watcher>(bench, c->name, true);
  o.watched_by = c->watched_by.get();
  c->watched_by->be_quiet(true);
  bench.keep(c->watched_by);
  start(bench, c, std::move(o), waits);
  if (!waits) {
    bench.connections.put(c);
    return {};
  }
  const auto there =
      bench.wait_until([&] { return c->settled; }, std::chrono::nanoseconds::max() / 4);
  if (!there) return std::unexpected(there.error());
  if (!c->up)
    return wrong(explained(*c->failure, c->options, false), column, cli::status_of(*c->failure));
  tell_up(bench, c);
  return {};
}

constexpr std::array<example, 3> open_examples{{
    {"open $uri", "TCP and the IC exchange, no Connect: the first command is yours"},
    {"open $uri name=bad fault='when cmd == write: wrong-cid'", "misbehaving by plan"},
    {"open $uri name=bare hdgst ddgst maxr2t=3", "with digests, four R2Ts a command"},
}};
constexpr std::array<example, 2> qpair_examples{{
    {"qpair io", "queue 1 beside the queue in use; its Connect is yours to send"},
    {"qpair third qid=3 size=16", "another one"},
}};
constexpr std::array<example, 3> connect_examples{{
    {"connect $uri", "the whole bring-up; queues a1:0 (admin) and a1:1"},
    {"connect m name=own nowait", "to the listener m, whose commands are yours to answer"},
    {"connect $uri name=t queues=2 kato=5s", "two I/O queues, called t:1 and t:2"},
}};

}  // namespace

void add_connection_verbs(verb_list& to) {
  const auto add = [&](verb_info info, simple_verb::action does) {
    to.push_back(std::make_unique<simple_verb>(info, does));
  };
  add({"open",
       "URI|LISTENER [name=NAME] [qid=N] [size=N] [hdgst] [ddgst] [hpda=N] [maxr2t=N] "
       "[fault=PLAN] [fault-seed=N]",
       "open one queue at the transport, and no more",
       "Stops after ICResp: Connect and all that follows is for you to send. hpda and maxr2t are "
       "0's based, as ICReq has them.",
       open_examples},
      open);
  add({"qpair", "NAME [qid=N] [size=N]", "open one more queue to where the queue in use leads",
       "At the transport, as open does, with the settings of the queue in use. qid is 1 when it is "
       "not said; size is in entries.",
       qpair_examples},
      one_more);
  add({"connect",
       "URI|LISTENER [name=NAME] [hostnqn=NQN] [hostid=UUID] [queues=N] [size=N] [kato=TIME] "
       "[sqflow=off] [hdgst] [ddgst] [fault=PLAN] [fault-seed=N] [nowait]",
       "bring up a whole association",
       "As `nvmfctl connect`, told stage by stage. With nowait it goes on while you do something "
       "else, such as being its target; `wait NAME` waits for its end.",
       connect_examples},
      connect);
}

}  // namespace nvmf::cli::repl
