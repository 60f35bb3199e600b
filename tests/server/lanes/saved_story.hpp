#pragma once

#include "tests/server/lanes/lane_rig.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

namespace catenary::tests {

using namespace std::chrono_literals;

/// Twenty-four accounts that sign in, the rule of each two requests later; every request is one signal or two.
inline std::vector<std::vector<BatchBuilder::Item>> requests() {
    std::vector<std::vector<BatchBuilder::Item>> list;
    for (int i = 0; i < 26; ++i) {
        auto& items = list.emplace_back();
        if (i < 24) items.push_back(sign_in(fmt::format("in-{}", i), fmt::format("user{}@corp.example", i % 9), 5min * i));
        if (i >= 2) items.push_back(inbox_rule(fmt::format("rule-{}", i), fmt::format("user{}@corp.example", (i - 2) % 9), 5min * i - 1min));
    }
    return list;
}

inline void post(LaneRig& rig, const TestTenant& tenant, std::size_t first, std::size_t end) {
    const auto all = requests();
    for (std::size_t r = first; r < end; ++r) {
        rig.ingest().set_clock(story_begin + 5min * (static_cast<int>(r) + 1));
        REQUIRE(summary(rig.ingest().post(tenant.caller.tenant, all[r])).find_first_not_of('a') == std::string::npos);
    }
}

inline std::int64_t log_end(TestDatabase& database) { return std::stoll(database.ask("SELECT next_position - 1 FROM log")); }

/// Until a snapshot of everything there is was stored.
inline bool saved(TestDatabase& database, LaneRig& rig) {
    const auto end = log_end(database);
    return wait_until([&] { return rig.worker().status().snapshots.stored > 0 && rig.worker().status().snapshots.position.value() == end; });
}

inline server::LaneWorkerOptions eager() {
    server::LaneWorkerOptions options;
    options.snapshot_entries = 1;
    options.snapshot_chunk_bytes = 1'000;  // several chunks a lane
    return options;
}

/// A worker that ran over the whole log without a stop.
inline std::string undisturbed() {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    LaneRig rig{database};
    rig.ingest().start();
    rig.start_worker();
    post(rig, tenant, 0, 26);
    REQUIRE(rig.settle());
    return result_dump(database);
}

/// Half of the log with a snapshot at its end, then `until` the other half without any, and nobody leads.
struct HalfSaved {
    explicit HalfSaved(std::size_t until = 26) {
        rig.ingest().start();
        rig.start_worker();
        post(rig, tenant, 0, 6);
        REQUIRE(saved(database, rig));
        first_position = log_end(database);
        post(rig, tenant, 6, 12);
        REQUIRE(saved(database, rig));
        position = log_end(database);
        rig.options().snapshot_entries = 0;
        rig.restart_worker();
        post(rig, tenant, 12, until);
        REQUIRE(rig.settle());
    }
    std::int64_t tail() { return std::stoll(database.ask(fmt::format("SELECT count(*) FROM signal WHERE position > {}", position))); }
    server::LeaderStatus restarted() {
        rig.restart_worker();
        REQUIRE(rig.wait_for(server::LeaderStatus::State::leading));
        return rig.worker().status();
    }

    TestDatabase database;
    TestTenant tenant = database.add_tenant("first");
    LaneRig rig{database, eager()};
    std::int64_t first_position = 0;
    std::int64_t position = 0;
};

}  // namespace catenary::tests
