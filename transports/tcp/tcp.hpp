// SPDX-License-Identifier: BSD-2-Clause
// The public header, by the name that the other transports go by.
#pragma once

#include <nvmf/tcp.hpp>
