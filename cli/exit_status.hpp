// SPDX-License-Identifier: BSD-2-Clause
// How a command ended: wire/tables/exit_status.def, the same for every command.
#pragma once

#include <string_view>

#include "wire/tables.hpp"

namespace nvmf::cli {

using wire::exit_status;

inline std::string_view exit_status_title(exit_status s) {
  const wire::row* r = wire::exit_statuses.find(static_cast<std::uint32_t>(s));
  return r != nullptr ? r->title : std::string_view{"unknown"};
}
inline std::string_view exit_status_name(exit_status s) {
  const wire::row* r = wire::exit_statuses.find(static_cast<std::uint32_t>(s));
  return r != nullptr ? r->name : std::string_view{"unknown"};
}

}  // namespace nvmf::cli
