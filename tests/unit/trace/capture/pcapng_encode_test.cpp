// SPDX-License-Identifier: BSD-2-Clause
#include "trace/capture/pcapng_encode.hpp"

#include <doctest/doctest.h>

#include <string>

#include "support/packets.hpp"
#include "trace/capture/reader.hpp"

using namespace nvmf;
using namespace nvmf::test;

TEST_CASE("a section, an interface and a packet of pcapng, byte by byte") {
  octets file;
  trace::append_section(file, {.hardware = "cpu", .os = "", .application = "nvmfctl"});
  CHECK(file == hex("0a 0d 0d 0a  34 00 00 00  4d 3c 2b 1a  01 00 00 00  ff ff ff ff ff ff ff ff"
                    "02 00 03 00 63 70 75 00"              // shb_hardware
                    "04 00 07 00 6e 76 6d 66 63 74 6c 00"  // shb_userappl
                    "00 00 00 00  34 00 00 00"));
  file.clear();
  trace::append_interface(file, {.link = 113, .snap = 300, .description = "made"});
  CHECK(file == hex("01 00 00 00  28 00 00 00  71 00 00 00  2c 01 00 00"
                    "03 00 04 00 6d 61 64 65"  // if_description
                    "09 00 01 00 09 00 00 00"  // if_tsresol: nanoseconds
                    "00 00 00 00  28 00 00 00"));
  file.clear();
  const octets first = hex("01 02 03"), second = hex("04 05");
  const wire::byte_span rest[] = {second};
  const std::size_t at = trace::begin_packet(
      file,
      {.interface = 2, .ns = 0x0102030405060708, .first = first, .rest = rest, .wire_bytes = 9});
  trace::append_comment(file, "read");
  trace::append_comment(file, "ok");
  trace::end_packet(file, at, true);
  CHECK(file == hex("06 00 00 00  3c 00 00 00  02 00 00 00  04 03 02 01  08 07 06 05"
                    "05 00 00 00  09 00 00 00  01 02 03 04 05 00 00 00"
                    "01 00 04 00 72 65 61 64"  // opt_comment
                    "01 00 02 00 6f 6b 00 00"
                    "00 00 00 00  3c 00 00 00"));
  const std::size_t plain = trace::begin_packet(file, {.first = first, .wire_bytes = 3});
  trace::end_packet(file, plain, false);
  CHECK(octets(file.begin() + 60, file.end()) ==
        hex("06 00 00 00  24 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00"
            "03 00 00 00  03 00 00 00  01 02 03 00  24 00 00 00"));
}

TEST_CASE("long text of pcapng ends between characters, and an empty one is none") {
  octets file;
  trace::append_comment(file, "");
  CHECK(file.empty());
  // Two bytes each, behind one of one byte: the limit falls within a character.
  std::string text = "x";
  for (int i = 0; i < 40'000; ++i) text += "\xc3\xa4";
  trace::append_comment(file, text);
  CHECK(file.size() == 4 + 65'532);
  CHECK(wire::load_le(file, 2, 2) == 65'531);
  CHECK(file.back() == std::byte{0});
  CHECK(file[file.size() - 2] == std::byte{0xa4});
}

TEST_CASE("our reader reads what our writer wrote") {
  octets file;
  trace::append_section(file, {.application = "nvmfctl"});
  trace::append_interface(file, {.link = 1});
  trace::append_interface(file, {.link = 101, .snap = 64});
  for (unsigned i = 0; i < 9; ++i) {
    const octets data = filled(i, i);
    const std::size_t at = trace::begin_packet(file, {.interface = i % 2,
                                                      .ns = 1'700'000'000'123'456'789 + i,
                                                      .first = data,
                                                      .wire_bytes = i * 10});
    if (i % 3 == 0) trace::append_comment(file, std::string(i, 'c') + "c");
    trace::end_packet(file, at, i % 3 == 0);
  }
  trace::capture_reader reader;
  wire::byte_span left = file;
  trace::packet p;
  for (unsigned i = 0; i < 9; ++i) {
    REQUIRE(reader.next(left, p) == trace::capture_reader::step::packet);
    CHECK(p.at.ns == 1'700'000'000'123'456'789 + i);
    CHECK(octets(p.bytes.begin(), p.bytes.end()) == filled(i, i));
    CHECK(p.wire_bytes == i * 10);
    CHECK(p.link == (i % 2 == 0 ? 1 : 101));
  }
  CHECK(reader.next(left, p) == trace::capture_reader::step::more);
  CHECK_FALSE(reader.finish(left.size()));
}
