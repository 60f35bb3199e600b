#include "engine/model/ip_address.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>

using catenary::engine::IpAddress;
using catenary::engine::IpNetwork;

TEST_CASE("property: spelling and reading of addresses agree with the C library") {
    std::mt19937 random{3};
    for (int round = 0; round < 20'000; ++round) {
        IpAddress address;
        address.is_v4 = random() % 2 == 0;
        const std::size_t width = address.is_v4 ? 4 : 16;
        // Many zero groups, so that their shortening is met in all places.
        for (std::size_t byte = 0; byte < width; ++byte) address.bytes[byte] = random() % 3 ? std::uint8_t{0} : static_cast<std::uint8_t>(random());
        const bool has_dotted_tail = !address.is_v4 && std::all_of(address.bytes.begin(), address.bytes.begin() + 10, [](auto byte) { return byte == 0; });
        if (has_dotted_tail) continue;  // the C library writes ::/96 and mapped addresses with a dotted tail, RFC 5952 leaves it open
        std::array<char, INET6_ADDRSTRLEN> expected{};
        REQUIRE(inet_ntop(address.is_v4 ? AF_INET : AF_INET6, address.bytes.data(), expected.data(), expected.size()) != nullptr);
        CHECK(address.text() == std::string{expected.data()});
        CHECK(IpAddress::parse(address.text()) == address);
    }
}

TEST_CASE("only addresses are read") {
    for (const char* text :
         {"",         "1", "1.2.3", "1.2.3.4.5", "1.2.3.4 ", " 1.2.3.4", "256.1.1.1", "01.2.3.4",          "1.2.3.-4",         "1..2.3",   "1.2.3.4.",
          "+1.2.3.4", ":", "1:2",   "::1::",     "[::1]",    "::1%lo",   "g::",       "1:2:3:4:5:6:7:8:9", "::ffff:256.0.0.1", "0x1.2.3.4"}) {
        CAPTURE(text);
        CHECK_FALSE(IpAddress::parse(text).has_value());
    }
    CHECK_FALSE(IpAddress::parse(std::string("::1\0x", 5)).has_value());
    CHECK(IpAddress::parse("::ffff:10.0.0.1") == IpAddress::parse("10.0.0.1"));
    CHECK(IpAddress::parse("0:0::")->text() == "::");
}

TEST_CASE("a network holds the addresses that share its bits") {
    struct Case {
        const char* network;
        const char* address;
        bool holds;
    };
    constexpr Case cases[] = {
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.1.2.3/8", "10.9.9.9", true},
        {"10.0.0.128/25", "10.0.0.128", true},
        {"10.0.0.128/25", "10.0.0.127", false},
        {"10.0.0.1", "10.0.0.1", true},
        {"10.0.0.1", "10.0.0.2", false},
        {"10.0.0.1/32", "10.0.0.1", true},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "10.0.0.1", false},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"2001:db8::1/128", "2001:db8::2", false},
        {"::ffff:10.0.0.0/104", "10.1.1.1", true},
        {"::ffff:10.0.0.0/104", "11.1.1.1", false},
    };
    for (const auto& [network, address, holds] : cases) {
        CAPTURE(network);
        CAPTURE(address);
        REQUIRE(IpNetwork::parse(network).has_value());
        CHECK(IpNetwork::parse(network)->contains(*IpAddress::parse(address)) == holds);
    }
    for (const char* text :
         {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0/8", "::/129", "::ffff:10.0.0.0/95", "10.0.0.0/ 8"}) {
        CAPTURE(text);
        CHECK_FALSE(IpNetwork::parse(text).has_value());
    }
}
