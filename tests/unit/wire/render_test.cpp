// SPDX-License-Identifier: BSD-2-Clause
#include "wire/render.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "wire/layouts/commands.hpp"
#include "wire/layouts/discovery.hpp"
#include "wire/layouts/fabrics.hpp"
#include "wire/layouts/forms.hpp"
#include "wire/layouts/identify.hpp"
#include "wire/layouts/logs.hpp"
#include "wire/layouts/pdu.hpp"

using namespace nvmf::wire;

namespace {

std::array<std::byte, 64> sample_connect() {
  std::array<std::byte, 64> sqe{};
  sqe[0] = std::byte{0x7f};
  sqe[1] = std::byte{0x40};
  sqe[4] = std::byte{0x01};
  store_le(sqe, 32, 4, 1024);
  sqe[39] = std::byte{0x01};
  store_le(sqe, 44, 2, 31);
  sqe[46] = std::byte{0x04};
  store_le(sqe, 48, 4, 5000);
  return sqe;
}

std::string plain(const layout& l, byte_span bytes, render_options options = {}) {
  options.titles = false;
  return render_text(l, bytes, options);
}

// Runs of blanks count as one: the width of columns is no one's contract.
bool has(const std::string& text, std::string_view part) {
  std::string squeezed;
  for (const char c : text)
    if (c != ' ' || !squeezed.ends_with(' ')) squeezed += c;
  const bool found = squeezed.find(part) != std::string::npos;
  if (!found) MESSAGE(text);
  return found;
}

// "path=value" of every value, with braces for what is begun and ended.
std::string walk_of(const layout& l, byte_span bytes) {
  std::string out;
  for_each_field(l, bytes, [&](const field_view& v) {
    switch (v.event) {
      case walk_event::value:
        out += std::string(v.path) + "=" + value_text(v) + " ";
        break;
      case walk_event::begin:
        out += "{ ";
        break;
      case walk_event::end:
        out += "} ";
        break;
      case walk_event::begin_bits:
        out += "< ";
        break;
      case walk_event::end_bits:
        out += "> ";
        break;
      case walk_event::begin_list:
        out += "[ ";
        break;
      case walk_event::end_list:
        out += "] ";
        break;
      case walk_event::truncated:
        out += "truncated@" + std::to_string(v.offset);
        break;
      case walk_event::rest:
        out += "rest@" + std::to_string(v.offset);
        break;
    }
    return true;
  });
  return out;
}

}  // namespace

TEST_CASE("a command is a line per field, with names, explained values and bits") {
  const std::string text = render_text(connect_command, sample_connect());
  CHECK(has(text, "opc 0x7f "));
  CHECK(has(text, "psdt 1 (sgl) "));
  CHECK(has(text, "fctype 0x1 (connect) "));
  CHECK(has(text, "sqsize 31 (0's based: 32)"));
  CHECK(has(text, "cattr 0x4 "));
  CHECK(has(text, " nosqfc 1 "));
  CHECK(has(text, "kato 5000 "));
  CHECK(has(text, " length 1024 "));
  CHECK(has(text, "Keep Alive Timeout, ms; 0 is none\n"));
  CHECK_FALSE(text.find("rsvd") != std::string::npos);
  CHECK_FALSE(text.find("indqd") != std::string::npos);
}

TEST_CASE("columns line up, the caret stands under the name") {
  const std::array<std::byte, 8> ch{std::byte{7}, std::byte{0x04}, std::byte{24}, std::byte{0},
                                    std::byte{40}};
  CHECK(render_text(pdu_common, ch, {.indent = 2, .at = caret{2, "72 is wanted"}}) ==
        "  type   0x7 (c2h-data)  PDU Type\n"
        "  flags  0x4 (last-pdu)  Flags\n"
        "  hlen   24              Header Length\n"
        "  ^^^^ byte 2: 72 is wanted\n"
        "  pdo    0               PDU Data Offset\n"
        "  plen   40              PDU Length\n");
}

TEST_CASE("zero fields, bits and list elements are shown as asked") {
  const auto sqe = sample_connect();
  CHECK(has(plain(connect_command, sqe), "qid "));
  CHECK(plain(connect_command, sqe, {.zero = zeros::hide}).find("qid ") == std::string::npos);
  CHECK(has(plain(connect_command, sqe, {.zero = zeros::show}), "indqd "));
  const std::vector<std::byte> controller(4096);
  CHECK(plain(identify_controller, controller).find("psd[0]") == std::string::npos);
  CHECK(has(plain(identify_controller, controller, {.zero = zeros::show}), "psd[31]"));
}

