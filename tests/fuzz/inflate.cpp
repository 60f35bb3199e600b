// Packed bodies: what comes out never exceeds its limit, whatever the packed bytes say. Input: the limit (two bytes, low one first), then the bytes.
#include "server/net/inflate.hpp"
#include "tests/fuzz/invariant.hpp"
#include "tests/support/gzip.hpp"

#include <string>

using namespace catenary;
using fuzz::require;
using server::net::inflate_gzip;
using server::net::InflateEnd;

namespace {

constexpr std::size_t padding = 64;
constexpr std::size_t step = 32 * 1024;  // what zlib may hand over at once

void check_bounds(std::string_view packed, std::size_t most) {
    std::string into;
    const auto end = inflate_gzip(packed, into, most, padding);
    require(into.size() <= most, "no more comes out than allowed");
    require(into.capacity() <= 2 * (most + padding + step), "no more memory is taken than a growing string of that length takes");
    if (end != InflateEnd::complete) return;
    require(into.capacity() >= into.size() + padding, "there is room for the padding");
    std::string again;
    require(inflate_gzip(packed, again, into.size(), padding) == InflateEnd::complete && again == into, "its own length is enough");
    if (!into.empty()) require(inflate_gzip(packed, again, into.size() - 1, padding) == InflateEnd::too_large, "one byte less is not");
}

void check_round_trip(std::string_view text) {
    const auto packed = tests::gzip(text);
    std::string into;
    require(inflate_gzip(packed, into, text.size(), padding) == InflateEnd::complete && into == text, "what was packed comes out");
    const auto cut = std::string_view{packed}.substr(0, packed.size() - 1);
    require(inflate_gzip(cut, into, text.size(), padding) == InflateEnd::truncated, "a missing end is noticed");
    require(inflate_gzip(packed + "x", into, text.size(), padding) != InflateEnd::complete, "bytes behind the end are noticed");
    require(inflate_gzip(packed + packed, into, 2 * text.size(), padding) == InflateEnd::complete && into == std::string{text} + std::string{text},
            "two members are one text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const auto bytes = fuzz::text_of(data + 2, size - 2);
    check_bounds(bytes, data[0] + 256u * data[1]);
    check_round_trip(bytes);
    return 0;
}
