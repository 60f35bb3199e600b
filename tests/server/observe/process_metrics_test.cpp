#include "server/observe/process_metrics.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>

using namespace catenary::server;
using namespace std::chrono_literals;

namespace {

/// Value by name, in text.
std::map<std::string, std::string> read(const std::string& text) {
    std::map<std::string, std::string> values;
    std::istringstream lines{text};
    std::set<std::string> typed;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words{line};
        std::string first, second, third;
        words >> first >> second >> third;
        if (first == "#") {
            if (second == "TYPE") CHECK(typed.insert(third).second);
            continue;
        }
        CHECK(typed.contains(first));
        CHECK_MESSAGE(values.emplace(first, second).second, first);
    }
    return values;
}

}  // namespace

TEST_CASE("queues, limits, lag and stage times are told, each once and with its type") {
    observe::ProcessState state{};
    state.committer.state = CommitterStatus::State::running;
    state.committer.waiting_items = 7;
    state.committer.most_waiting_items = 100;
    state.committer.commit_time = 1'500ms;
    state.committer.left_out = 3;
    state.lanes.state = LeaderStatus::State::replaying;
    state.lanes.percent = 40;
    state.lanes.write_time = 250ms;
    state.lanes.apply_time = 125ms;
    state.lanes.rematches = {{5, 60, 2, 1}, 30};
    state.lanes.rematch_time = 75ms;
    state.committer.wait_time = 2s;
    state.pool = {5, 2, 8, 1};
    state.hand_off = {2, 512, 1024, catenary::engine::from_micros(1'000'000)};
    state.keys = {4, 9, 13};
    state.unlisted_sources = 6;
    state.committer.storage_full = "1 MiB is left";
    state.committer.without_room = 11;
    state.committer.failures = 12;
    state.room = {.data_free = 100, .wal_free = 50, .is_short = true, .shortages = 2};
    const auto values = read(observe::process_metrics(state, catenary::engine::from_micros(3'500'000)));
    CHECK(values.at("catenary_ingest_running") == "1");
    CHECK(values.at("catenary_ingest_waiting_signals") == "7");
    CHECK(values.at("catenary_ingest_waiting_signals_limit") == "100");
    CHECK(values.at("catenary_ingest_commit_seconds_total") == "1.5");
    CHECK(values.at("catenary_hand_off_left_out_total") == "3");
    CHECK(values.at("catenary_lanes_leading") == "0");
    CHECK(values.at("catenary_lanes_replayed_percent") == "40");
    CHECK(values.at("catenary_hand_off_oldest_seconds") == "2.5");
    CHECK(values.at("catenary_lane_write_seconds_total") == "0.25");
    CHECK(values.at("catenary_lane_apply_seconds_total") == "0.125");
    CHECK(values.at("catenary_ingest_wait_seconds_total") == "2");
    CHECK(values.at("catenary_rematches_total") == "5");
    CHECK(values.at("catenary_rematch_signals_total") == "60");
    CHECK(values.at("catenary_rematches_cut_total") == "2");
    CHECK(values.at("catenary_rematches_given_up_total") == "1");
    CHECK(values.at("catenary_rematch_backlog_signals") == "30");
    CHECK(values.at("catenary_rematch_seconds_total") == "0.075");
    CHECK(values.at("catenary_hand_off_bytes_limit") == "1024");
    CHECK(values.at("catenary_pool_connections_limit") == "8");
    CHECK(values.at("catenary_keys_refused_remembered") == "9");
    CHECK(values.at("catenary_key_look_ups_total") == "13");
    CHECK(values.at("catenary_sources_unlisted_total") == "6");
    CHECK(values.at("catenary_ingest_storage_full") == "1");
    CHECK(values.at("catenary_ingest_without_room_total") == "11");
    CHECK(values.at("catenary_ingest_failures_total") == "12");
    CHECK(values.at("catenary_storage_wal_free_bytes") == "50");
    CHECK(values.at("catenary_storage_shortages_total") == "2");
    state.hand_off.oldest.reset();
    CHECK(read(observe::process_metrics(state, {})).at("catenary_hand_off_oldest_seconds") == "0");
}