TEST_CASE("reserved bytes are shown when they are not zero") {
  auto sqe = sample_connect();
  sqe[47] = std::byte{0xaa};
  sqe[60] = std::byte{0xbb};
  const std::string text = render_text(connect_command, sqe, {.zero = zeros::hide});
  CHECK(has(text, "rsvd 0xaa"));
  CHECK(has(text, "00 00 00 00 00 00 00 00 bb 00 00 00"));
  CHECK(has(text, "Reserved, not zero"));
}

TEST_CASE("a caret points at the field that a byte offset names") {
  const auto sqe = sample_connect();
  const std::string text =
      plain(connect_command, sqe, {.at = caret{.offset = 45, .note = "more than 16"}});
  CHECK(has(text, "sqsize 31 (0's based: 32)\n^^^^^^ byte 45: more than 16\n"));
  CHECK(has(plain(connect_command, sqe, {.zero = zeros::hide, .at = caret{40, ""}}),
            "recfmt 0\n^^^^^^ byte 40\n"));
  CHECK(has(plain(connect_command, sqe, {.zero = zeros::hide, .at = caret{55, ""}}),
            "^^^^ byte 55\n"));
  CHECK(has(plain(connect_command, sqe, {.at = caret{33, ""}}), " length 1024\n ^^^^^^ byte 33\n"));
  CHECK(has(plain(connect_command, sqe, {.at = caret{64, "odd"}}),
            "^ byte 64 is beyond the structure: odd\n"));
}

TEST_CASE("a byte is in the innermost field, whatever lies within by its bytes") {
  CHECK(field_at(connect_command, 44)->path == "sqsize");
  CHECK(field_at(connect_command, 45)->path == "sqsize");
  CHECK(field_at(connect_command, 46)->path == "cattr");
  CHECK(field_at(connect_data, 511)->path == "subnqn");
  CHECK(field_at(connect_data, 511)->offset == 256);
  CHECK(field_at(identify_controller, 2048 + 32 * 3)->path == "psd[3].mp");
  CHECK(field_at(identify_controller, 2048 + 32 * 3)->structure == 2048 + 32 * 3);
  auto sqe = sample_connect();
  CHECK(field_at(connect_command, 35, sqe)->path == "sgl1.length");
  sqe[39] = std::byte{0x40};
  CHECK(field_at(connect_command, 35, sqe)->path == "sgl1.key");
  CHECK(field_at(pdu_r2t, 1)->path == "flags");
  CHECK_FALSE(field_at(connect_command, 64).has_value());
  CHECK_FALSE(field_at(ana_log, 16).has_value());
  const std::vector<std::byte> ana(16 + 32);
  CHECK(field_at(ana_log, 32, ana)->path == "group[0].ana_state");
}

TEST_CASE("a field is found by its path, or by its end when that is unambiguous") {
  CHECK(find_field(connect_command, "cattr")->path == "cattr");
  CHECK(find_field(connect_command, "cattr.nosqfc")->path == "cattr.nosqfc");
  CHECK(find_field(connect_command, "nosqfc")->path == "cattr.nosqfc");
  CHECK_FALSE(find_field(connect_command, "attr").has_value());
  CHECK_FALSE(find_field(connect_command, "rsvd").has_value());
  CHECK(find_field(identify_controller, "psd[3].mp")->offset == 2048 + 96);
  CHECK_FALSE(find_field(identify_controller, "mp").has_value());
  CHECK(find_field(identify_controller, "sgls.keyed")->path == "sgls.keyed");
  std::array<std::byte, 64> sqe{};
  CHECK_FALSE(find_field(set_features_command, "nsqr", sqe).has_value());
  sqe[40] = std::byte{7};
  CHECK(find_field(set_features_command, "nsqr", sqe)->path == "cdw11.nsqr");
}

TEST_CASE("values say what they are") {
  std::array<std::byte, 16> cqe{};
  store_le(cqe, 14, 2, 0x182u << 1);
  CHECK(has(plain(fabrics_response, cqe), "sc 130 (connect-invalid-parameters)"));
  CHECK(has(plain(fabrics_response, cqe), "sct 1 (command-specific)"));
  std::array<std::byte, 16> event{};
  event[0] = std::byte{2};
  event[2] = std::byte{4};
  CHECK(has(plain(async_event_response, event), "aet 2 (notice)"));
  std::array<std::byte, 8> ch{std::byte{6}, std::byte{0x85}, std::byte{24}};
  CHECK(has(plain(pdu_common, ch), "type 0x6 (h2c-data)"));
  CHECK(has(plain(pdu_common, ch), "flags 0x85 (hdgst | last-pdu | 0x80)"));
  std::vector<std::byte> smart(512);
  store_le(smart, 32, 8, 1);
  store_le(smart, 40, 8, 1);
  CHECK(has(plain(smart_log, smart), "dur 18446744073709551617"));
}

