// SPDX-License-Identifier: BSD-2-Clause
#include "events.hpp"

#include <algorithm>

#include "association.hpp"
#include "engine/host/commands.hpp"
#include "wire/layouts/responses.hpp"

namespace nvmf {

namespace {

wire::log_page page_of(std::uint32_t dw0) {
  std::array<std::byte, 16> cqe{};
  wire::store_le(cqe, 0, 4, dw0);
  return static_cast<wire::log_page>(wire::get<wire::async_event_response, "lid">(cqe));
}

// Bytes to read of a page so that the event is cleared and a person learns what it is about.
std::uint32_t log_length(wire::log_page lid, const engine::controller_facts& facts) {
  switch (lid) {
    case wire::log_page::error_information:
      return 64 * std::min<std::uint32_t>(facts.error_log_entries, 64);
    case wire::log_page::changed_namespace_list:
    case wire::log_page::asymmetric_namespace_access:
      return 4096;
    case wire::log_page::discovery:
      return 1024;
    case wire::log_page::reservation_notification:
      return 64;
    default:
      return 512;
  }
}

}  // namespace

void host_events::start(std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    ++posted_;
    post();
  }
}

void host_events::post() {
  core_.queue(0)->submit(engine::async_event_request(), {}, direction::none, host_queue::never,
                         [this](const command_result& r) { on_event(r); });
}

void host_events::on_event(const command_result& r) {
  // A request that is refused is not repeated: what is wrong with it would stay wrong.
  if (!r.ok() || !core_.up()) {
    --posted_;
    return;
  }
  const auto dw0 = static_cast<std::uint32_t>(wire::load_le(r.cqe, 0, 4));
  core_.emit({.type = event_type::async_event, .a = dw0});
  waiting_.push_back(dw0);
  work();
}

void host_events::work() {
  if (working_ || waiting_.empty() || !core_.up()) return;
  working_ = true;
  dw0_ = waiting_.take(0);
  log_.clear();
  const wire::log_page lid = page_of(dw0_);
  if (lid == wire::log_page{0}) return tell();
  core_.send(engine::get_log_page(lid, 0, log_length(lid, core_.facts().controller), false),
             core_.options().timeout, [this](const engine::reply& got) { on_log(got); });
}

// A page that cannot be read is told of as empty, and the request is armed again all the same.
void host_events::on_log(const engine::reply& got) {
  if (!core_.up()) return;
  if (got.result.ok()) log_.assign(got.data.begin(), got.data.end());
  if (page_of(dw0_) != wire::log_page::changed_namespace_list) return tell();
  std::vector<std::uint32_t> changed;
  for (std::size_t i = 0; i + 4 <= log_.size(); i += 4) {
    const auto nsid = static_cast<std::uint32_t>(wire::load_le(log_, i, 4));
    if (nsid == 0) break;
    changed.push_back(nsid);
  }
  // No page, or FFFFFFFFh for more than fit: anything may have changed.
  const bool all = log_.empty() || (!changed.empty() && changed[0] == 0xffff'ffff);
  rescan(std::move(changed), all);
}

void host_events::rescan(std::vector<std::uint32_t> changed, bool all) {
  const std::uint32_t highest = core_.facts().controller.namespaces;
  scan_all_ = all;
  if (all)
    scan_.emplace(highest);
  else
    scan_.emplace(highest, std::move(changed));
  drive(scan_->start());
}

void host_events::drive(engine::action next) {
  if (auto* c = std::get_if<engine::send_command>(&next)) {
    return core_.send(std::move(*c), core_.options().timeout, [this](const engine::reply& got) {
      if (core_.up()) drive(scan_->on_reply(got));
    });
  }
  if (std::holds_alternative<engine::finished>(next)) rescanned();
  tell();
}

void host_events::rescanned() {
  auto& list = core_.namespaces();
  if (scan_all_) {
    list = scan_->found();
    return;
  }
  const auto& asked = scan_->asked();
  std::erase_if(list, [&](const namespace_info& n) {
    return std::ranges::find(asked, n.nsid) != asked.end();
  });
  list.insert(list.end(), scan_->found().begin(), scan_->found().end());
  std::ranges::sort(list, {}, &namespace_info::nsid);
}

void host_events::tell() {
  if (core_.calls().on_async_event) core_.calls().on_async_event(dw0_, log_);
  working_ = false;
  if (!core_.up()) return;
  post();
  work();
}

}  // namespace nvmf
