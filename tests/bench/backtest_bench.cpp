// Backtests over HTTP, from the request to the result, with a million signals of ten days stored, beside a bare binary COPY of the same rows out of PostgreSQL.
// usage: CATENARY_PROGRAM=build/bench/catenary backtest_bench [signals] [rounds]

#include "server/ingest/pq_connection.hpp"
#include "server/pg/private_cluster.hpp"
#include "tests/bench/bare_copy.hpp"
#include "tests/support/server_process.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace catenary;
using Steady = std::chrono::steady_clock;
using Json = nlohmann::json;

namespace {

/// Of a tenant: signals evenly over ten days, each of a host, an account and an address; definitions by n % 100. {0} tenant, {1} signals.
constexpr std::string_view fill_sql = R"(
    SET timezone = 'UTC';
    SELECT ensure_leaf(DATE '2026-03-01' + n) FROM generate_series(0, 10) n;
    INSERT INTO def (tenant, domain, source, name, tactics, techniques)
        SELECT {0}, 'endpoint', 'edr' || n % 5, 'probe' || n, '{{TA0001}}', '{{T1078}}' FROM generate_series(0, 99) n;
    INSERT INTO entity (tenant, kind, value, identifies)
        SELECT {0}, 'host', 'h' || n, true FROM generate_series(0, 19999) n UNION ALL SELECT {0}, 'account', 'a' || n, true FROM generate_series(0, 19996) n
        UNION ALL SELECT {0}, 'ip', '10.0.0.' || n, true FROM generate_series(1, 97) n;
    INSERT INTO signal (key, tenant, position, time, received, def, title, severity, confidence, count, entities, roles, content, source_id, attributes, shown)
        SELECT (lpad(to_hex(floor(extract(epoch FROM t) * 1000)::int8), 12, '0') || left(md5(n::text), 20))::uuid, {0}, n + l.next_position, t, t, d.first + n % 100, NULL, n % 4,
               0.3, 1, ARRAY[e.first + n * 7919 % 20000, e.first + 20000 + n * 104729 % 19997, e.first + 39997 + n % 97], '\x010203'::bytea, n, 's' || n,
               '{{"country":"RO","process":"C:\\Windows\\System32\\rundll32.exe","session":"' || md5(n::text) || '"}}', NULL
        FROM (SELECT n, timestamptz '2026-03-01 00:00+00' + n * (interval '10 days' / {1}) AS t FROM generate_series(0::int8, {1} - 1) n) made,
             (SELECT min(id) AS first FROM def WHERE tenant = {0}) d, (SELECT min(id) AS first FROM entity WHERE tenant = {0}) e, log l;
    UPDATE log SET next_position = next_position + {1};
    ANALYZE signal, def, entity;)";

struct Case {
    std::string what;
    Json stages;
};

/// The socket folder of the server's private PostgreSQL, as its pid file says.
std::string superuser_dsn(const std::filesystem::path& data_folder) {
    std::ifstream pid_file{data_folder / "postgres" / "postmaster.pid"};
    std::string line;
    for (int i = 0; i < 5; ++i) std::getline(pid_file, line);
    return fmt::format("host={} dbname=catenary user={}", line, server::pg::PrivateCluster::superuser);
}

double seconds(Steady::time_point begin) { return std::chrono::duration<double>(Steady::now() - begin).count(); }

double bare_copy_out(server::PqConnection& connection, const std::string& tenant) {
    const auto begin = Steady::now();
    connection.copy_out(
        fmt::format("COPY (SELECT * FROM signal WHERE time >= '2026-03-01' AND time < '2026-03-11' AND tenant = {}) TO STDOUT (FORMAT binary)", tenant));
    while (!connection.copy_row().empty()) {
    }
    return seconds(begin);
}

Json names(int first, int count) {
    auto list = Json::array();
    for (int n = first; n < first + count; ++n) list.push_back(fmt::format("probe{}", n));
    return list;
}

struct Outcome {
    double seconds;
    int progress_seen;  ///< different percentages, as a client that polls saw them
    Json result;
};

Outcome backtest(server::ApiClient& client, const Json& stages) {
    const Json document{{"id", "tried"}, {"title", "Tried"}, {"within", "24h"}, {"link", {{"same", {"account"}}}}, {"stages", stages}};
    const auto begin = Steady::now();
    const auto posted =
        client.post("/api/v1/patterns/tried/backtest", Json{{"from", "2026-03-01T00:00:00Z"}, {"to", "2026-03-11T00:00:00Z"}, {"document", document}}.dump());
    if (posted.status != 202) throw std::runtime_error(posted.body);
    const auto path = "/api/v1/jobs/" + Json::parse(posted.body)["id"].get<std::string>();
    Json last;
    for (int seen = 0;; std::this_thread::sleep_for(std::chrono::milliseconds{20})) {
        const auto job = Json::parse(client.get(path).body);
        if (job["state"] == "done") return {seconds(begin), seen, job["result"]};
        if (job["state"] != "queued" && job["state"] != "running") throw std::runtime_error(job.dump());
        if (job["progress"] != last) ++seen;
        last = job["progress"];
    }
}

int run(std::size_t signals, int rounds) {
    tests::ServerProcess server;
    server.start();
    auto admin = server.admin();
    const auto key = Json::parse(admin.post("/api/v1/tenants", R"({"name":"bench"})").body)["key"].get<std::string>();
    server::ApiClient client{server.url(), key};
    server::PqConnection connection{superuser_dsn(server.data_folder())};
    const std::string tenant{connection.run("SELECT id FROM tenant WHERE name = 'bench'").text(0, 0)};
    const auto begin = Steady::now();
    connection.run(fmt::format(fill_sql, tenant, signals));
    // What has passed the lane tells where the watermark is.
    client.post("/api/v1/signals", R"({"source":"s","id":"last","time":"2026-03-11T02:00:00Z","domain":"endpoint","name":"last"})");
    tests::wait_until_correlated(client);
    fmt::print("{} signals stored in {:.1f} s\n", signals, seconds(begin));

    const std::vector<Case> cases{
        {"two names of a hundred", {{{"id", "a"}, {"match", {{"name", "probe13"}}}}, {{"id", "b"}, {"match", {{"name", "probe7"}}}}}},
        {"ten names of a hundred", {{{"id", "a"}, {"match", {{"name", names(5, 5)}}}}, {{"id", "b"}, {"match", {{"name", names(0, 5)}}}}}},
        {"every signal, nothing found", {{{"id", "a"}, {"match", {{"domain", "endpoint"}}}}, {{"id", "b"}, {"match", {{"name", "never"}}}}}},
    };
    for (const auto& each : cases) {
        std::vector<double> rates, ratios;
        Outcome outcome;
        for (int round = 0; round < rounds; ++round) {
            const auto bare = bare_copy_out(connection, tenant);
            outcome = backtest(client, each.stages);
            rates.push_back(static_cast<double>(signals) / outcome.seconds);
            ratios.push_back(bare / outcome.seconds);
        }
        fmt::print("{:<28} {:8.0f} signals/s ({:.2f} of a bare COPY out), {} findings, progress seen {} times; bar 200,000: {}\n", each.what,
                   bench::median(rates), bench::median(ratios), outcome.result["findings_total"].get<std::int64_t>(), outcome.progress_seen,
                   bench::median(rates) >= 200'000 ? "met" : "short");
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t signals = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
    return run(signals, rounds);
}
