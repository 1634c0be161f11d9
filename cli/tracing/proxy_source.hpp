// SPDX-License-Identifier: BSD-2-Clause
// `trace --proxy`: traffic from a proxy between hosts and their target, until an interrupt.
#pragma once

#include <string>
#include <vector>

#include "command.hpp"
#include "proxy/proxy.hpp"
#include "tracing/outputs.hpp"

namespace nvmf::cli {

void add_proxy_options(option_table& table, proxy::proxy_options& into);

// `command` is run as soon as the proxy listens, and its end is the proxy's; empty: none.
result trace_proxy(context& ctx, const proxy::proxy_options& how, std::vector<std::string> command,
                   outputs& out);

}  // namespace nvmf::cli
