#include "server/auth/caller_cache.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace catenary;
using namespace std::chrono_literals;
using server::auth::CallerCache;
using server::pg::sha256;

namespace {

api::Caller named(const std::string& key) {
    api::Caller caller;
    caller.key_id = key;
    return caller;
}

const CallerCache::Time start{};

}  // namespace

TEST_CASE("a caller is remembered for the lifetime and no longer") {
    CallerCache cache{10, 5s};
    cache.put(sha256("token"), named("k"), start);
    CHECK(cache.find(sha256("token"), start + 5s - 1ns)->key_id == "k");
    CHECK_FALSE(cache.find(sha256("token"), start + 5s).has_value());
    CHECK_FALSE(cache.find(sha256("other"), start).has_value());
    CHECK(cache.size() == 0);
}

TEST_CASE("a key that expires sooner is forgotten sooner") {
    CallerCache cache{10, 5s};
    cache.put(sha256("token"), named("k"), start, 2s);
    CHECK(cache.find(sha256("token"), start + 1s).has_value());
    CHECK_FALSE(cache.find(sha256("token"), start + 2s).has_value());
}

TEST_CASE("beyond its capacity the cache forgets what was used longest ago") {
    CallerCache cache{2, 5s};
    cache.put(sha256("a"), named("a"), start);
    cache.put(sha256("b"), named("b"), start);
    CHECK(cache.find(sha256("a"), start).has_value());
    cache.put(sha256("c"), named("c"), start);
    CHECK(cache.size() == 2);
    CHECK(cache.find(sha256("a"), start).has_value());
    CHECK_FALSE(cache.find(sha256("b"), start).has_value());
    cache.put(sha256("c"), named("new"), start);
    CHECK(cache.find(sha256("c"), start)->key_id == "new");
    CHECK(cache.size() == 2);
}
