// SPDX-License-Identifier: BSD-2-Clause
// Entries by hand from Base 2.0, 5.16.1.23: offsets are those of the table there.
#include "discovery_view.hpp"

#include <doctest/doctest.h>

using namespace nvmf::cli;

namespace {

struct maker {
  nvmf::discovery_entry e{};
  maker() {
    e[0] = std::byte{3};  // TRTYPE TCP
    e[1] = std::byte{1};  // ADRFAM IPv4
    e[2] = std::byte{2};  // SUBTYPE NVM subsystem
    e[6] = e[7] = std::byte{0xff};
    text(32, 32, "4420");
    text(256, 256, "nqn.2026-01.io.example:s");
    text(512, 256, "192.0.2.1");
  }
  maker& byte(std::size_t at, unsigned value) {
    e[at] = static_cast<std::byte>(value);
    return *this;
  }
  maker& text(std::size_t at, std::size_t width, std::string_view words, char pad = ' ') {
    for (std::size_t i = 0; i < width; ++i)
      e[at + i] = static_cast<std::byte>(i < words.size() ? words[i] : at == 256 ? '\0' : pad);
    return *this;
  }
  maker& address(std::string_view words) { return text(512, 256, words); }
  discovery_view view() const { return view_of(e); }
  // The one problem of the entry.
  std::string problem() const {
    const auto v = view();
    REQUIRE(v.problems.size() == 1);
    CHECK(v.uri.empty());
    return v.problems[0];
  }
};

}  // namespace

TEST_CASE("a good entry becomes an address that connect takes") {
  const auto v = maker{}.view();
  CHECK(v.problems.empty());
  CHECK(v.uri == "nvme+tcp://192.0.2.1:4420/nqn.2026-01.io.example:s");
  CHECK(v.subsystem == "nvm");
  CHECK(v.transport == "tcp");
  CHECK(v.cntlid == 0xffff);
  CHECK(maker{}.byte(1, 2).address("2001:db8::1").view().uri ==
        "nvme+tcp://[2001:db8::1]:4420/nqn.2026-01.io.example:s");
  CHECK(maker{}.byte(2, 1).view().subsystem == "referral");
  CHECK(maker{}.byte(3, 1).view().secure_channel == "required");
}

TEST_CASE("padding may be blanks or NULs") {
  maker m;
  m.text(32, 32, "4420", '\0').text(512, 256, "192.0.2.1", '\0');
  CHECK(m.view().uri == "nvme+tcp://192.0.2.1:4420/nqn.2026-01.io.example:s");
}

TEST_CASE("addresses that nobody can use are told") {
  CHECK(maker{}.address("0.0.0.0").problem() ==
        "the address 0.0.0.0 means any address of the target: nobody can connect to it");
  CHECK(maker{}.byte(1, 2).address("::").problem().starts_with("the address :: means any"));
  CHECK(maker{}.address("").problem() == "the address is empty");
  CHECK(maker{}.address("::1").problem() ==
        "the address family says ipv4, the address ::1 is ipv6");
  CHECK(maker{}.byte(1, 0).problem() ==
        "the address family says 0x00, the address 192.0.2.1 is ipv4");
  CHECK(maker{}.address("300.1.1.1").problem().starts_with("the address '300.1.1.1': "));
  CHECK(maker{}.address("host.example").view().problems.empty());
}

TEST_CASE("so are ports, names and transports") {
  CHECK(maker{}.text(32, 32, "").problem() == "there is no port");
  CHECK(maker{}.text(32, 32, "0").problem().starts_with("the port '0': "));
  CHECK(maker{}.text(32, 32, "nvme").problem().starts_with("the port 'nvme': "));
  CHECK(maker{}.text(256, 256, "iqn.2026").problem().starts_with("the NQN 'iqn.2026': "));
  CHECK(maker{}.text(256, 256, "").problem().starts_with("the NQN '': "));
  CHECK(maker{}.byte(0, 2).problem() == "the transport fc is not one of this program");
  CHECK(maker{}.byte(0, 7).problem() == "the transport 0x07 is not one of this program");
}

TEST_CASE("what is within the target's program is out of reach for who comes over a network") {
  maker m;
  m.byte(0, 254);  // TRTYPE intra-host
  CHECK(m.problem() == "it can be reached within the target's own program only");
  CHECK(view_of(m.e, nvmf::wire::uri_transport::loop).problems.empty());
}

TEST_CASE("bytes that a terminal would obey do not reach it") {
  maker m;
  m.address("\x1b[31mred");
  const auto v = m.view();
  CHECK(v.address == "?[31mred");
  CHECK(v.uri.empty());
  for (std::size_t at = 0; at < m.e.size(); ++at) {
    maker any;
    any.e.fill(std::byte{0xff});
    any.e[at] = std::byte{0};
    CHECK(any.view().uri.empty());
  }
}
