// SPDX-License-Identifier: BSD-2-Clause
#include "wire/uri.hpp"

#include <doctest/doctest.h>

#include "wire/host.hpp"

using namespace nvmf::wire;

TEST_CASE("hosts") {
  struct good {
    std::string_view host;
    host_kind kind;
  };
  for (const good& g :
       {good{"localhost", host_kind::name}, good{"a-b_c.example.org.", host_kind::name},
        good{"1a.example", host_kind::name}, good{"127.0.0.1", host_kind::ipv4},
        good{"255.255.255.255", host_kind::ipv4}, good{"::", host_kind::ipv6},
        good{"::1", host_kind::ipv6}, good{"fe80::1%eth0", host_kind::ipv6},
        good{"1:2:3:4:5:6:7:8", host_kind::ipv6}, good{"1::", host_kind::ipv6},
        good{"1:2:3:4:5:6:7::", host_kind::ipv6}, good{"::ffff:192.0.2.1", host_kind::ipv6},
        good{"2001:DB8::a", host_kind::ipv6}}) {
    CAPTURE(std::string(g.host));
    const auto kind = check_host(g.host);
    REQUIRE(kind.has_value());
    CHECK(*kind == g.kind);
  }
}

TEST_CASE("what is no host") {
  const std::string long_label(64, 'a');
  const std::string long_name = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                                std::string(63, 'c') + "." + std::string(63, 'd');
  for (std::string_view bad : {std::string_view(""),
                               std::string_view("."),
                               std::string_view("a..b"),
                               std::string_view(".a"),
                               std::string_view("a b"),
                               std::string_view("a\x1b[m"),
                               std::string_view("a/b"),
                               std::string_view("a%b"),
                               std::string_view(long_label),
                               std::string_view(long_name),
                               std::string_view("1.2.3"),
                               std::string_view("1.2.3.4.5"),
                               std::string_view("1.2.3.256"),
                               std::string_view("1.2.3.04"),
                               std::string_view("1.2..4"),
                               std::string_view("1.2.3."),
                               std::string_view("12"),
                               std::string_view("99999999999999999999.1.1.1"),
                               std::string_view(":"),
                               std::string_view(":::"),
                               std::string_view("1:2"),
                               std::string_view("1::2::3"),
                               std::string_view("1:2:3:4:5:6:7:8:9"),
                               std::string_view("1:2:3:4:5:6:7:8::"),
                               std::string_view("12345::"),
                               std::string_view("g::"),
                               std::string_view(":1::"),
                               std::string_view("1::2:"),
                               std::string_view("fe80::1%"),
                               std::string_view("fe80::1%a b"),
                               std::string_view("::1.2.3"),
                               std::string_view("1.2.3.4::"),
                               std::string_view("::1%%")}) {
    CAPTURE(std::string(bad));
    const auto kind = check_host(bad);
    CHECK_FALSE(kind.has_value());
    if (!kind) CHECK(kind.error().position <= bad.size());
  }
}

