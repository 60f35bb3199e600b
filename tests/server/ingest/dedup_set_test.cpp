#include "server/ingest/dedup_set.hpp"

#include <doctest/doctest.h>

using namespace catenary;
using server::DedupSet;
using server::Digester;
using server::signal_key;

namespace {

constexpr engine::Timestamp begin = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};

server::SignalKey key(int id, std::chrono::minutes after) {
    Digester digester{server::DigestKey{1, 2, 3}};
    return signal_key(digester, engine::TenantId{1}, "edr", std::to_string(id), begin + after);
}

}  // namespace

TEST_CASE("a signal is found under its id whatever the time") {
    DedupSet set{1U << 20U};
    set.add({key(1, std::chrono::minutes{0}), 77});
    const auto found = set.find(key(1, std::chrono::hours{48}));
    REQUIRE(found.has_value());
    CHECK(found->key == key(1, std::chrono::minutes{0}));
    CHECK(found->content == 77);
    CHECK_FALSE(set.find(key(2, std::chrono::minutes{0})).has_value());
    set.remove(key(1, std::chrono::minutes{0}));
    CHECK_FALSE(set.find(key(1, std::chrono::minutes{0})).has_value());
    CHECK(set.size() == 0);
}

TEST_CASE("a full set forgets the oldest hours and stays within its bound") {
    DedupSet set{0};  // the smallest
    const auto capacity = static_cast<int>(set.capacity());
    for (int i = 0; i < capacity * 3; ++i) {
        set.add({key(i, std::chrono::minutes{i}), i});
        CHECK(set.size() <= set.capacity());
    }
    CHECK(set.find(key(capacity * 3 - 1, std::chrono::minutes{0})).has_value());
    CHECK_FALSE(set.find(key(0, std::chrono::minutes{0})).has_value());
    CHECK(set.evicted() + set.size() == static_cast<std::size_t>(capacity) * 3);
}

TEST_CASE("entries of one hour only are forgotten together") {
    DedupSet set{0};
    for (int i = 0; i < static_cast<int>(set.capacity()) + 1; ++i) set.add({key(i, std::chrono::minutes{0}), 0});
    CHECK(set.size() == 1);
}

TEST_CASE("keys grow with time and repeat exactly") {
    CHECK(key(1, std::chrono::minutes{0}) < key(2, std::chrono::minutes{1}));
    CHECK(key(1, std::chrono::minutes{5}) == key(1, std::chrono::minutes{5}));
    CHECK(key(1, std::chrono::minutes{5}).same_id(key(1, std::chrono::minutes{9})));
    CHECK_FALSE(key(1, std::chrono::minutes{5}).same_id(key(3, std::chrono::minutes{5})));
    CHECK(key(1, std::chrono::minutes{5}).millis() == (begin + std::chrono::minutes{5}).time_since_epoch() / std::chrono::milliseconds{1});
}
