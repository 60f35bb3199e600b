#include "api/http/etag.hpp"

#include <doctest/doctest.h>

using namespace catenary::api::http;

TEST_CASE("an entity tag names a revision") {
    CHECK(etag_of(7) == "\"7\"");
    CHECK(revision_in("\"7\"") == 7);
    CHECK(revision_in(etag_of(9'000'000'000)) == 9'000'000'000);
    for (const auto* text : {"", "*", "7", "\"\"", "\"x\"", "\"7\", \"8\"", "W/\"7\"", "\"7"}) {
        CAPTURE(text);
        CHECK_FALSE(revision_in(text).has_value());
    }
}

TEST_CASE("If-Match compares strongly, If-None-Match weakly") {
    CHECK(if_match_holds("", 7));
    CHECK(if_match_holds("*", 7));
    CHECK(if_match_holds("\"7\"", 7));
    CHECK(if_match_holds("\"6\" , \"7\"", 7));
    CHECK_FALSE(if_match_holds("\"6\"", 7));
    CHECK_FALSE(if_match_holds("W/\"7\"", 7));
    CHECK_FALSE(if_match_holds("7", 7));
    CHECK(client_has("\"7\"", 7));
    CHECK(client_has("W/\"7\"", 7));
    CHECK(client_has("\"1\",W/\"7\"", 7));
    CHECK(client_has("*", 7));
    CHECK_FALSE(client_has("", 7));
    CHECK_FALSE(client_has("\"77\"", 7));
}
