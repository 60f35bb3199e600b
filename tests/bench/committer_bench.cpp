// How fast the committer alone makes rows durable, against a bare binary COPY of the same rows into an unindexed copy of the table in the same run.
// Usage: committer_bench DSN [signals a round] [rounds] [signals a request] [requests in flight]
// DSN: a database with the migrations applied, reachable as a superuser; tables bench_* are made and dropped.

#include "server/ingest/committer.hpp"
#include "server/ingest/pq_connection.hpp"
#include "tests/bench/bare_copy.hpp"
#include "tests/support/signal_batches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>
#include <string>
#include <vector>

using namespace catenary;
using Steady = std::chrono::steady_clock;

namespace {

struct Settings {
    std::string dsn;
    std::size_t signals = 200'000;
    std::size_t rounds = 5;
    std::size_t request = 1'000;
    std::size_t in_flight = 16;
};

/// About 512 bytes as JSON, 2.8 entities from 20,000 by a Zipf-like law, 40 names of 4 sources.
std::shared_ptr<api::ingest::PreparedBatch> make_request(std::size_t count, engine::Timestamp from, std::mt19937_64& random, std::uint64_t& serial) {
    tests::BatchBuilder builder;
    const auto zipf = [&random] {
        const double u = std::uniform_real_distribution<double>{0, 1}(random);
        return static_cast<int>(std::pow(20'000.0, u));
    };
    for (std::size_t i = 0; i < count; ++i) {
        tests::BatchBuilder::Item item;
        const auto kind = random() % 40;
        item.source = fmt::format("source-{}", kind % 4);
        item.id = fmt::format("{:016x}-{:08x}", random(), ++serial);
        item.time = from + std::chrono::microseconds{serial * 1'000 + random() % 1'000};
        item.name = fmt::format("suspicious_activity_{}", kind);
        item.title = fmt::format("Suspicious activity of kind {} was observed", kind);
        item.entities = {{"account", fmt::format("user{}@corp.example", zipf()), "actor", true},
                         {"host", fmt::format("ws-{}.corp.example", zipf()), "target", true}};
        if (random() % 10 < 8) item.entities.push_back({"ip", fmt::format("10.{}.{}.7", zipf() % 200, zipf() % 250), "source", true});
        item.attributes =
            fmt::format(R"({{"country":"RO","risk_level":"medium","process":"C:\\Windows\\System32\\rundll32.exe","bytes":{},"session":"{:016x}{:016x}"}})",
                        random() % 100'000, random(), random());
        item.plain_attributes = true;  // as the parser finds most attributes
        builder.add(item);
    }
    return builder.build();
}

double seconds(Steady::time_point begin) { return std::chrono::duration<double>(Steady::now() - begin).count(); }

double through_committer(server::Committer& committer, const std::vector<std::shared_ptr<api::ingest::PreparedBatch>>& requests, std::size_t in_flight,
                         engine::TenantId tenant) {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t running = 0;
    std::size_t failed = 0;
    const auto begin = Steady::now();
    for (const auto& request : requests) {
        {
            std::unique_lock lock{mutex};
            changed.wait(lock, [&] { return running < in_flight; });
            ++running;
        }
        committer.submit(tenant, request, [&](const api::ingest::CommitOutcome& outcome) {
            const std::lock_guard lock{mutex};
            --running;
            if (outcome.state != api::ingest::CommitOutcome::State::committed) ++failed;
            changed.notify_one();
        });
    }
    std::unique_lock lock{mutex};
    changed.wait(lock, [&] { return running == 0; });
    if (failed > 0) std::printf("failed requests: %zu\n", failed);
    return seconds(begin);
}

double empty_commit(server::PqConnection& connection) {
    connection.run("CREATE TABLE IF NOT EXISTS bench_one (n int)");
    connection.run("INSERT INTO bench_one VALUES (1)");
    std::vector<double> times;
    for (int i = 0; i < 50; ++i) {
        const auto begin = Steady::now();
        connection.run("UPDATE bench_one SET n = n + 1");
        times.push_back(seconds(begin));
    }
    connection.run("DROP TABLE bench_one");
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

int run(const Settings& settings) {
    server::PqConnection connection{settings.dsn};
    connection.run("INSERT INTO tenant (name, lane) VALUES ('bench', 0) ON CONFLICT DO NOTHING");
    const engine::TenantId tenant{static_cast<std::int32_t>(connection.run("SELECT id FROM tenant WHERE name = 'bench'").number(0, 0))};
    server::Watermarks watermarks;
    server::SourceRegistry sources;
    server::HandOff hand_off;
    const auto clock = [] { return std::chrono::floor<engine::Duration>(std::chrono::system_clock::now()); };
    server::CommitterOptions options;
    options.dsn = settings.dsn + " user=catenary options='-c role=catenary_ingest'";
    server::Committer committer{options, clock, watermarks, sources, hand_off};
    committer.start();
    std::printf("empty durable commit: %.2f ms\n", empty_commit(connection) * 1'000);
    std::mt19937_64 random{42};
    std::uint64_t serial = 0;
    std::vector<double> ratios;
    for (std::size_t round = 0; round < settings.rounds; ++round) {
        std::vector<std::shared_ptr<api::ingest::PreparedBatch>> requests;
        for (std::size_t made = 0; made < settings.signals; made += settings.request)
            requests.push_back(make_request(settings.request, clock(), random, serial));
        const auto bare = bench::bare_copy(connection, requests);
        const auto ours = through_committer(committer, requests, settings.in_flight, tenant);
        ratios.push_back(bare / ours);
        const auto count = static_cast<double>(settings.signals);
        std::printf("bare %.0f rows/s (%.2f us), committer %.0f rows/s (%.2f us), ratio %.2f\n", count / bare, bare / count * 1e6, count / ours,
                    ours / count * 1e6, bare / ours);
    }
    const auto status = committer.status();
    std::printf("median ratio %.2f; %.0f rows a group, %llu collisions\n", bench::median(ratios),
                static_cast<double>(status.accepted) / static_cast<double>(status.groups), static_cast<unsigned long long>(status.key_collisions));
    committer.stop();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: committer_bench DSN [signals a round] [rounds] [signals a request] [requests in flight]\n");
        return 2;
    }
    Settings settings;
    settings.dsn = argv[1];
    std::size_t* const numbers[] = {&settings.signals, &settings.rounds, &settings.request, &settings.in_flight};
    for (int i = 2; i < argc && i < 6; ++i) *numbers[i - 2] = std::strtoul(argv[i], nullptr, 10);
    return run(settings);
}
