// SPDX-License-Identifier: BSD-2-Clause
#include "wire/names.hpp"

#include <doctest/doctest.h>

#include <set>

#include "wire/commands.hpp"

using namespace nvmf::wire;

TEST_CASE("a row is found by what people type") {
  for (std::string_view typed : {"keep-alive-timer", "keep_alive_timer", "Keep-Alive-Timer", "KATO",
                                 "0x0f", "15", "0Fh", "fh"}) {
    CAPTURE(typed);
    REQUIRE(find_row(features, typed) != nullptr);
    CHECK(find_row(features, typed)->value == 0x0f);
  }
  for (std::string_view typed : {"", "keep", "0xee", "-1", "4294967311", "h", "\xff"}) {
    CAPTURE(typed);
    CHECK(find_row(features, typed) == nullptr);
  }
  CHECK(find_name(features, "0x0f") == nullptr);
}

TEST_CASE("a value may be a name or any number of the field's width") {
  CHECK(parse_value(features, "number_of_queues", "fid", 0xff) == 7u);
  CHECK(parse_value(features, "0xee", "fid", 0xff) == 0xeeu);
  CHECK(parse_value(features, "EEh", "fid", 0xff) == 0xeeu);
  CHECK(to_text(parse_value(features, "300", "fid", 0xff).error()) ==
        "fid: 300 is more than 255 (0xff)");
  CHECK(to_text(parse_value(features, "numbr-of-queues", "fid", 0xff).error()) ==
        "fid: 'numbr-of-queues' is neither a feature nor a number; did you mean number-of-queues? "
        "(for example arbitration or 0x01)");
  // A name whose value does not fit the field is refused as well.
  CHECK_FALSE(parse_value(properties, "pmrcap", "x", 0xff));
}

TEST_CASE("flags may be joined, other values may not") {
  CHECK(parse_value(pdu_flags, "last-pdu,ddgst", "flags", 15) == 6u);
  CHECK(parse_value(pdu_flags, "hdgst|0x4", "flags", 15) == 5u);
  CHECK(parse_value(pdu_flags, "ddgst,", "flags", 15).error().position == 6);
  CHECK(parse_value(pdu_flags, "ddgst,nope", "flags", 15).error().position == 6);
  CHECK_FALSE(parse_value(features, "kato,aec", "fid", 0xff));
}

TEST_CASE("near names come best first, and far ones not at all") {
  const auto names = names_of(admin_opcodes);
  CHECK(nearest("identfy", names) == std::vector<std::string_view>{"identify"});
  CHECK(nearest("IDENTIFY_", names).front() == "identify");
  CHECK(nearest("gte-log-page", names).front() == "get-log-page");
  CHECK(nearest("log-page", names).front() == "get-log-page");
  CHECK(nearest("sanitise", names).front() == "sanitize");
  CHECK(nearest("qqqqqqqq", names).empty());
  CHECK(nearest("", names).empty());
  CHECK(nearest("x", names).empty());
  CHECK(nearest(std::string(100000, 'a'), names).empty());
  CHECK(nearest("get", names, 2).size() == 2);
  const std::string_view two[] = {"read", "redo"};
  CHECK(did_you_mean("reda", two) == "; did you mean read or redo?");
  CHECK(did_you_mean("zzz", two).empty());
  CHECK(did_you_mean("rexx", two).empty());  // half of it is wrong
}

TEST_CASE("a command is found in any set by name and short form") {
  CHECK(parse_command("identify")->opcode == 0x06);
  CHECK(parse_command("DSM")->opcode == 0x09);
  CHECK(parse_command("dsm")->set == command_set::nvm);
  CHECK(parse_command("aer")->opcode == 0x0c);
  CHECK(parse_command("format")->opcode == 0x80);
  CHECK(parse_command("Write_Zeroes")->opcode == 0x08);
  const auto connect = parse_command("connect");
  CHECK(connect->set == command_set::fabrics);
  CHECK(connect->opcode == 0x7f);
  CHECK(connect->fctype == 0x01);
}

TEST_CASE("any opcode can be said, reserved ones too, but not ambiguously") {
  const auto vendor = parse_command("admin:0xc1");
  REQUIRE(vendor);
  CHECK(vendor->opcode == 0xc1);
  CHECK(vendor->name.empty());
  CHECK(to_text(*vendor) == "admin:0xc1 (Vendor Specific)");
  CHECK(to_text(*parse_command("io:0x7b")) == "nvm:0x7b (Reserved)");
  CHECK(to_text(*parse_command("nvm:0x80")) == "nvm:0x80 (Vendor Specific)");
  CHECK(to_text(*parse_command("fabrics:2")) == "fabrics:0x02 (Reserved)");
  CHECK(to_text(*parse_command("NVM:2")) == "read (02h)");
  CHECK(to_text(*parse_command("fabrics:connect")) == "connect (7Fh/01h)");
  CHECK(to_text(parse_command("6").error()) ==
        "command: 0x06 could be an admin or an I/O command; say admin:0x06 or nvm:0x06 "
        "(for example identify, read or admin:0xc1)");
  CHECK(to_text(*parse_command("0x7e", command_set::admin)) == "admin:0x7e (Reserved)");
  CHECK(to_text(*parse_command("6", command_set::admin)) == "identify (06h)");
  REQUIRE(parse_command("02h", command_set::nvm));
  CHECK(to_text(*parse_command("02h", command_set::nvm)) == "read (02h)");
  CHECK(to_text(*parse_command("nvm:6", command_set::admin)) == "nvm:0x06 (Reserved)");
  CHECK(to_text(parse_command("0x100", command_set::admin).error()) ==
        "command: 0x100 is more than 255 (0xff) (for example identify, read or admin:0xc1)");
  CHECK(to_text(parse_command("idntify").error()) ==
        "command: 'idntify' is not a command; did you mean identify? "
        "(for example identify, read or admin:0xc1)");
  for (std::string_view bad :
       {"", ":", "admin:", "admin:256", "admin:x", "disk:1", "ah", "999", "\x1b[2J"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_command(bad));
  }
}

TEST_CASE("direction is in the low bits of the opcode") {
  CHECK(parse_command("read")->direction == data_transfer::controller_to_host);
  CHECK(parse_command("write")->direction == data_transfer::host_to_controller);
  CHECK(parse_command("flush")->direction == data_transfer::none);
  CHECK(parse_command("connect")->direction == data_transfer::host_to_controller);
  CHECK(parse_command("property-get")->direction == data_transfer::none);
  CHECK(parse_command("authentication-receive")->direction == data_transfer::controller_to_host);
  CHECK(command_of(command_set::admin, 0xff).direction == data_transfer::bidirectional);
}

TEST_CASE("opcode 7Fh is a Fabrics command on every queue") {
  CHECK(command_of_sqe(true, 0x7f, 0x04).name == "property-get");
  CHECK(command_of_sqe(false, 0x7f, 0x01).name == "connect");
  CHECK(command_of_sqe(true, 0x02, 0x01).name == "get-log-page");
  CHECK(command_of_sqe(false, 0x02, 0x01).name == "read");
}

TEST_CASE("a name means one command, whatever the set") {
  std::set<std::string_view> names;
  for (const table* t : {&admin_opcodes, &nvm_opcodes, &fabrics_types})
    for (std::string_view n : names_of(*t)) {
      CAPTURE(std::string(n));
      CHECK(names.insert(n).second);
    }
  CHECK(all_commands().size() ==
        admin_opcodes.rows.size() + nvm_opcodes.rows.size() + fabrics_types.rows.size());
}
