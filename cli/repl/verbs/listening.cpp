// SPDX-License-Identifier: BSD-2-Clause
// listen, auto, setqueue: the other role. Queues that hosts open, each command of which waits for a
// person, or for the built-in target.
#include <fmt/format.h>

#include "../breaker.hpp"
#include "../fault_option.hpp"
#include "../relay.hpp"
#include "../shown_queues.hpp"
#include "../verbs.hpp"
#include "../workbench.hpp"
#include "serve_plan.hpp"
#include "wire/layouts/entries.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/uri.hpp"

namespace nvmf::cli::repl {
namespace {

constexpr std::size_t queues_max = 1024;    // accepted and not closed
constexpr std::size_t answered_kept = 256;  // for who asks what became of them

bool has_pdus(std::string_view uri) { return uri.starts_with("nvme+tcp:"); }

void forget_answered(workbench& bench) {
  std::size_t answered = 0;
  for (const auto& [name, in] : bench.incoming.all()) answered += in->handle ? 0u : 1u;
  if (answered <= answered_kept) return;
  std::shared_ptr<incoming_object> oldest;
  for (const auto& [name, in] : bench.incoming.all())
    if (!in->handle && (!oldest || in->number < oldest->number)) oldest = in;
  bench.incoming.remove(oldest->name);
}

void take_command(workbench& bench, const std::shared_ptr<queue_object>& q, capsule c) {
  forget_answered(bench);
  auto in = std::make_shared<incoming_object>();
  in->number = ++bench.commands_received;
  in->name = fmt::format("in{}", in->number);
  in->of = q;
  in->queue = q->name;
  std::ranges::copy(c.sqe(), in->sqe.begin());
  in->admin = q->qid == 0;
  in->command = wire::command_of_sqe(in->admin, std::to_integer<std::uint8_t>(in->sqe[0]),
                                     std::to_integer<std::uint8_t>(in->sqe[4]));
  in->verdict = q->raw.validate_command(c);
  if (in->verdict.ok()) {
    in->length = q->raw.data_length(c);
    in->in_capsule = q->raw.in_capsule_data(c).size();
  }
  in->handle = std::move(c);
  std::string text = fmt::format("{}: {} on {}, cid {}", bench.look()(tone::strong, in->name),
                                 to_text(in->command), q->name, in->handle.cid());
  if (in->length > 0)
    text += fmt::format(", {} bytes of data{}", in->length,
                        in->in_capsule > 0 ? " in the capsule" : "");
  if (!in->verdict.ok()) text += fmt::format(", {}", to_text(in->verdict));
  bench.say(text);
  bench.incoming.put(std::move(in));
}

void accept(workbench& bench, const std::shared_ptr<listener_object>& l, qpair made) {
  if (l->automatic) return l->hand_over(std::move(made));
  if (bench.queues.all().size() >= queues_max) {
    bench.say(fmt::format("{}: {} is refused, there are {} queues: close some", l->name,
                          made.peer(), queues_max));
    return;
  }
  const auto q = std::make_shared<queue_object>();
  q->name = bench.queues.fresh_name("t");
  q->side = role::controller;
  q->listener = l->name;
  q->pdus = has_pdus(l->uri);
  q->watched_by = l->watched_by;
  q->goes_to = std::make_shared<destination>();
  l->watched_by->call(made.id(), q->name);
  q->raw = std::move(made);
  const std::weak_ptr<queue_object> weak = q;
  q->raw.start({.on_receive =
                    [weak, &bench, to = q->goes_to](capsule c) {
                      if (const auto target = to->target.lock())
                        target->take(std::move(c));
                      else if (const auto here = weak.lock())
                        take_command(bench, here, std::move(c));
                    },
                .on_error =
                    [weak, &bench, to = q->goes_to](const qpair_error& why) {
                      if (const auto target = to->target.lock()) return target->lose(why);
                      const auto here = weak.lock();
                      if (!here) return;
                      end_queue(*here, why);
                      lose_commands(bench.incoming.all(), *here, "the queue has ended");
                      bench.say(fmt::format("{} has ended: {}", here->name, *here->ended));
                    }});
  bench.queues.put(q);
  bench.stopping.watch(q);
  bench.say(
      fmt::format("{} is here: a queue of {}", bench.look()(tone::strong, q->name), q->raw.peer()));
}

// The queues of the built-in target can be looked at by name.
queue_shows shows(workbench& bench, const std::shared_ptr<listener_object>& of) {
  const std::weak_ptr<listener_object> weak = of;
  return {.came =
              [&bench, weak](const std::shared_ptr<shown_queue>& made) {
                const auto l = weak.lock();
                if (!l || bench.queues.all().size() >= queues_max) return;
                const auto q = std::make_shared<queue_object>();
                q->name = l->next_name;
                if (q->name.empty()) q->name = fmt::format("{}:{}", l->name, ++l->shown);
                q->side = role::controller;
                q->listener = l->name;
                q->shown = made;
                q->pdus = has_pdus(l->uri);
                l->watched_by->call(made->who().id, q->name, true);
                bench.queues.put(q);
                bench.stopping.watch(q);
              },
          .gone =
              [&bench, weak](const shown_queue& ended) {
                const auto l = weak.lock();
                if (!l) return;
                bench.queues.remove(l->watched_by->name_of(ended.who().id));
                l->watched_by->forget(ended.who().id);
              }};
}

// Where to listen. Port 0 is one that is free; a URI has none such.
std::expected<wire::uri, complaint> take_place(arguments& args) {
  const auto typed = args.take("a URI, such as nvme+tcp://127.0.0.1:0");
  if (!typed) return std::unexpected(typed.error());
  std::string text = typed->text;
  bool any = false;
  if (const std::size_t begin = text.find("://"); begin != std::string::npos) {
    const std::size_t end = std::min(text.find('/', begin + 3), text.size());
    any = std::string_view{text}.substr(0, end).ends_with(":0");
    if (any) text[end - 1] = '1';
  }
  auto uri = wire::parse_address(text);
  if (!uri) return wrong(to_text(uri.error()), typed->column + uri.error().position);
  if (any) uri->port = 0;
  return *uri;
}

done take_settings(arguments& args, transport_options& to) {
  const auto hdgst = args.take_flag("hdgst"), ddgst = args.take_flag("ddgst");
  const auto cpda = args.take_number("cpda", 31);
  for (const auto* each : {&hdgst, &ddgst})
    if (!*each) return std::unexpected(each->error());
  if (!cpda) return std::unexpected(cpda.error());
  to.header_digest = hdgst->value_or(false);
  to.data_digest = ddgst->value_or(false);
  to.alignment = static_cast<std::uint32_t>((cpda->value_or(0) + 1) * 4);
  if (const auto w = args.take_option("in-capsule")) {
    const auto n = size_of(*w, "in-capsule", 1u << 20);
    if (!n) return std::unexpected(n.error());
    to.max_in_capsule = static_cast<std::uint32_t>(*n);
  }
  if (const auto w = args.take_option("maxh2cdata")) {
    const auto n = size_of(*w, "maxh2cdata", 1u << 30);
    if (!n) return std::unexpected(n.error());
    to.max_h2c_data = static_cast<std::uint32_t>(*n);
  }
  return {};
}

// The built-in target with one namespace, as `serve` has it by default.
std::expected<std::unique_ptr<target>, std::string> make_target(workbench& bench,
                                                                const transport_registry& on,
                                                                listener_object& l,
                                                                const std::string& nqn,
                                                                const std::string& ns) {
  auto made = target::make(on, {&bench.on()}, {}, l.watched_by.get(),
                           {.on_notice = [&bench, name = l.name](std::string_view text) {
                             bench.say(fmt::format("{}: {}", name, text));
                           }});
  if (const auto added = made->add_subsystem({.nqn = nqn}); !added)
    return std::unexpected(added.error());
  auto store = parse_backend(ns);
  if (!store) return std::unexpected(store.error());
  if (const auto nsid = made->add_namespace(nqn, {.store = *store}); !nsid)
    return std::unexpected(nsid.error());
  return made;
}

struct wishes {
  wire::uri uri;
  transport_options settings;
  std::string nqn, ns{serve_plan::default_namespace};
  bool automatic = false;
  std::size_t column = 0;  // of the URI
};

done serve(workbench& bench, const std::shared_ptr<listener_object>& l, const wishes& w) {
  l->doors = std::make_unique<transport_registry>();
  for (const auto& provider : obeying(bench, l->plan).all())
    l->doors->add(with_shown_queues(provider, shows(bench, l)));
  l->uri = to_text(w.uri);
  auto made = make_target(bench, *l->doors, *l, w.nqn, w.ns);
  if (!made) return wrong(made.error(), w.column);
  const auto at = (*made)->listen({.transport = std::string{wire::transport_name(w.uri.transport)},
                                   .at = {w.uri.host, w.uri.port},
                                   .settings = w.settings});
  if (!at) return wrong(at.error().message(), w.column, exit_status::connect);
  l->serves = std::move(*made);
  wire::uri uri = w.uri;
  uri.host = at->host;
  uri.port = at->port;
  l->uri = to_text(uri);
  return {};
}

done stand(workbench& bench, const std::shared_ptr<listener_object>& l, const wishes& w) {
  qpair_params params;
  params.side = role::controller;
  params.options = w.settings;
  params.watched_by = l->watched_by.get();
  if (const auto good = check(params); !good) return wrong(std::string{good.error()}, w.column);
  const auto type = wire::transport_name(w.uri.transport);
  const auto provider = obeying(bench, l->plan).find(type, params);
  if (!provider)
    return wrong(
        fmt::format("{}: {} (version lists the transports)", type, provider.error().message()),
        w.column);
  const std::weak_ptr<listener_object> weak = l;
  auto made = (*provider)->listen(
      bench.on(), {w.uri.host, w.uri.port}, params, [&bench]() -> executor& { return bench.on(); },
      [weak, &bench](qpair q) {
        if (const auto to = weak.lock()) accept(bench, to, std::move(q));
      });
  if (!made) return wrong(made.error().message(), w.column, exit_status::connect);
  l->made = std::move(*made);
  l->made->on_trouble([&bench, name = l->name](std::string_view text) {
    bench.say(fmt::format("{}: {}", name, text));
  });
  const endpoint at = l->made->where();
  wire::uri uri = w.uri;
  uri.host = at.host;
  uri.port = at.port;
  l->uri = to_text(uri);
  return {};
}

done listen(workbench& bench, arguments args) {
  word name{bench.listeners.fresh_name("l")};
  if (const auto given = args.take_option("name")) {
    if (auto d = check_name(*given, "listener"); !d) return d;
    if (bench.listeners.find(given->text))
      return wrong(fmt::format("{} is taken: close it, or give another name", given->text),
                   given->column);
    name = *given;
  }
  wishes w;
  if (auto d = take_settings(args, w.settings); !d) return d;
  const auto ns = args.take_option("ns");
  if (ns) w.ns = ns->text;
  w.column = args.column();
  const auto uri = take_place(args);
  if (!uri) return std::unexpected(uri.error());
  w.uri = *uri;
  auto plan =
      take_faults(bench, args, role::controller, uri->transport == wire::uri_transport::tcp);
  if (!plan) return std::unexpected(plan.error());
  w.automatic = args.take_keyword("auto");
  if (!w.automatic) (void)args.take_keyword("manual");
  if (auto d = args.end(); !d) return d;
  if (ns && !w.automatic)
    return wrong("ns is for a target that answers by itself: listen URI auto", ns->column);
  w.nqn = w.uri.nqn.empty() ? std::string{serve_plan::default_nqn} : w.uri.nqn;
  w.uri.nqn = w.nqn;
  const auto l = std::make_shared<listener_object>();
  l->name = name.text;
  l->plan = std::move(*plan);
  l->watched_by = std::make_shared<listener_watcher>(bench, l->name);
  l->watched_by->be_quiet(w.automatic);
  bench.keep(l->watched_by);
  if (auto d = w.automatic ? serve(bench, l, w) : stand(bench, l, w); !d) return d;
  bench.listeners.put(l);
  bench.say(fmt::format("{} listens: {}{}", l->name, l->uri,
                        w.automatic ? ", the built-in target answers" : ""));
  return {};
}

// The target behind a door, made when the first queue goes through.
done open_door(workbench& bench, const std::shared_ptr<listener_object>& l, std::size_t column) {
  if (l->hand_over) return {};
  const auto uri = wire::parse_uri(l->uri);
  l->doors = std::make_unique<transport_registry>();
  l->doors->add(with_shown_queues(make_door(l->hand_over), shows(bench, l)));
  auto made =
      make_target(bench, *l->doors, *l, uri->nqn, std::string{serve_plan::default_namespace});
  if (!made) return wrong(made.error(), column);
  if (const auto at = (*made)->listen({.transport = "by-hand", .at = {uri->host, uri->port}}); !at)
    return wrong(at.error().message(), column);
  l->serves = std::move(*made);
  return {};
}

done give_away(workbench& bench, const std::shared_ptr<queue_object>& q, std::size_t column) {
  if (!q->shown.expired())
    return wrong(fmt::format("{} is the built-in target's already", q->name), column);
  if (q->side != role::controller)
    return wrong(fmt::format("{} is a host's end: `auto` answers commands", q->name), column);
  if (q->ended) return wrong(fmt::format("{} is no more: {}", q->name, *q->ended), column);
  if (q->settled)
    return wrong(fmt::format("{} belongs to a controller that is you: the built-in one takes "
                             "queues whose Connect has not been answered",
                             q->name),
                 column);
  const auto l = bench.listeners.find(q->listener);
  if (!l) return wrong(fmt::format("the listener of {} is closed", q->name), column);
  if (auto d = open_door(bench, l, column); !d) return d;
  std::vector<std::shared_ptr<incoming_object>> waiting;
  for (const auto& [name, in] : bench.incoming.all())
    if (in->handle && in->of.lock() == q) waiting.push_back(in);
  for (const auto& in : waiting)
    if (in->fetches > 0 || in->sent > 0)
      return wrong(fmt::format("{} is half answered: respond to it first", in->name), column);
  std::ranges::sort(waiting, {}, &incoming_object::number);
  std::vector<capsule> commands;
  for (const auto& in : waiting) {
    commands.push_back(std::move(in->handle));
    in->end = "handed to the built-in target";
  }
  if (q->breaks) (void)q->raw.tamper(nullptr);
  const auto through = std::make_shared<relay>(std::move(q->raw), std::move(commands));
  q->goes_to->target = through;
  l->watched_by->forget(through->who().id);
  l->watched_by->be_quiet(true);
  bench.queues.remove(q->name);
  l->next_name = q->name;
  l->hand_over(qpair{through});
  l->next_name.clear();
  const auto again = bench.queues.find(q->name);
  if (!again) return {};  // there are too many to show
  again->stands = q->stands;
  if (q->breaks && !reach(*again)->tamper(q->breaks.get())) again->breaks = std::move(q->breaks);
  return {};
}

done automatic(workbench& bench, arguments args) {
  const auto name = args.take("a queue that was accepted, or a listener");
  if (!name) return std::unexpected(name.error());
  if (auto d = args.end(); !d) return d;
  if (const auto l = bench.listeners.find(name->text)) {
    if (!l->made) return wrong(fmt::format("{} answers by itself already", l->name), name->column);
    if (auto d = open_door(bench, l, name->column); !d) return d;
    l->automatic = true;
    return {};
  }
  const auto q = bench.queues.get(*name);
  if (!q) return std::unexpected(q.error());
  if (auto d = give_away(bench, *q, name->column); !d) return d;
  bench.say(fmt::format("{} is the built-in target's now", name->text));
  return {};
}

done set_queue(workbench& bench, arguments args) {
  const auto name = args.take("a queue");
  if (!name) return std::unexpected(name.error());
  const auto found = bench.queues.get(*name);
  if (!found) return std::unexpected(found.error());
  queue_object& q = **found;
  const auto qid = args.take_number("qid", 65535), size = args.take_number("size", 65536);
  const auto flow = args.take_flag("sqflow");
  if (!qid) return std::unexpected(qid.error());
  if (!size) return std::unexpected(size.error());
  if (!flow) return std::unexpected(flow.error());
  if (auto d = args.end(); !d) return d;
  if (!q.raw)
    return wrong(fmt::format("{} belongs to a connection, which settles it itself", q.name),
                 name->column);
  const auto id = static_cast<std::uint16_t>(qid->value_or(q.qid));
  const auto entries = static_cast<std::uint32_t>(size->value_or(q.raw.limits().queue_size));
  if (const auto failed = q.raw.set_queue(id, entries, flow->value_or(true)))
    return wrong(fmt::format("size: {} is not 2 to {}", entries, id == 0 ? 4096 : 65536),
                 name->column);
  q.qid = id;
  q.settled = true;
  return {};
}

constexpr std::array<example, 4> listen_examples{{
    {"listen nvme+tcp://127.0.0.1:0", "a port that is free; you answer each command"},
    {"listen nvme+loop://mine name=m hdgst ddgst", "in this process, granting digests"},
    {"listen nvme+tcp://127.0.0.1:0 auto ns=ram:1M", "the built-in target answers"},
    {"listen nvme+tcp://127.0.0.1:0 auto fault='when cmd == read: delay 50ms'",
     "and misbehaves by plan (nvmfctl describe fault-plan)"},
}};
constexpr std::array<example, 2> auto_examples{{
    {"auto t1", "this queue, with the commands that wait"},
    {"auto l1", "and whoever comes from now on"},
}};
constexpr std::array<example, 1> setqueue_examples{{
    {"setqueue t2 qid=1 size=128", "what the Connect that is answered next says"},
}};

}  // namespace

void add_listening_verbs(verb_list& to) {
  const auto add = [&](verb_info info, simple_verb::action does) {
    to.push_back(std::make_unique<simple_verb>(info, does));
  };
  add({"listen",
       "URI [manual|auto] [name=NAME] [in-capsule=SIZE] [maxh2cdata=SIZE] [cpda=N] [hdgst] "
       "[ddgst] [ns=SPEC] [fault=PLAN] [fault-seed=N]",
       "be a target: wait for hosts",
       "manual: each queue that a host opens gets a name, t1, t2, ..., and each command that comes "
       "there waits as in1, in2, ... until you answer it (receive, senddata, respond). auto: the "
       "built-in target answers, with the namespace that ns says. hdgst and ddgst grant digests to "
       "hosts that ask. open and connect take the name of a listener for its URI.",
       listen_examples},
      listen);
  add({"auto", "QUEUE|LISTENER", "let the built-in target answer",
       "A queue goes to it with the commands that wait, as long as its Connect has not been "
       "answered; with a listener, all that come from now on.",
       auto_examples},
      automatic);
  add({"setqueue", "QUEUE [qid=N] [size=N] [sqflow=off]", "tell the transport what Connect settled",
       "size in entries. `respond` does it by itself for a Connect that succeeds, from what the "
       "command says; to grant something else, say so before.",
       setqueue_examples},
      set_queue);
}

}  // namespace nvmf::cli::repl
