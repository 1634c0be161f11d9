// SPDX-License-Identifier: BSD-2-Clause
#include "loop_target.hpp"

#include "serve_plan.hpp"
#include "wire/nqn.hpp"

namespace nvmf::cli {

std::expected<std::unique_ptr<target>, std::string> make_loop_target(
    const transport_registry& registry, executor& on, const host_plan& to) {
  auto made = target::make(registry, {&on}, {}, nullptr, {});
  const std::string nqn = wire::is_discovery_nqn(to.options.subsystem_nqn)
                              ? std::string{serve_plan::default_nqn}
                              : to.options.subsystem_nqn;
  subsystem_options subsystem;
  subsystem.nqn = nqn;
  if (const auto done = made->add_subsystem(subsystem); !done) return std::unexpected(done.error());
  auto store = parse_backend(serve_plan::default_namespace);
  if (!store) return std::unexpected(store.error());
  if (const auto nsid = made->add_namespace(nqn, {.store = *store}); !nsid)
    return std::unexpected(nsid.error());
  listener_options at{.transport = "loop", .at = to.options.to};
  // As a target would that grants what is asked for.
  at.settings.header_digest = at.settings.data_digest = true;
  if (const auto listening = made->listen(at); !listening)
    return std::unexpected(listening.error().message());
  return made;
}

}  // namespace nvmf::cli