TEST_CASE("endpoints") {
  CHECK(parse_endpoint("127.0.0.1:0", 0) == endpoint{"127.0.0.1", 0});
  CHECK(parse_endpoint("example.org") == endpoint{"example.org", std::nullopt});
  CHECK(parse_endpoint("[::1]:4420") == endpoint{"::1", 4420});
  CHECK(parse_endpoint("[fe80::1%25eth0]") == endpoint{"fe80::1%eth0", std::nullopt});
  CHECK(parse_endpoint("[fe80::1%eth0]") == endpoint{"fe80::1%eth0", std::nullopt});
  CHECK(parse_endpoint("[fe80::1%25]") == endpoint{"fe80::1%25", std::nullopt});
  CHECK(to_text(endpoint{"fe80::1%25", 1}) == "[fe80::1%2525]:1");
  CHECK(parse_endpoint("[fe80::1%2525]:1") == endpoint{"fe80::1%25", 1});
  for (std::string_view bad : {"", ":1", "h:", "h:0", "h:65536", "h:x", "::1", "[::1", "[::1]x",
                               "[::1]:", "[h]:1", "[127.0.0.1]", "[]", "h:1:2", "h: 1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_endpoint(bad));
  }
  CHECK(parse_endpoint("host:70000").error().position == 5);
}

TEST_CASE("a URI has transport, host, port, NQN, namespace and digests") {
  const auto u =
      parse_uri("nvme+tcp://192.0.2.1:4421/nqn.2014-08.org.example:disk1/3?hdgst=on&ddgst=off");
  REQUIRE(u);
  CHECK(u->transport == uri_transport::tcp);
  CHECK(u->host == "192.0.2.1");
  CHECK(u->port == 4421);
  CHECK(u->nqn == "nqn.2014-08.org.example:disk1");
  CHECK(u->nsid == 3);
  CHECK(u->hdgst == true);
  CHECK(u->ddgst == false);
}

TEST_CASE("ports have defaults, and discovery over TCP has its own") {
  CHECK(parse_uri("nvme+tcp://h/nqn.2014-08.org.example:a")->port == 4420);
  CHECK(parse_uri("nvme+tcp://h/nqn.2014-08.org.nvmexpress.discovery")->port == 8009);
  CHECK(parse_uri("nvme+tcp://h")->port == 8009);
  CHECK(parse_uri("nvme+tcp://h/")->port == 8009);
  CHECK(parse_uri("nvme+tcp://h:1/")->port == 1);
  CHECK(parse_uri("nvme+rdma://h")->port == 4420);
  CHECK(parse_uri("nvme+loop://name/nqn.2014-08.org.example:a")->port == 0);
}

TEST_CASE("what a URI cannot hold stands percent-encoded") {
  const auto u = parse_uri("NVMe+TCP://[2001:db8::1]/nqn.2014-08.org.example:a%2fb%3f%25/0x10");
  REQUIRE(u);
  CHECK(u->nqn == "nqn.2014-08.org.example:a/b?%");
  CHECK(u->nsid == 16);
  CHECK(u->host == "2001:db8::1");
  CHECK(to_text(*u) == "nvme+tcp://[2001:db8::1]:4420/nqn.2014-08.org.example:a%2Fb%3F%25/16");
}

TEST_CASE("format and parse are inverse") {
  for (std::string_view text :
       {"nvme+tcp://h:1", "nvme+tcp://127.0.0.1:4420/nqn.2014-08.org.example:a",
        "nvme+rdma://[fe80::1%25ib0.8001]:4420/nqn.2014-08.org.example:a/4294967294",
        "nvme+loop://t-1.x_y/nqn.2014-08.org.example:a?hdgst=off",
        "nvme+tcp://h:8009/nqn.2014-08.org.nvmexpress.discovery?hdgst=on&ddgst=on",
        "nvme+tcp://h:1/nqn.2014-08.org.example:sch%C3%B6n%2F%23", "nvme+tcp://h:1?ddgst=on"}) {
    CAPTURE(text);
    const auto u = parse_uri(text);
    REQUIRE(u);
    CHECK(to_text(*u) == text);
    CHECK(parse_uri(to_text(*u)) == u);
  }
}

TEST_CASE("a bad URI is refused with part, place and reason") {
  struct wrong {
    std::string_view text;
    std::string_view part;
    std::size_t position;
    std::string_view says;
  };
  const wrong cases[] = {
      {"", "scheme", 0, "does not start with nvme+tcp://"},
      {"127.0.0.1:4420", "scheme", 0, "does not start with nvme+tcp://"},
      {"nvme+tcp:/h", "scheme", 0, "does not start with nvme+tcp://"},
      {"http://h/", "scheme", 0, "none of nvme+tcp"},
      {"nvme+tpc://h/", "scheme", 0, "did you mean nvme+tcp?"},
      {"nvme+tcp://", "host", 11, "is empty"},
      {"nvme+tcp:///nqn.2014-08.org.example:a", "host", 11, "is empty"},
      {"nvme+tcp://u@h/", "host", 12, "no user"},
      {"nvme+tcp://h:0/", "port", 13, "0 is less than 1"},
      {"nvme+tcp://h:99999/", "port", 13, "99999 is more than 65535"},
      {"nvme+tcp://h:44z0/", "port", 15, "not a number"},
      {"nvme+tcp://2001:db8::1/", "host", 15, "in brackets"},
      {"nvme+tcp://[::1/", "host", 15, "closing bracket"},
      {"nvme+tcp://1.2.3.400/", "host", 17, "more than 255"},
      {"nvme+tcp://h/disk1", "subnqn", 13, "does not start with nqn."},
      {"nvme+tcp://h/nqn.2014-13.org.example:a", "subnqn", 22, "month 13"},
      {"nvme+tcp://h/%6eqn.2014-13.org.example:a", "subnqn", 24, "month 13"},
      {"nvme+tcp://h/nqn.2014-08.org.example:%00", "subnqn", 37, "control"},
      {"nvme+tcp://h/nqn.2014-08.org.example:%2", "subnqn", 37, "two hexadecimal digits"},
      {"nvme+tcp://h/nqn.2014-08.org.example:%zz", "subnqn", 37, "two hexadecimal digits"},
      {"nvme+tcp://h//1", "subnqn", 13, "is empty"},
      {"nvme+tcp://h/nqn.2014-08.org.example:a/b", "nsid", 39, "written %2F"},
      {"nvme+tcp://h/nqn.2014-08.org.example:a/", "nsid", 39, "is empty"},
      {"nvme+tcp://h/nqn.2014-08.org.example:a/0", "nsid", 39, "less than 1"},
      {"nvme+tcp://h/nqn.2014-08.org.example:a/0xffffffff", "nsid", 39, "more than 4294967294"},
      {"nvme+tcp://h/nqn.2014-08.org.example:a/1/2", "nsid", 40, "not a number"},
      {"nvme+tcp://h/#x", "URI", 13, "%23"},
      {"nvme+tcp://h?", "option", 13, "neither hdgst nor ddgst"},
      {"nvme+tcp://h?hdgts=on", "option", 13, "did you mean hdgst"},
      {"nvme+tcp://h?hdgst", "hdgst", 13, "neither on nor off"},
      {"nvme+tcp://h?hdgst=maybe", "hdgst", 19, "neither on nor off"},
      {"nvme+tcp://h?hdgst=on&hdgst=on", "option", 22, "twice"},
      {"nvme+loop://", "name", 12, "is empty"},
      {"nvme+loop://a:1/", "name", 13, "no port"},
      {"nvme+loop://a b/", "name", 13, "cannot be part"},
  };
  for (const wrong& w : cases) {
    CAPTURE(std::string(w.text));
    const auto r = parse_uri(w.text);
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().part == w.part);
    CHECK(r.error().position == w.position);
    CHECK(r.error().reason.find(w.says) != std::string::npos);
    REQUIRE_FALSE(r.error().example.empty());
  }
  CHECK_FALSE(parse_uri("nvme+tcp://" + std::string(100000, 'a')));
  CHECK(to_text(parse_uri("nvme+tcp://h:99999/").error()) ==
        "port: 99999 is more than 65535 (0xffff) "
        "(for example nvme+tcp://192.0.2.1:4420/nqn.2014-08.org.example:disk1)");
}

