// SPDX-License-Identifier: BSD-2-Clause
// The public face: subsystems, listeners, stop.
#include <nvmf/target.hpp>

#include <fmt/format.h>

#include <cassert>

#include "session.hpp"
#include "shard.hpp"
#include "wire/tables.hpp"

namespace nvmf {
namespace {

std::uint8_t trtype_of(std::string_view transport) {
  const wire::row* row = wire::transport_types.find(transport);
  return row != nullptr ? static_cast<std::uint8_t>(row->value)
                        : static_cast<std::uint8_t>(wire::trtype::intra_host);
}

class target_impl final : public target {
 public:
  target_impl(const transport_registry& registry, std::vector<executor*> reactors,
              target_limits limits, observer* watched_by, callbacks calls)
      : registry_(registry) {
    assert(!reactors.empty());
    state_.limits = limits;
    state_.watched_by = watched_by;
    state_.calls = std::move(calls);
    for (executor* on : reactors) state_.shards.push_back(std::make_shared<shard>(*on, state_));
  }

  ~target_impl() override {
    listeners_.clear();
    for (const auto& each : stores_)
      if (const auto store = each.lock()) store->on_trouble({});
    // After a stop the shards are closed already, and their reactors may be running.
    if (!stopped_)
      for (const auto& s : state_.shards) s->abandon();
  }

  std::expected<void, std::string> add_subsystem(subsystem_options options) override {
    auto added = state_.entries.add(std::move(options));
    if (added) tell_discovery();
    return added;
  }

  std::expected<std::uint32_t, std::string> add_namespace(std::string_view nqn,
                                                          namespace_options options) override {
    const auto of = nvm_subsystem(nqn);
    if (of == nullptr) return std::unexpected(fmt::format("there is no subsystem {}", nqn));
    options.store->on_trouble([this](std::string_view text) { state_.notice(text); });
    stores_.push_back(options.store);
    const auto nsid = of->add(std::move(options));
    if (nsid) tell_namespaces(of, *nsid);
    return nsid;
  }

  std::expected<void, std::string> remove_namespace(std::string_view nqn,
                                                    std::uint32_t nsid) override {
    const auto of = nvm_subsystem(nqn);
    if (of == nullptr) return std::unexpected(fmt::format("there is no subsystem {}", nqn));
    auto removed = of->remove(nsid);
    if (removed) tell_namespaces(of, nsid);
    return removed;
  }

  std::expected<endpoint, std::error_code> listen(const listener_options& options) override {
    qpair_params params;
    params.side = role::controller;
    params.options = options.settings;
    params.watched_by = state_.watched_by;
    const auto provider = registry_.find(options.transport, params);
    if (!provider) return std::unexpected(provider.error());
    auto view = std::make_shared<listener_view>();
    view->discovery_only = options.discovery_only;
    view->trtype = trtype_of(options.transport);
    // IOCCSZ counts units of 16 bytes.
    view->in_capsule_bytes = options.settings.max_in_capsule / 16 * 16;
    // A connection may come up on another reactor while its listener goes: these two outlive us.
    auto made = (*provider)->listen(
        state_.shards.front()->on(), options.at, params,
        [turn = turn_, shards = state_.shards]() -> executor& {
          return shards[turn->fetch_add(1) % shards.size()]->on();
        },
        [shards = state_.shards, view](qpair q) { accept(shards, std::move(q), view); });
    if (!made) return std::unexpected(made.error());
    const endpoint where = (*made)->where();
    (*made)->on_trouble([this](std::string_view text) { state_.notice(text); });
    listeners_.push_back(std::move(*made));
    if (!options.discovery_only) {
      state_.entries.add_port({view->trtype, where.host, where.port, 0});
      tell_discovery();
    }
    return where;
  }

  std::vector<controller_row> controllers() const override { return state_.entries.rows(); }

  void stop(std::function<void()> done) override {
    assert(!state_.stopping);
    state_.stopping = true;
    listeners_.clear();
    // The last shard to empty says so on the first one's executor.
    auto left = std::make_shared<std::atomic<std::size_t>>(state_.shards.size());
    auto all_done = std::make_shared<std::function<void()>>([this, told = std::move(done)] {
      stopped_ = true;
      told();
    });
    const auto first = state_.shards.front();
    for (const auto& s : state_.shards)
      s->on().post([s, left, all_done, first] {
        s->end_all("the target stops", [left, all_done, first] {
          if (--*left != 0) return;
          first->on().post([all_done] { std::exchange(*all_done, nullptr)(); });
        });
      });
  }

 private:
  std::shared_ptr<subsystem> nvm_subsystem(std::string_view nqn) const {
    auto found = state_.entries.find(nqn);
    return found != nullptr && !found->discovery() ? found : nullptr;
  }

  static void accept(const std::vector<std::shared_ptr<shard>>& shards, qpair q,
                     const std::shared_ptr<const listener_view>& view) {
    for (const auto& s : shards)
      if (&s->on() == &q.runs_on()) return s->accept(std::move(q), view);
    assert(false && "a connection on an executor that was not chosen");
  }

  void tell_namespaces(const std::shared_ptr<subsystem>& of, std::uint32_t nsid) {
    for (const auto& s : state_.shards)
      s->for_each([of, table = of->table(), nsid](session& each) {
        if (each.role() != nullptr) each.role()->on_namespaces(*of, table, {&nsid, 1});
      });
  }

  void tell_discovery() {
    for (const auto& s : state_.shards)
      s->for_each([](session& each) {
        if (each.role() != nullptr) each.role()->on_discovery_changed();
      });
  }

  const transport_registry& registry_;
  target_state state_;
  std::vector<std::unique_ptr<listener>> listeners_;
  std::vector<std::weak_ptr<backend>> stores_;  // that tell this target of their troubles
  bool stopped_ = false;
  const std::shared_ptr<std::atomic<std::size_t>> turn_ =
      std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace

std::unique_ptr<target> target::make(const transport_registry& registry,
                                     std::vector<executor*> reactors, target_limits limits,
                                     observer* watched_by, callbacks calls) {
  return std::make_unique<target_impl>(registry, std::move(reactors), limits, watched_by,
                                       std::move(calls));
}

}  // namespace nvmf
