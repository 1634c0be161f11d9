// SPDX-License-Identifier: BSD-2-Clause
#include "engine/host/discovery.hpp"

#include <algorithm>
#include <memory>

namespace nvmf {

namespace {

using done_callback = std::move_only_function<void(std::expected<discovery_log, host_failure>)>;

// Lives in the callback of the one command that is out. The association is not touched after a
// command failed: it may be gone.
struct reading {
  association& with;
  engine::discovery_reader machine;
  std::vector<std::byte> piece;
  done_callback done;
};

void drive(std::unique_ptr<reading> r, engine::action next) {
  auto* command = std::get_if<engine::send_command>(&next);
  if (command == nullptr) {
    if (std::holds_alternative<engine::finished>(next)) return r->done(r->machine.log());
    return r->done(std::unexpected(std::move(std::get<engine::failed>(next).why)));
  }
  r->piece.resize(command->receive);
  association& with = r->with;
  const memdesc mem = memdesc::of(std::span(r->piece));
  with.submit(0, command->sqe, mem, direction::receive, {},
              [r = std::move(r)](const command_result& result) mutable {
                engine::reply got{result, {}, {}};
                if (got.result.ok() && result.bytes < r->piece.size())
                  got.result.error = errc::data_incomplete;
                got.data = std::span(r->piece).first(std::min(result.bytes, r->piece.size()));
                auto after = r->machine.on_reply(got);
                drive(std::move(r), std::move(after));
              });
}

}  // namespace

void read_discovery_log(association& with, done_callback done) {
  auto r = std::unique_ptr<reading>(
      new reading{with, engine::discovery_reader(with.max_transfer()), {}, std::move(done)});
  auto first = r->machine.start();
  drive(std::move(r), std::move(first));
}

}  // namespace nvmf
