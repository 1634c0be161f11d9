// SPDX-License-Identifier: BSD-2-Clause
#include "privileges.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "wire/numbers.hpp"

namespace nvmf::cli {
namespace {

constexpr invoking_user nobody{65534, 65534};

std::unexpected<std::string> refused(std::string_view what) {
  return std::unexpected(
      fmt::format("privileges cannot be dropped: {}: {}", what, std::strerror(errno)));
}

std::string name_of(unsigned user) {
  const passwd* row = ::getpwuid(user);
  return row != nullptr ? row->pw_name : fmt::format("{}", user);
}

bool clear_capabilities() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> none{};
  return ::syscall(SYS_capset, &head, none.data()) == 0;
}

}  // namespace

std::optional<invoking_user> invoking_user_of(const std::string& user, const std::string& group) {
  const auto u = wire::parse_number(user, {}, {.min = 1, .max = 0xfffffffe});
  const auto g = wire::parse_number(group, {}, {.min = 1, .max = 0xfffffffe});
  if (!u || !g) return std::nullopt;
  return invoking_user{static_cast<unsigned>(*u), static_cast<unsigned>(*g)};
}

std::expected<std::string, std::string> drop_privileges(std::optional<invoking_user> to,
                                                        bool keep_user) {
  std::string who = fmt::format("as {}", name_of(::geteuid()));
  if (::geteuid() == 0 && (to || !keep_user)) {
    const invoking_user next = to.value_or(nobody);
    // A user namespace may have root alone.
    const bool changed = ::setgroups(0, nullptr) == 0 &&
                         ::setresgid(next.group, next.group, next.group) == 0 &&
                         ::setresuid(next.user, next.user, next.user) == 0;
    if (changed)
      who = fmt::format("as {}", name_of(next.user));
    else if (errno != EINVAL && errno != EPERM)
      return refused("setresuid");
  }
  if (!clear_capabilities()) return refused("capset");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("PR_SET_NO_NEW_PRIVS");
  return who + ", without capabilities";
}

}  // namespace nvmf::cli
