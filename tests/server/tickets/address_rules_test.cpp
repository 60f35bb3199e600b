#include "server/tickets/address_rules.hpp"

#include "server/tickets/outbound.hpp"
#include "tests/support/http_site.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace catenary;
using namespace catenary::server::tickets;
using namespace catenary::tests;

namespace {

engine::IpAddress address(const char* text) {
    const auto parsed = engine::IpAddress::parse(text);
    REQUIRE_MESSAGE(parsed.has_value(), text);
    return *parsed;
}

AddressRules loopback_allowed() { return AddressRules{{*engine::IpNetwork::parse("127.0.0.0/8")}}; }

}  // namespace

TEST_CASE("connectors talk to the public internet, and to nothing behind it in any spelling") {
    const AddressRules rules;
    for (const auto* inside : {"127.0.0.1",
                               "127.8.9.10",
                               "0.0.0.0",
                               "10.0.0.1",
                               "172.16.0.1",
                               "172.31.255.255",
                               "192.168.1.1",
                               "169.254.169.254",
                               "100.64.0.1",
                               "192.0.2.1",
                               "198.18.0.1",
                               "203.0.113.7",
                               "224.0.0.1",
                               "240.0.0.1",
                               "255.255.255.255",
                               "::",
                               "::1",
                               "::7f00:1",
                               "::ffff:10.0.0.1",
                               "::ffff:169.254.169.254",
                               "64:ff9b::a00:1",
                               "64:ff9b::7f00:1",
                               "2002:a00:1::",
                               "2001::1",
                               "fc00::1",
                               "fd12:3456::1",
                               "fe80::1",
                               "fec0::1",
                               "ff02::1",
                               "2001:db8::1"}) {
        CHECK_MESSAGE(!rules.permits(address(inside)), inside);
    }
    for (const auto* outside :
         {"1.1.1.1", "172.32.0.1", "172.15.0.1", "192.167.1.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::1"}) {
        CHECK_MESSAGE(rules.permits(address(outside)), outside);
    }
}

TEST_CASE("the operator may allow networks, and only those") {
    const AddressRules rules{{*engine::IpNetwork::parse("10.1.0.0/16"), *engine::IpNetwork::parse("fd00::/8")}};
    CHECK(rules.permits(address("10.1.2.3")));
    CHECK(rules.is_allowed(address("fd00::1")));
    CHECK_FALSE(rules.permits(address("10.2.0.1")));
    CHECK_FALSE(rules.permits(address("127.0.0.1")));
    CHECK_FALSE(rules.is_allowed(address("1.1.1.1")));
}

TEST_CASE("what must not be talked to gets no connection at all") {
    HttpSite site{[](const SiteRequest&) { return SiteAnswer{}; }};
    const AddressRules none;
    Outbound closed{none, {}};
    const auto port = site.url().substr(site.url().rfind(':'));
    for (const auto& url : {site.url(), "http://localhost" + port, "http://[::ffff:127.0.0.1]" + port, "http://0x7f.1" + port, "https://127.0.0.1" + port}) {
        CAPTURE(url);
        const auto sent = closed.send({"GET", url, {}, ""});
        REQUIRE(sent.has_error());
        CHECK(sent.error().kind != OutboundError::Kind::lost);
    }
    CHECK(site.requests().empty());
    const auto rules = loopback_allowed();
    Outbound open{rules, {}};
    const auto sent = open.send({"GET", site.url() + "/a?b=c", {"X-Own: 1"}, ""});
    REQUIRE(sent.has_value());
    CHECK(sent->status == 200);
    REQUIRE(site.requests().size() == 1);
    CHECK(site.requests()[0].target == "/a?b=c");
    CHECK(site.requests()[0].headers.at("x-own") == "1");
}

TEST_CASE("redirects are not followed, replies are bounded, and what is lost is told from what was never sent") {
    HttpSite elsewhere{[](const SiteRequest&) { return SiteAnswer{}; }};
    HttpSite site{[&](const SiteRequest& request) -> SiteAnswer {
        if (request.target == "/moved") return {307, "", {"Location: " + elsewhere.url()}, SiteAnswer::Cut::nowhere};
        if (request.target == "/large") return {200, std::string(2'000'000, 'x'), {}, SiteAnswer::Cut::nowhere};
        if (request.target == "/busy") return {429, "", {"Retry-After: 7"}, SiteAnswer::Cut::nowhere};
        return {200, "{}", {}, SiteAnswer::Cut::before_reply};
    }};
    const auto rules = loopback_allowed();
    Outbound outbound{rules, {}};
    CHECK(outbound.send({"POST", site.url() + "/moved", {}, "{}"})->status == 307);
    CHECK(elsewhere.requests().empty());
    CHECK(outbound.send({"GET", site.url() + "/large", {}, ""}).error().kind == OutboundError::Kind::too_large);
    CHECK(outbound.send({"GET", site.url() + "/busy", {}, ""})->retry_after == std::chrono::seconds{7});
    CHECK(outbound.send({"POST", site.url() + "/cut", {}, "{}"}).error().kind == OutboundError::Kind::lost);
    CHECK(outbound.send({"POST", "http://127.0.0.1:1/", {}, "{}"}).error().kind == OutboundError::Kind::not_sent);
    CHECK(outbound.send({"POST", "http://no-such-host.invalid/", {}, "{}"}).error().kind == OutboundError::Kind::not_sent);
    CHECK(outbound.send({"POST", "file:///etc/passwd", {}, "{}"}).error().kind == OutboundError::Kind::refused);
}
