#include "server/net/inflate.hpp"

#include "tests/support/gzip.hpp"

#include <doctest/doctest.h>

#include <string>

using catenary::server::net::inflate_gzip;
using catenary::server::net::InflateEnd;
using catenary::tests::gzip;

namespace {

constexpr std::size_t padding = 64;

struct Unpacked {
    InflateEnd end;
    std::string text;
};
Unpacked unpack(std::string_view packed, std::size_t most = 1 << 20) {
    Unpacked unpacked;
    unpacked.end = inflate_gzip(packed, unpacked.text, most, padding);
    return unpacked;
}

}  // namespace

TEST_CASE("gzip is unpacked whole, with room behind its end") {
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += std::to_string(i * 7919 % 1009) + ",";
    for (const auto& original : {std::string{}, std::string{"a"}, text}) {
        const auto unpacked = unpack(gzip(original), original.size());
        CHECK(unpacked.end == InflateEnd::complete);
        CHECK(unpacked.text == original);
        CHECK(unpacked.text.capacity() >= original.size() + padding);
    }
}

TEST_CASE("members one after another are one text") {
    const auto unpacked = unpack(gzip("one\n") + gzip("") + gzip("two\n"));
    CHECK(unpacked.end == InflateEnd::complete);
    CHECK(unpacked.text == "one\ntwo\n");
}

TEST_CASE("the limit is inclusive, and a bomb stops at it") {
    const auto packed = gzip(std::string(1000, 'x'));
    CHECK(unpack(packed, 1000).end == InflateEnd::complete);
    CHECK(unpack(packed, 999).end == InflateEnd::too_large);
    const auto bomb = gzip(std::string(64 << 20, '0'));
    REQUIRE(bomb.size() < 1 << 20);
    const auto unpacked = unpack(bomb, 1 << 20);
    CHECK(unpacked.end == InflateEnd::too_large);
    CHECK(unpacked.text.capacity() < (4 << 20));
    std::string many;  // each within the limit, together beyond it
    for (int i = 0; i < 20; ++i) many += gzip(std::string(100, 'x'));
    CHECK(unpack(many, 1999).end == InflateEnd::too_large);
}

TEST_CASE("what is cut short, damaged or no gzip is told apart from what is whole") {
    const auto packed = gzip("a signal or two");
    for (std::size_t size = 0; size < packed.size(); ++size) {
        CAPTURE(size);
        CHECK(unpack(std::string_view{packed}.substr(0, size)).end == InflateEnd::truncated);
    }
    auto damaged = packed;
    damaged[packed.size() - 6] = static_cast<char>(damaged[packed.size() - 6] ^ 1);  // of the checksum
    CHECK(unpack(damaged).end == InflateEnd::corrupt);
    CHECK(unpack(packed + "and more").end == InflateEnd::corrupt);
    CHECK(unpack("{\"id\":1}").end == InflateEnd::corrupt);
}