TEST_CASE("the examples of the errors are right themselves") {
  for (std::string_view bad : {"x", "nvme+tcp://h:0", "nvme+loop://", "trtype:TCP"}) {
    const auto r = parse_address(bad);
    REQUIRE_FALSE(r);
    CHECK(parse_address(r.error().example).has_value());
  }
}

TEST_CASE("every cut of a URI is either a URI or refused") {
  constexpr std::string_view whole =
      "nvme+tcp://[fe80::1%25eth0]:4420/nqn.2014-08.org.example:a%2Fb/12?hdgst=on&ddgst=off";
  REQUIRE(parse_uri(whole));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto r = parse_uri(whole.substr(0, n));
    if (r) CHECK(parse_uri(to_text(*r)) == r);
    if (!r) CHECK(r.error().position <= n);
  }
}

TEST_CASE("SPDK's spelling says the same") {
  const auto u = parse_address(
      "trtype:TCP adrfam:IPv4 traddr:127.0.0.1 trsvcid:4421 subnqn:nqn.2016-06.io.spdk:cnode1");
  REQUIRE(u);
  CHECK(to_text(*u) == "nvme+tcp://127.0.0.1:4421/nqn.2016-06.io.spdk:cnode1");
  CHECK(
      to_text(*parse_trid("traddr=::1\ttrtype=rdma subnqn=nqn.2016-06.io.spdk:c ns=1 hdgst=on")) ==
      "nvme+rdma://[::1]:4420/nqn.2016-06.io.spdk:c/1?hdgst=on");
  CHECK(parse_trid("trtype:tcp traddr:h")->port == 8009);
  CHECK(parse_trid("trtype:loop traddr:t1")->host == "t1");
  CHECK(parse_address("nvme+tcp://h:1")->port == 1);
}

TEST_CASE("a bad address in SPDK's spelling is refused with part and place") {
  struct wrong {
    std::string_view text;
    std::string_view part;
    std::size_t position;
  };
  for (const wrong& w :
       {wrong{"", "trtype", 0}, wrong{"trtype:TCP", "traddr", 10}, wrong{"traddr:h", "trtype", 8},
        wrong{"trtype:FC traddr:h", "trtype", 7}, wrong{"trtype:TCP trype:x", "key", 11},
        wrong{"trtype:TCP trtype:TCP", "trtype", 11}, wrong{"trtype:TCP traddr", "traddr", 17},
        wrong{"trtype:TCP traddr:", "traddr", 18},
        wrong{"trtype:TCP adrfam:IPv4 traddr:::1", "traddr", 30},
        wrong{"trtype:TCP adrfam:IPv6 traddr:1.2.3.4", "traddr", 30},
        wrong{"trtype:TCP adrfam:ib traddr:h", "adrfam", 18},
        wrong{"trtype:TCP traddr:1.2.3.4.5", "traddr", 25},
        wrong{"trtype:TCP traddr:h trsvcid:0", "trsvcid", 28},
        wrong{"trtype:TCP traddr:h subnqn:x", "subnqn", 27},
        wrong{"trtype:TCP traddr:h ns:1", "ns", 0},
        wrong{"trtype:loop traddr:t trsvcid:1", "trsvcid", 19}}) {
    CAPTURE(std::string(w.text));
    const auto r = parse_trid(w.text);
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().part == w.part);
    CHECK(r.error().position == w.position);
  }
  CHECK_FALSE(parse_trid(std::string(100000, 'a')));
}
