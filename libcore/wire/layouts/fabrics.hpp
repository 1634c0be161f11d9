// SPDX-License-Identifier: BSD-2-Clause
// The fabrics commands (Base 2.0, 6): submission queue entries, completion queue entries and the
// data of Connect. Byte 1 is shown as PSDT: the section calls all of it reserved, 4.1.2 and every
// host in the field set PSDT there as in any other command.
#pragma once

#include "../tables.hpp"
#include "build.hpp"
#include "entries.hpp"
#include "properties.hpp"

namespace nvmf::wire {

namespace fabrics_parts {
using namespace build;

inline constexpr std::array cattr_bits{
    named(bits("prio", 0, 1, 0, 2, "Priority Class"), priority_classes),
    bits("nosqfc", 0, 1, 2, 1, "Disable SQ Flow Control"),
    bits("indqd", 0, 1, 3, 1, "Individual I/O Queue Deletion Support"),
    rsvd_bits(0, 1, 4, 4),
};
inline constexpr std::array attrib_bits{
    named(bits("size", 0, 1, 0, 3, "Property Size"), property_sizes),
    rsvd_bits(0, 1, 3, 5),
};
inline constexpr std::array authreq_bits{
    rsvd_bits(0, 2, 0, 1),
    bits("atr", 0, 2, 1, 1, "Authentication Transaction Required"),
    bits("ascr", 0, 2, 2, 1, "Authentication and Secure Channel Required"),
    rsvd_bits(0, 2, 3, 13),
};
inline constexpr std::array iattr_bits{
    named(bits("data", 0, 1, 0, 1, "Invalid Parameter Start"), iattr_values),
    rsvd_bits(0, 1, 1, 7),
};
}  // namespace fabrics_parts

inline constexpr layout cattr_layout{"cattr", "Connect Attributes", "Base 6.3", 1,
                                     fabrics_parts::cattr_bits};
inline constexpr layout attrib_layout{"attrib", "Property Attributes", "Base 6.5", 1,
                                      fabrics_parts::attrib_bits};
inline constexpr layout authreq_layout{"authreq", "Authentication and Security Requirements",
                                       "Base 6.3", 2, fabrics_parts::authreq_bits};
inline constexpr layout iattr_layout{"iattr", "Invalid Attributes", "Base 6.3", 1,
                                     fabrics_parts::iattr_bits};

namespace fabrics_parts {
inline constexpr auto head = join(std::array{
    hex("opc", 0, 1, "Opcode, 7Fh"),
    rsvd_bits(1, 1, 0, 6),
    named(bits("psdt", 1, 1, 6, 2, "PRP or SGL for Data Transfer", "Base 3.3.3.1"), psdt_values),
    hex("cid", 2, 2, "Command Identifier"),
    named(hex("fctype", 4, 1, "Fabrics Command Type"), fabrics_types),
});
// Commands with data carry an SGL at its usual place, the others leave it reserved.
inline constexpr auto with_sgl = join(head, std::array{rsvd(5, 19)}, entry_parts::sqe_sgl1);
inline constexpr auto without_sgl = join(head, std::array{rsvd(5, 35)});

inline constexpr auto command = join(with_sgl, std::array{rsvd(40, 24)});
inline constexpr auto connect =
    join(with_sgl, std::array{
                       num("recfmt", 40, 2, "Record Format, 0"),
                       num("qid", 42, 2, "Queue ID, 0 is the Admin Queue"),
                       zero_based(num("sqsize", 44, 2, "Submission Queue Size, 0's based")),
                       with_bits(hex("cattr", 46, 1, "Connect Attributes"), cattr_layout),
                       rsvd(47, 1),
                       num("kato", 48, 4, "Keep Alive Timeout, ms; 0 is none"),
                       rsvd(52, 12),
                   });
inline constexpr auto property_get =
    join(without_sgl, std::array{
                          with_bits(hex("attrib", 40, 1, "Attributes"), attrib_layout),
                          rsvd(41, 3),
                          named(hex("ofst", 44, 4, "Property Offset"), properties),
                          rsvd(48, 16),
                      });
constexpr const layout* property_of_sqe(byte_span sqe) {
  return sqe.size() >= 48 ? property_layout(static_cast<std::uint32_t>(load_le(sqe, 44, 4)))
                          : nullptr;
}
inline constexpr auto property_set =
    join(without_sgl,
         std::array{
             with_bits(hex("attrib", 40, 1, "Attributes"), attrib_layout),
             rsvd(41, 3),
             named(hex("ofst", 44, 4, "Property Offset"), properties),
             with_bits_as(hex("value", 48, 8, "Value; a 4-byte property takes the lower half"),
                          property_of_sqe),
             rsvd(56, 8),
         });
inline constexpr auto disconnect = join(without_sgl, std::array{
                                                         num("recfmt", 40, 2, "Record Format, 0"),
                                                         rsvd(42, 22),
                                                     });
inline constexpr std::array security_protocol{
    rsvd(40, 1),
    hex("spsp0", 41, 1, "SP Specific 0"),
    hex("spsp1", 42, 1, "SP Specific 1"),
    hex("secp", 43, 1, "Security Protocol"),
};
inline constexpr auto auth_send = join(with_sgl, security_protocol,
                                       std::array{
                                           num("tl", 44, 4, "Transfer Length, bytes"),
                                           rsvd(48, 16),
                                       });
inline constexpr auto auth_receive = join(with_sgl, security_protocol,
                                          std::array{
                                              num("al", 44, 4, "Allocation Length, bytes"),
                                              rsvd(48, 16),
                                          });
inline constexpr std::array connect_data{
    bytes("hostid", 0, 16, kind::uuid, "Host Identifier"),
    hex("cntlid", 16, 2, "Controller ID; FFFFh asks for any, FFFEh for any static one"),
    rsvd(18, 238),
    bytes("subnqn", 256, 256, kind::text, "NVM Subsystem NQN"),
    bytes("hostnqn", 512, 256, kind::text, "Host NQN"),
    rsvd(768, 256),
};
inline constexpr auto connect_response = join(
    std::array{
        hex("cntlid", 0, 2, "Controller ID"),
        with_bits(hex("authreq", 2, 2, "Authentication and Security Requirements"), authreq_layout),
        rsvd(4, 4),
    },
    entry_parts::fabrics_cqe_tail);
inline constexpr auto connect_invalid = join(
    std::array{
        num("ipo", 0, 2, "Invalid Parameter Offset, bytes"),
        with_bits(hex("iattr", 2, 1, "Invalid Attributes"), iattr_layout),
        rsvd(3, 5),
    },
    entry_parts::fabrics_cqe_tail);
inline constexpr auto property_response = join(
    std::array{
        hex("value", 0, 8, "Value; a 4-byte property is in the lower half"),
    },
    entry_parts::fabrics_cqe_tail);
inline constexpr auto empty_response = join(std::array{rsvd(0, 8)}, entry_parts::fabrics_cqe_tail);
}  // namespace fabrics_parts

// Of an FCTYPE that has no form of its own.
inline constexpr layout fabrics_command{"fabrics-command", "Fabrics command", "Base 6", 64,
                                        fabrics_parts::command};
inline constexpr layout connect_command{"connect", "Connect command", "Base 6.3", 64,
                                        fabrics_parts::connect};
inline constexpr layout property_get_command{"property-get", "Property Get command", "Base 6.5", 64,
                                             fabrics_parts::property_get};
inline constexpr layout property_set_command{"property-set", "Property Set command", "Base 6.6", 64,
                                             fabrics_parts::property_set};
inline constexpr layout disconnect_command{"disconnect", "Disconnect command", "Base 6.4", 64,
                                           fabrics_parts::disconnect};
inline constexpr layout auth_send_command{"authentication-send", "Authentication Send command",
                                          "Base 6.2", 64, fabrics_parts::auth_send};
inline constexpr layout auth_receive_command{"authentication-receive",
                                             "Authentication Receive command", "Base 6.1", 64,
                                             fabrics_parts::auth_receive};

inline constexpr layout connect_data{"connect-data", "Connect command data", "Base 6.3", 1024,
                                     fabrics_parts::connect_data};

// Connect succeeded; and: Connect failed with Connect Invalid Parameters.
inline constexpr layout connect_response{"connect-response", "Connect response, success",
                                         "Base 6.3", 16, fabrics_parts::connect_response};
inline constexpr layout connect_invalid_response{"connect-invalid-response",
                                                 "Connect response, Connect Invalid Parameters",
                                                 "Base 6.3", 16, fabrics_parts::connect_invalid};
inline constexpr layout property_get_response{"property-get-response", "Property Get response",
                                              "Base 6.5", 16, fabrics_parts::property_response};
// Property Set, Disconnect, Authentication Send and Receive answer with a status alone.
inline constexpr layout fabrics_response{"fabrics-response", "Fabrics response without a value",
                                         "Base 6", 16, fabrics_parts::empty_response};

static_assert(complete(cattr_layout) && complete(attrib_layout));
static_assert(complete(authreq_layout) && complete(iattr_layout));
static_assert(complete(fabrics_command) && complete(connect_command) &&
              complete(disconnect_command));
static_assert(complete(property_get_command) && complete(property_set_command));
static_assert(complete(auth_send_command) && complete(auth_receive_command));
static_assert(complete(connect_data) && complete(connect_response));
static_assert(complete(connect_invalid_response) && complete(property_get_response));
static_assert(complete(fabrics_response));

}  // namespace nvmf::wire
