// SPDX-License-Identifier: BSD-2-Clause
// The first eight bytes of every PDU type, each field broken in turn: which FES and FEI come of it.
#include "tcp/session/pdu_check.hpp"
#include "script.hpp"

using namespace nvmf;
using namespace nvmf::test;
using tcp::check_common;
using tcp::receive_rules;

namespace {

constexpr std::uint64_t KiB = 1024;

std::expected<tcp::pdu_shape, protocol_error> check(std::string_view text,
                                                    const receive_rules& rules) {
  const octets b = hex(text);
  REQUIRE(b.size() == 8);
  return check_common(std::span<const std::byte, 8>{b.data(), 8}, rules);
}

// FES and FEI as one number for short tables: FES << 32 | FEI. 0: good.
std::uint64_t verdict(std::string_view text, const receive_rules& rules) {
  const auto r = check(text, rules);
  if (r.has_value()) return 0;
  CHECK_FALSE(r.error().reason.empty());
  CHECK_FALSE(r.error().structure.empty());
  return std::uint64_t{r.error().fes} << 32 | r.error().fei;
}
constexpr std::uint64_t field(unsigned fei) { return std::uint64_t{1} << 32 | fei; }
constexpr std::uint64_t only(unsigned fes) { return std::uint64_t{fes} << 32; }

const receive_rules controller{
    .side = role::controller, .alignment = 4, .max_in_capsule = 8 * KiB, .max_data = 128 * KiB};
const receive_rules host{.side = role::host, .alignment = 4, .max_data = 1024 * KiB};

receive_rules with_digests(receive_rules r) {
  r.header_digest = r.data_digest = true;
  return r;
}

}  // namespace

TEST_CASE("well formed headers of every type, and the parts they announce") {
  auto s = check("04 00 48 00 48 00 00 00", controller);  // command without data
  REQUIRE(s.has_value());
  CHECK(s->header == 72);
  CHECK(s->data == 0);
  s = check("04 00 48 48 48 10 00 00", controller);  // 4096 bytes in the capsule
  REQUIRE(s.has_value());
  CHECK(s->data == 4096);
  CHECK(s->padding == 0);
  s = check("04 00 48 80 80 10 00 00", controller);  // the same behind padding
  REQUIRE(s.has_value());
  CHECK(s->padding == 56);
  CHECK(s->data == 4096);
  s = check("06 04 18 18 18 00 02 00", controller);  // H2CData of MAXH2CDATA, last
  REQUIRE(s.has_value());
  CHECK(s->data == 128 * KiB);
  CHECK(s->last());
  CHECK(verdict("02 00 18 00 18 00 00 00", controller) == 0);  // TermReq, shortest
  CHECK(verdict("02 00 18 00 98 00 00 00", controller) == 0);  // and longest
  CHECK(verdict("05 00 18 00 18 00 00 00", host) == 0);
  CHECK(verdict("07 0c 18 18 18 10 00 00", host) == 0);
  CHECK(verdict("09 00 18 00 18 00 00 00", host) == 0);
  CHECK(verdict("03 00 18 00 98 00 00 00", host) == 0);

  s = check("04 03 48 4c 50 10 00 00", with_digests(controller));
  REQUIRE(s.has_value());
  CHECK(s->header_digest == 4);
  CHECK(s->data_digest == 4);
  CHECK(s->data == 4096);
  CHECK(verdict("05 01 18 00 1c 00 00 00", with_digests(host)) == 0);
}

TEST_CASE("type: unknown, of the wrong direction, IC on a live connection") {
  for (const char* t : {"08", "0a", "0b", "47", "ff"}) {
    CHECK(verdict(std::string(t) + " 00 18 00 18 00 00 00", controller) == field(0));
    CHECK(verdict(std::string(t) + " 00 18 00 18 00 00 00", host) == field(0));
  }
  for (const char* t : {"01", "03", "05", "07", "09"})
    CHECK(verdict(std::string(t) + " 00 18 00 18 00 00 00", controller) == field(0));
  for (const char* t : {"00", "02", "04", "06"})
    CHECK(verdict(std::string(t) + " 00 18 00 18 00 00 00", host) == field(0));
  CHECK(verdict("00 00 80 00 80 00 00 00", controller) == only(2));
  CHECK(verdict("01 00 80 00 80 00 00 00", host) == only(2));
}

