#include "server/net/rate_quotas.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using catenary::api::Caller;
using catenary::engine::TenantId;
using catenary::server::net::RateMeter;
using catenary::server::net::RateQuotas;

namespace {

Caller caller(int tenant, std::string key) {
    Caller made;
    made.tenant = TenantId{tenant};
    made.key_id = std::move(key);
    return made;
}
const RateMeter::Moment begin{1h};

}  // namespace

TEST_CASE("a sender gets its rate, and a burst ahead of it") {
    RateMeter meter{100, 10s};
    std::int64_t taken = 0;
    for (auto now = begin; now < begin + 100s; now += 10ms) {
        if (meter.wait("a", now) > 0s) continue;
        meter.charge("a", 7, now);
        taken += 7;
    }
    CHECK(taken >= 100 * 100 + 10 * 100 - 7);
    CHECK(taken <= 100 * 100 + 10 * 100 + 2 * 7);
    CHECK(meter.wait("b", begin + 100s) == 0s);
}

TEST_CASE("one request larger than the burst is taken, and paid for afterwards") {
    RateMeter meter{10, 10s};
    meter.charge("a", 1'000, begin);
    CHECK(meter.wait("a", begin) == 90s);
    CHECK(meter.wait("a", begin + 89s) == 1s);
    CHECK(meter.wait("a", begin + 90s) == 0s);
}

TEST_CASE("no rate, no limit, and nothing is held") {
    RateMeter meter{0, 10s};
    meter.charge("a", 1'000'000'000, begin);
    CHECK(meter.wait("a", begin) == 0s);
    CHECK(meter.senders() == 0);
}

TEST_CASE("senders without a debt are forgotten") {
    RateMeter meter{1'000, 10s};
    auto now = begin;
    for (int i = 0; i < 100'000; ++i, now += 1ms) meter.charge(std::to_string(i), 10, now);  // paid off after 10 ms
    CHECK(meter.senders() < 2'000);
}

TEST_CASE("a tenant's quota holds for all of its keys together, a key's for itself") {
    RateQuotas quotas{{.tenant_signals = 100, .key_signals = 60}};
    const auto first = caller(1, "first");
    const auto second = caller(1, "second");
    const auto other = caller(2, "other");
    CHECK_FALSE(quotas.spend(first, 601, begin));
    const auto key = quotas.spend(first, 1, begin);
    REQUIRE(key);
    CHECK(key->detail.starts_with("the key's quota of 60 signals a second"));
    CHECK(key->wait == 1s);
    CHECK_FALSE(quotas.spend(second, 500, begin));
    const auto tenant = quotas.spend(second, 1, begin);
    REQUIRE(tenant);
    CHECK(tenant->detail.starts_with("the tenant's quota of 100 signals a second"));
    CHECK(tenant->wait == 2s);  // 101 beyond what may be sent ahead
    CHECK_FALSE(quotas.spend(other, 1, begin));
    CHECK(quotas.refused().total() == 2);
    CHECK(quotas.refused().of(TenantId{1}) == 2);
    CHECK(quotas.refused().of(TenantId{2}) == 0);
}

TEST_CASE("bytes are refused before they come, and so are bodies whose signals would be") {
    RateQuotas quotas{{.tenant_bytes = 1'000, .key_signals = 1}};
    const auto one = caller(1, "one");
    CHECK_FALSE(quotas.admit(one, 12'000, begin));
    const auto bytes = quotas.admit(one, 1, begin);
    REQUIRE(bytes);
    CHECK(bytes->detail.starts_with("the tenant's quota of 1000 bytes a second"));
    CHECK_FALSE(quotas.admit(one, 1, begin + 2s));
    CHECK_FALSE(quotas.spend(one, 20, begin + 2s));
    const auto signals = quotas.admit(one, 1, begin + 4s);
    REQUIRE(signals);
    CHECK(signals->wait == 8s);
}
