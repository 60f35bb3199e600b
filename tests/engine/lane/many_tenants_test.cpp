#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>
#include <malloc.h>

#include <string>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

namespace {

/// Bytes that are allocated now. mallinfo2 counts the main arena, which single-threaded tests allocate from; large blocks are counted apart.
std::size_t allocated() {
    const auto info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

Catalogue catalogue_of(int patterns) {
    Catalogue shipped;
    for (int i = 0; i < patterns; ++i) {
        const auto id = std::to_string(i);
        shipped.push_back(shared(pattern_of("shipped-" + id, {{"first-" + id}, {"second-" + id}, {"third-" + id, true}})));
    }
    return shipped;
}

}  // namespace

TEST_CASE("a thousand tenants share each shipped pattern, and what runs in one of them costs the others nothing") {
    constexpr int tenants = 1'000;
    const auto shipped = catalogue_of(20);
    Lane lane{shipped};
    Position position{0};
    const auto signal = signal_of("nothing asks for this", 0min, "alice");
    const BorrowedSignal borrowed{signal};
    const auto before = allocated();
    for (int tenant = 1; tenant <= tenants; ++tenant) {
        position = Position{position.value() + 1};
        lane.apply(position, TenantId{tenant}, signal.time, borrowed.view());
    }
    const auto each = (allocated() - before) / tenants;
    MESSAGE("bytes a tenant: " << each);
    CHECK(each < 35'000);                          // of which each of the twenty that run has a tenth of a kilobyte of counters
    CHECK(shipped.front().use_count() > tenants);  // the same object, not a copy of it
}
