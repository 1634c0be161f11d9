// SPDX-License-Identifier: BSD-2-Clause
// Who the host says it is. NQN and host identifier belong together: a controller may refuse a known
// identifier that comes with another NQN, so the default of one follows the other.
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <string>

namespace nvmf::cli {

struct host_identity {
  std::string nqn;
  std::array<std::byte, 16> id{};
  std::string source;  // where the NQN comes from: "/etc/nvme/hostnqn", "option --hostnqn"
};

// The files that are asked; others in tests.
struct identity_files {
  std::string hostnqn = "/etc/nvme/hostnqn";
  std::string hostid = "/etc/nvme/hostid";
  std::string machine_id = "/etc/machine-id";
};

// `nqn` and `id` are what the person gave, or empty. The NQN is the first of: what was given;
// hostnqn; the UUID form with a UUID (version 5) made from machine-id, the same at every run and
// not to be turned back into it; one made up for this run. The identifier is the first of: what was
// given; hostid, when the NQN is from hostnqn; the NQN's UUID; a UUID (version 5) of the NQN.
// The error says what is wrong and where it stands.
std::expected<host_identity, std::string> make_identity(const std::string& nqn,
                                                        const std::string& id,
                                                        const identity_files& files = {});

}  // namespace nvmf::cli
