// SPDX-License-Identifier: BSD-2-Clause
// PDUs and notices in words: one line, and all fields.
#pragma once

#include <string>
#include <string_view>

#include "trace/conversation/listener.hpp"

namespace nvmf::cli {

// "c2h-data [last-pdu] cccid=0x1 datal=4096, digests ok"
std::string pdu_line(const trace::pdu& p);
// Of that, "[last-pdu] cccid=0x1 datal=4096": its flags, and its fields that are not zero.
std::string pdu_fields(const trace::pdu& p);
// Its fields and those of what it carries, and its bytes: lines with two blanks in front.
std::string pdu_details(const trace::pdu& p, const trace::command* of,
                        const trace::completion* done, bool bytes);
// "capsule-resp cid=0x5: its CID is not outstanding (frame 12)"
std::string notice_text(const trace::notice& n);
std::string notice_words(const trace::notice& n);  // without the frame

// "RDMA WRITE, 4096 bytes, key 0x1234 address 0x7f0012340000, 12.5 us"
std::string work_text(const trace::work& w);

// A name that a peer chose, without what a terminal would obey.
std::string shown_name(std::string_view name);
bool is_connect(const trace::command& c);

// "host 10.0.0.1:4000 controller 10.0.0.2:4420"; a loop has no addresses.
std::string ends_text(const trace::connection& c);
// "closed by the host": of a connection that its ends have closed.
std::string_view closed_words(const trace::connection& c);

}  // namespace nvmf::cli
