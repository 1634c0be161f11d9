// SPDX-License-Identifier: BSD-2-Clause
// What it takes to open an interface is given back before anybody's bytes are looked at.
#pragma once

#include <expected>
#include <optional>
#include <string>

namespace nvmf::cli {

// Who asked root to run this: sudo tells.
struct invoking_user {
  unsigned user = 0, group = 0;
};
// From the texts of SUDO_UID and SUDO_GID; nobody unless both are numbers, and not root.
std::optional<invoking_user> invoking_user_of(const std::string& user, const std::string& group);

// For good: root becomes that user, or `nobody` unless `keep_user` (files are to be written where
// root may), all capabilities go, and no program that is run can bring new ones. A sentence says
// what was done; the error says what could not be.
std::expected<std::string, std::string> drop_privileges(std::optional<invoking_user> to,
                                                        bool keep_user);

}  // namespace nvmf::cli
