// How long a start takes, from exec to the first 200 of /readyz: with the newest saved state of the lanes, and without any, over the same log.
// usage: CATENARY_PROGRAM=build/bench/catenary start_bench [signals] [starts of each kind]

#include "server/ingest/pq_connection.hpp"
#include "tests/bench/bare_copy.hpp"
#include "tests/bench/churning_signals.hpp"
#include "tests/bench/load_client.hpp"
#include "tests/support/server_process.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace catenary;
using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

namespace {

constexpr std::size_t request_signals = 1'000;
constexpr std::chrono::seconds patience = 30min;

double seconds_since(Steady::time_point begin) { return std::chrono::duration<double>(Steady::now() - begin).count(); }

double metric(server::ApiClient& client, std::string_view name) {
    const auto text = client.get("/metrics").body;
    const auto line = fmt::format("\ncatenary_{} ", name);
    const auto at = text.find(line);
    if (at == std::string::npos) throw std::runtime_error(fmt::format("no metric {}", name));
    return std::strtod(text.c_str() + at + line.size(), nullptr);
}

template <class Condition>
void wait_until(std::string_view what, Condition&& holds) {
    const auto deadline = Steady::now() + patience;
    while (!holds()) {
        if (Steady::now() > deadline) throw std::runtime_error(fmt::format("in half an hour not: {}", what));
        std::this_thread::sleep_for(20ms);
    }
}

/// Signals of months, with people and machines that come and go, stored and correlated.
void store(const bench::LoadOptions& load, server::ApiClient& client, std::size_t signals) {
    bench::ChurningSignals churning{11};
    for (std::size_t stored = 0; stored < signals;) {
        std::vector<std::string> bodies;
        for (; bodies.size() < 300 && stored < signals; stored += request_signals) bodies.push_back(churning.body(request_signals));
        if (const auto report = bench::send_load(load, bodies); report.refused > 0)
            throw std::runtime_error(fmt::format("{} requests were refused", report.refused));
        tests::wait_until_correlated(client);
    }
}

/// Starts a server that was stopped, so and so often; leaves the last one running. `prepare` runs before each start.
template <class Prepare>
void measure(std::string_view what, tests::ServerProcess& server, std::size_t starts, Prepare&& prepare) {
    std::vector<double> seconds;
    double from = 0, replayed = 0;
    for (std::size_t i = 0; i < starts; ++i) {
        prepare();
        server.stop();
        const auto begin = Steady::now();
        server.start(patience);
        seconds.push_back(seconds_since(begin));
        server::ApiClient client{server.url(), ""};
        from = metric(client, "start_position");
        replayed = metric(client, "lane_entries_replayed_total");
    }
    fmt::print("start {}: {:.2f} s, median of {} ({:.2f} to {:.2f}); from position {:.0f}, {:.0f} entries applied again\n", what, bench::median(seconds),
               starts, *std::ranges::min_element(seconds), *std::ranges::max_element(seconds), from, replayed);
    std::fflush(stdout);
}

int run(std::size_t signals, std::size_t starts) {
    // As often as makes a few, the last of which has most of the log in it.
    tests::ServerProcess server{{"--snapshot-entries", std::to_string(std::max<std::size_t>(signals * 3 / 10, 1'000))}};
    server.start();
    const auto key = server.tenant_key("bench");
    server::ApiClient client{server.url(), key};
    const auto begin = Steady::now();
    store({server.url(), key}, client, signals);
    const auto wanted = static_cast<double>(signals) * 0.7;
    wait_until("a saved state of most of the log", [&] { return metric(client, "snapshot_position") > wanted; });
    const auto diagnostics = nlohmann::json::parse(client.get("/api/v1/diagnostics").body)["counts"];
    fmt::print(
        "{} signals stored and correlated in {:.0f} s; {} held in {:.1f} MiB; saved at position {:.0f}: {:.1f} MiB, made in {:.2f} s, stored in {:.2f} s\n",
        signals, seconds_since(begin), diagnostics["window_signals"].get<std::int64_t>(), diagnostics["state_bytes"].get<double>() / 1048576.0,
        metric(client, "snapshot_position"), metric(client, "snapshot_bytes") / 1048576.0, metric(client, "snapshot_pause_seconds"),
        metric(client, "snapshot_store_seconds"));
    measure("with a saved state", server, starts, [] {});
    measure("without", server, starts, [&] {
        // What read the whole log has a state to save at once.
        server::ApiClient running{server.url(), ""};
        if (metric(running, "start_position") == 0) wait_until("a state saved again", [&] { return metric(running, "snapshots_stored_total") > 0; });
        server::PqConnection{server.superuser_url()}.run("DELETE FROM snapshot; DELETE FROM snapshot_source");
    });
    server.stop();
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const auto number = [&](int i, std::size_t otherwise) { return count > i ? std::strtoul(words[i], nullptr, 10) : otherwise; };
    return run(std::max<std::size_t>(number(1, 3'000'000), request_signals), std::max<std::size_t>(number(2, 3), 1));
}
