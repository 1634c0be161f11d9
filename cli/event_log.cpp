// SPDX-License-Identifier: BSD-2-Clause
#include "event_log.hpp"

#include <spdlog/logger.h>

#include "render/timeline.hpp"

namespace nvmf::cli {

bool event_log::wanted(const spdlog::logger& log) { return log.should_log(spdlog::level::trace); }

void event_log::on_event(const event& e) noexcept {
  const recorded_event kept = record(e);
  log_->trace("qpair {} queue {}{}: {} {}", e.qpair, e.qid,
              e.has_cid ? fmt::format(" cid {}", e.cid) : std::string{}, event_name(e.type),
              event_details(kept));
  if (next_ != nullptr) next_->on_event(e);
}

}  // namespace nvmf::cli