TEST_CASE("text of the peer cannot play with the terminal") {
  std::vector<std::byte> entry(1024);
  entry[0] = std::byte{3};
  std::memcpy(entry.data() + 32, "4420   ", 7);
  std::memcpy(entry.data() + 256, "nqn.\x1b[2J\"x", 10);
  entry[300] = std::byte{'j'};
  std::memset(entry.data() + 512, 'a', 256);
  const std::string text = plain(discovery_entry, entry);
  CHECK(has(text, "trsvcid \"4420\"\n"));
  CHECK(has(text, "\"nqn.\\x1b[2J\\\"x\" (bytes after the NUL are not zero)"));
  CHECK(has(text, "trtype 3 (tcp)"));
}

TEST_CASE("a structure cut short says so and shows what is there") {
  const auto sqe = sample_connect();
  CHECK(has(plain(connect_command, byte_span{sqe}.first(45)), "qid 0\ntruncated after byte 45"));
  CHECK(has(plain(connect_command, {}), "truncated after byte 0\n"));
  std::vector<std::byte> data(1024);
  std::memcpy(data.data() + 256, "nqn.2014-08.org", 15);
  CHECK(has(plain(connect_data, byte_span{data}.first(264)),
            "subnqn \"nqn.2014\" (no NUL at the end)\ntruncated after byte 264\n"));
  CHECK(has(plain(pdu_common, sqe), "56 more bytes follow the structure\n"));
}

TEST_CASE("lists end with the bytes, and a count of the peer reads nothing beyond them") {
  std::vector<std::byte> ana(16 + 36);
  store_le(ana, 16, 4, 7);           // AGID
  store_le(ana, 20, 4, 0xffffffff);  // so many namespaces
  store_le(ana, 48, 4, 9);           // one is there
  CHECK(has(walk_of(ana_log, ana), "group[0].nsid[0]=0x9 ] } ] truncated@52"));
  store_le(ana, 20, 4, 1);
  CHECK(has(walk_of(ana_log, ana), "group[0].nsid[0]=0x9 ] } ] "));
  CHECK(walk_of(ana_log, ana).find("truncated") == std::string::npos);

  const std::byte descriptors[] = {std::byte{4}, std::byte{1}, std::byte{0}, std::byte{0},
                                   std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}};
  CHECK(walk_of(namespace_id_descriptor_list, descriptors) ==
        "[ { descriptor[0].nidt=4 (csi) descriptor[0].nidl=1 descriptor[0].rsvd=0x0 "
        "descriptor[0].nid=02 } ] ");
}

TEST_CASE("hexdump folds lines that repeat") {
  std::vector<std::byte> b(80, std::byte{0});
  b[0] = std::byte{'A'};
  CHECK(hexdump(b, 0x100) ==
        "00000100  41 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |A...............|\n"
        "00000110  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
        "*\n"
        "00000140  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
        "00000150\n");
  CHECK(hexdump(byte_span{b}.first(3)) ==
        "00000000  41 00 00                                          |A..|\n00000003\n");
  CHECK(hexdump({}).empty());
}

TEST_CASE("a layout describes itself") {
  const std::string text = render_layout(connect_command);
  CHECK(has(text, "connect: Connect command (Base 6.3)\n64 bytes\n"));
  CHECK(has(text, " 44-45 sqsize Submission Queue Size"));
  CHECK(has(text, " 46 2 nosqfc Disable SQ Flow Control"));
  CHECK(has(text, " 24-39 sgl1 SGL Entry 1 [sgl]"));
  CHECK(has(text, "[fabrics-type]"));
  CHECK(has(render_layout(ana_log), "16 bytes and what follows\n"));
  CHECK(has(render_layout(ana_log), " 16- group[]"));
  CHECK(has(render_layout(identify_controller), " 2048-3071 psd[32]"));
}

TEST_CASE("every layout renders at every length, and any bytes at all") {
  for (const layout* l : all_layouts()) {
    CAPTURE(l->name);
    CHECK(render_layout(*l).size() > l->title.size());
    std::vector<std::byte> bytes(l->size + 80);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 37 + 11);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      const byte_span some = byte_span{bytes}.first(n);
      // Lists of thousands of elements are entered at some of the lengths only.
      const bool lists = n < 128 || n % 97 == 0;
      bool truncated = false;
      bool all_have_text = true;
      for_each_field(*l, some, [&](const field_view& v) {
        truncated = truncated || v.event == walk_event::truncated;
        if (lists && v.event == walk_event::value) all_have_text &= !value_text(v).empty();
        return lists || v.event != walk_event::begin_list;
      });
      CHECK(all_have_text);
      CHECK((truncated || n >= l->size));
      if (lists) field_at(*l, n, some);
    }
    CHECK_FALSE(
        render_text(*l, bytes, {.zero = zeros::show, .at = caret{l->size / 2, "x"}}).empty());
  }
}