TEST_CASE("flags: every bit that a type does not have") {
  const auto all = [](std::string_view before, std::string_view after, unsigned allowed,
                      const receive_rules& rules) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      const unsigned flags = 1u << bit;
      if ((allowed & flags) != 0) continue;
      CAPTURE(bit);
      octets b = hex(before) + le(flags, 1) + hex(after);
      const auto r = check_common(std::span<const std::byte, 8>{b.data(), 8}, rules);
      REQUIRE_FALSE(r.has_value());
      CHECK(r.error().fes == 1);
      CHECK(r.error().fei == 1);
    }
  };
  all("02", "18 00 18 00 00 00", 0, controller);
  all("04", "48 00 48 00 00 00", 0, controller);
  all("06", "18 18 1c 00 00 00", 4, controller);
  all("03", "18 00 18 00 00 00", 0, host);
  all("05", "18 00 18 00 00 00", 0, host);
  all("07", "18 18 1c 00 00 00", 4, host);  // SUCCESS alone is an error too
  all("09", "18 00 18 00 00 00", 0, host);
}

TEST_CASE("flags: digests exactly when they were agreed") {
  const auto c = with_digests(controller);
  const auto h = with_digests(host);
  CHECK(verdict("04 00 48 00 4c 00 00 00", c) == field(1));  // header digest missing
  CHECK(verdict("04 01 48 4c 50 10 00 00", c) == field(1));  // data digest missing
  CHECK(verdict("04 01 48 00 4c 00 00 00", c) == 0);         // no data, no data digest: good
  CHECK(verdict("06 01 18 1c 24 00 00 00", c) == field(1));
  CHECK(verdict("05 00 18 00 18 00 00 00", h) == field(1));
  CHECK(verdict("07 02 18 1c 24 00 00 00", h) == field(1));
  CHECK(verdict("09 00 18 00 18 00 00 00", h) == field(1));
  // One of the two agreed on.
  receive_rules only_data = controller;
  only_data.data_digest = true;
  CHECK(verdict("04 02 48 48 50 00 00 00", only_data) == 0);
  CHECK(verdict("04 03 48 4c 54 00 00 00", only_data) == field(1));
  // A TermReq has none.
  CHECK(verdict("02 00 18 00 18 00 00 00", c) == 0);
  CHECK(verdict("02 01 18 00 1c 00 00 00", c) == field(1));
}

TEST_CASE("HLEN one off for every type") {
  for (const char* hlen : {"17", "19", "00", "ff"}) {
    const std::string h(hlen);
    CHECK(verdict("02 00 " + h + " 00 18 00 00 00", controller) == field(2));
    CHECK(verdict("06 00 " + h + " 18 1c 00 00 00", controller) == field(2));
    CHECK(verdict("03 00 " + h + " 00 18 00 00 00", host) == field(2));
    CHECK(verdict("05 00 " + h + " 00 18 00 00 00", host) == field(2));
    CHECK(verdict("07 00 " + h + " 18 1c 00 00 00", host) == field(2));
    CHECK(verdict("09 00 " + h + " 00 18 00 00 00", host) == field(2));
  }
  for (const char* hlen : {"47", "49", "18"})
    CHECK(verdict(std::string("04 00 ") + hlen + " 00 48 00 00 00", controller) == field(2));
}

