// SPDX-License-Identifier: BSD-2-Clause
// Structures from text: "slba=0x1000", "fid=number-of-queues", "cattr.nosqfc=1", "subnqn=nqn...".
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "layout.hpp"
#include "text_error.hpp"

namespace nvmf::wire {

// Writes "name=value" into `bytes`, which hold a structure of `forms[0]` (and are at least of its
// size). The name is looked up in each form in turn: the fields of the command first, then for
// instance those of `sqe`, so that cdw12=0x1234 works as well. The value:
//   number   decimal, 0x..., with K, M, G (1024); or a name of the field's table, flags joined by |
//   ascii    text, padded with blanks         text   text, with a NUL at the end
//   uuid     8-4-4-4-12                       raw    pairs of hexadecimal digits, the rest is zero
//   nested   hexadecimal digits for all of it ("sgl1=0010...")
// Numbers are raw: 0's based where the field is. A word with named bits may be set whole or bit by
// bit, "cattr.nosqfc=1" or "nosqfc=1". On error nothing is written.
std::expected<void, text_error> encode_field(std::span<const layout* const> forms,
                                             mutable_byte_span bytes, std::string_view assignment);

// All of them. What tells the meaning of other fields (fid for cdw11's bits) is written first,
// wherever it stands. The error's position counts from the start of its assignment, `which` (if not
// null) becomes the index of that. On error `bytes` may have been written in part.
std::expected<void, text_error> encode_fields(std::span<const layout* const> forms,
                                              mutable_byte_span bytes,
                                              std::span<const std::string> assignments,
                                              std::size_t* which = nullptr);

// The names that encode_field takes, "cattr" and "cattr.nosqfc" both, without reserved fields; for
// completion and near names.
std::vector<std::string> field_names(const layout& form, byte_span bytes = {});

}  // namespace nvmf::wire
