#include "api/http/cursor.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace catenary;
using namespace catenary::api;
using http::open_cursor;
using http::seal_cursor;

namespace {

constexpr http::CursorKey key{1, 2, 3, 4, 5};

http::Request list(std::vector<std::pair<std::string, std::string>> query) {
    http::Request request;
    request.segments = {"api", "v1", "incidents"};
    request.query = std::move(query);
    return request;
}

Caller tenant(std::int32_t id) {
    Caller caller;
    caller.tenant = engine::TenantId{id};
    return caller;
}

}  // namespace

TEST_CASE("a cursor opens to its position, whatever the page size and the order of filters") {
    const std::string position{"2026|17\0ü", 11};
    const auto cursor = seal_cursor(key, list({{"status", "new"}, {"owner", "a"}, {"limit", "5"}}), tenant(1), position);
    CHECK(cursor.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos);
    CHECK(open_cursor(key, list({{"owner", "a"}, {"cursor", cursor}, {"status", "new"}}), tenant(1), cursor).value() == position);
    CHECK(open_cursor(key, list({}), tenant(1), "").value() == "");
}

TEST_CASE("a cursor is refused elsewhere") {
    const auto request = list({{"status", "new"}});
    const auto cursor = seal_cursor(key, request, tenant(1), "17");
    CHECK(open_cursor(key, request, tenant(1), cursor).has_value());
    CHECK(open_cursor(key, request, tenant(2), cursor).has_error());
    CHECK(open_cursor(key, list({{"status", "closed"}}), tenant(1), cursor).has_error());
    CHECK(open_cursor(key, list({{"status", "new"}, {"status", "closed"}}), tenant(1), cursor).has_error());
    CHECK(open_cursor(key, list({}), tenant(1), cursor).has_error());
    auto elsewhere = request;
    elsewhere.segments.back() = "findings";
    CHECK(open_cursor(key, elsewhere, tenant(1), cursor).has_error());
    CHECK(open_cursor(http::CursorKey{9}, request, tenant(1), cursor).has_error());
}

TEST_CASE("a cursor with any one letter changed, added or missing is refused") {
    const auto request = list({});
    const auto cursor = seal_cursor(key, request, tenant(1), "some position");
    for (std::size_t i = 0; i < cursor.size(); ++i) {
        for (const char letter : {'A', 'z', '0', '-', '_', '=', '+', ' ', '\0'}) {
            auto changed = cursor;
            if (changed[i] == letter) continue;
            changed[i] = letter;
            CAPTURE(changed);
            CHECK(open_cursor(key, request, tenant(1), changed).has_error());
        }
        CHECK(open_cursor(key, request, tenant(1), cursor.substr(0, i + 1 == cursor.size() ? i : i + 1)).has_error());
        CHECK(open_cursor(key, request, tenant(1), cursor + cursor.substr(i)).has_error());
    }
}

TEST_CASE("property: base64url is undone exactly, and each text stands for at most one string") {
    std::mt19937 random{3};
    for (int round = 0; round < 5'000; ++round) {
        std::string bytes(random() % 24, '\0');
        for (char& byte : bytes) byte = static_cast<char>(random());
        REQUIRE(http::from_base64url(http::base64url(bytes)) == bytes);
    }
    // printf '\xfb\xff\xbf' | basenc --base64url  ->  -_-_
    CHECK(http::base64url("\xfb\xff\xbf") == "-_-_");
    for (const auto* text : {"A", "AAAAA", "AB", "AAB", "AA==", "A A", "+/+/"}) {
        CAPTURE(text);
        CHECK_FALSE(http::from_base64url(text).has_value());
    }
}