TEST_CASE("PDO: within the header, beyond the PDU, misaligned, where there is no data") {
  CHECK(verdict("04 00 48 44 48 10 00 00", controller) == field(3));  // within the header
  CHECK(verdict("04 00 48 fc 80 00 00 00", controller) == field(3));  // beyond the PDU
  CHECK(verdict("04 00 48 4c 4c 00 00 00", controller) == field(3));  // padding, and no data
  CHECK(verdict("04 03 48 50 50 00 00 00", with_digests(controller)) == field(3));
  CHECK(verdict("04 00 48 48 48 00 00 00", controller) == 0);         // right behind the header
  CHECK(verdict("04 00 48 4a 4a 10 00 00", controller) == field(3));  // not a multiple of 4
  CHECK(verdict("04 00 48 00 48 10 00 00", controller) == field(3));  // data but no PDO
  receive_rules wide = controller;
  wide.alignment = 128;
  CHECK(verdict("04 00 48 48 48 10 00 00", wide) == field(3));
  CHECK(verdict("04 00 48 80 80 10 00 00", wide) == 0);
  CHECK(verdict("04 03 48 48 50 10 00 00", with_digests(controller)) == field(3));  // in the digest
  CHECK(verdict("06 00 18 14 1c 00 00 00", controller) == field(3));
  CHECK(verdict("07 00 18 14 1c 00 00 00", host) == field(3));
  for (const auto& [type, rules, narrow] :
       {std::tuple{"06", controller, wide},
        std::tuple{"07", host, receive_rules{.side = role::host, .alignment = 128}}}) {
    const std::string t(type);
    CHECK(verdict(t + " 00 18 20 1c 00 00 00", rules) == field(3));  // beyond the PDU
    CHECK(verdict(t + " 00 18 1a 20 00 00 00", rules) == field(3));  // not a multiple of 4
    CHECK(verdict(t + " 00 18 00 1c 00 00 00", rules) == field(3));  // data but no PDO
    CHECK(verdict(t + " 00 18 40 44 00 00 00", narrow) == field(3));
    CHECK(verdict(t + " 03 18 18 24 00 00 00", with_digests(rules)) == field(3));
  }
  CHECK(verdict("05 00 18 18 18 00 00 00", host) == field(3));
  CHECK(verdict("09 00 18 18 18 00 00 00", host) == field(3));
  CHECK(verdict("03 00 18 18 18 00 00 00", host) == field(3));
}

TEST_CASE("PLEN: within the header, data where there is none, a digest of nothing, beyond limits") {
  CHECK(verdict("04 00 48 00 47 00 00 00", controller) == field(4));
  CHECK(verdict("04 00 48 48 47 00 00 00", controller) == field(4));
  CHECK(verdict("04 00 48 00 00 00 00 00", controller) == field(4));
  CHECK(verdict("06 00 18 18 17 00 00 00", controller) == field(4));
  CHECK(verdict("07 00 18 18 00 00 00 00", host) == field(4));
  CHECK(verdict("05 00 18 00 17 00 00 00", host) == field(4));
  CHECK(verdict("05 00 18 00 1c 00 00 00", host) == field(4));
  CHECK(verdict("09 00 18 00 19 00 00 00", host) == field(4));
  CHECK(verdict("05 01 18 00 18 00 00 00", with_digests(host)) == field(4));
  CHECK(verdict("04 03 48 4c 50 00 00 00", with_digests(controller)) == field(4));  // digest only
  CHECK(verdict("04 03 48 00 4c 00 00 00", with_digests(controller)) == field(4));
  // One byte beyond a limit breaks the limit; a length that nobody can mean is a bad field.
  CHECK(verdict("04 00 48 48 48 20 00 00", controller) == 0);
  CHECK(verdict("04 00 48 48 49 20 00 00", controller) == only(5));
  CHECK(verdict("06 00 18 18 19 00 02 00", controller) == only(5));
  CHECK(verdict("04 00 48 48 ff ff ff ff", controller) == field(4));
  CHECK(verdict("06 00 18 18 ff ff ff ff", controller) == field(4));
  CHECK(verdict("07 00 18 18 ff ff ff ff", host) == field(4));
  CHECK(verdict("05 00 18 00 ff ff ff ff", host) == field(4));
  CHECK(verdict("09 00 18 00 ff ff ff ff", host) == field(4));
}

TEST_CASE("a TermReq of impossible length gets no answer, whatever else is wrong with it") {
  for (const char* plen : {"17 00 00 00", "99 00 00 00", "00 00 00 00", "ff ff ff ff"}) {
    for (const char* start : {"00 18 00 ", "ff 17 18 "}) {
      const auto at_controller = check(std::string("02 ") + start + plen, controller);
      REQUIRE_FALSE(at_controller.has_value());
      CHECK(at_controller.error().fes == 0);
      const auto at_host = check(std::string("03 ") + start + plen, host);
      REQUIRE_FALSE(at_host.has_value());
      CHECK(at_host.error().fes == 0);
    }
  }
}

TEST_CASE("of several bad fields the first is told") {
  CHECK(verdict("08 ff ff ff ff ff ff ff", controller) == field(0));
  CHECK(verdict("04 ff 00 03 ff ff ff ff", controller) == field(1));
  CHECK(verdict("04 00 00 03 ff ff ff ff", controller) == field(2));
  CHECK(verdict("04 00 48 03 ff ff ff ff", controller) == field(3));
  CHECK(verdict("04 00 48 00 00 00 00 00", controller) == field(4));
}
