#include "api/http/target.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace catenary;
using api::http::parse_target;
using api::http::percent_decoded;
using api::http::percent_encoded;
using Strings = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("a path is split first and decoded after") {
    CHECK(parse_target("/").value().segments.empty());
    CHECK(parse_target("/api/v1/signals").value().segments == Strings{"api", "v1", "signals"});
    CHECK(parse_target("/s/a%2Fb%3Ac%25/x").value().segments == Strings{"s", "a/b:c%", "x"});
    CHECK(parse_target("/s/a+b").value().segments == Strings{"s", "a+b"});
    CHECK(parse_target("/s/ue%C3%BC").value().segments == Strings{"s", "ueü"});
    CHECK(parse_target("/s/").value().segments == Strings{"s", ""});
    CHECK(parse_target("//s").value().segments == Strings{"", "s"});
    CHECK(parse_target("/s?").value().segments == Strings{"s"});
}

TEST_CASE("query parameters stay in order, repeated ones too") {
    CHECK(parse_target("/s?b=2&a=1&b=3").value().query == Pairs{{"b", "2"}, {"a", "1"}, {"b", "3"}});
    CHECK(parse_target("/s?q=a+b%2Bc%26d%3De").value().query == Pairs{{"q", "a b+c&d=e"}});
    CHECK(parse_target("/s?a&b=&&c==").value().query == Pairs{{"a", ""}, {"b", ""}, {"c", "="}});
    CHECK(parse_target("/s?a=/x?y").value().query == Pairs{{"a", "/x?y"}});
}

TEST_CASE("targets that cannot be decoded are refused") {
    std::string many = "/s?";
    for (int i = 0; i < 201; ++i) many += "a=1&";
    for (const auto& target :
         Strings{"", "s", "http://host/s", "*", "/%", "/%2", "/%zz", "/a%00b", "/%ff", "/%C0%80", "/s?a=%", "/s?%ff=1", "/s?a=%00", many}) {
        CAPTURE(target);
        CHECK(parse_target(target).has_error());
    }
}

TEST_CASE("property: whatever is encoded decodes to itself") {
    std::mt19937 random{11};
    for (int round = 0; round < 5'000; ++round) {
        std::string text;
        for (auto length = random() % 20; length > 0; --length) text += static_cast<char>(1 + random() % 127);
        if (random() % 2 == 0) text += "ü€😀";
        const auto encoded = percent_encoded(text);
        CAPTURE(encoded);
        REQUIRE(percent_decoded(encoded) == text);
        REQUIRE(parse_target("/" + (text.empty() ? "" : encoded)).value().segments == (text.empty() ? Strings{} : Strings{text}));
    }
}
