// SPDX-License-Identifier: BSD-2-Clause
// Memory as it is typed: parts of buffers, and what they are filled with.
#pragma once

#include "arguments.hpp"
#include "wire/layout.hpp"
#include "workbench.hpp"

namespace nvmf::cli::repl {

// zero, seq, lba, 0xNN, random:SEED, file:PATH, hex:BYTES.
done fill_pattern(std::span<std::byte> to, const word& how);

// Each word is FIELD=VALUE of a structure of forms[0] (wire/encode.hpp). On error nothing is
// written.
done write_fields(std::span<const wire::layout* const> forms, std::span<std::byte> to,
                  const std::vector<word>& fields);

// "b1", "b1[512,100]", or "b1[512]": from there to the end.
std::expected<memory_object::piece, complaint> piece_of(const workbench& bench, const word& w);

// Pieces in order, as an object of that name.
std::expected<std::shared_ptr<memory_object>, complaint> memory_of(const workbench& bench,
                                                                   std::string name,
                                                                   const std::vector<word>& words);

// The name of a memdesc, or pieces. `column`: of the place where they are missing.
std::expected<std::shared_ptr<memory_object>, complaint> take_memory(const workbench& bench,
                                                                     const std::vector<word>& words,
                                                                     std::size_t column);

}  // namespace nvmf::cli::repl
