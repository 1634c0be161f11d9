// SPDX-License-Identifier: BSD-2-Clause
// The parts that explain.cpp puts together; each knows one region of the ways to fail.
#pragma once

#include "explain.hpp"
#include "wire/layout.hpp"

namespace nvmf::engine {

// Cause and advice; `out.what` is set already.
void explain_connection(const host_failure& why, const association_options& asked,
                        explanation& out);
void explain_exchange(const host_failure& why, const association_options& asked, explanation& out);
void explain_connect(const host_failure& why, const association_options& asked, explanation& out);

// Fills field and value from the byte `offset` of a structure; `bytes` may be empty.
void point_at(explanation& out, const wire::layout& structure, wire::byte_span bytes,
              std::uint64_t offset);
// The name of the field that covers the byte, without a path; empty beyond the structure.
std::string_view name_at(const wire::layout& structure, wire::byte_span bytes,
                         std::uint64_t offset);

// "4420 for I/O, 8009 for discovery": what to say of the port that was used; empty when it fits.
std::string port_hint(const association_options& asked);

}  // namespace nvmf::engine
