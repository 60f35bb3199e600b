// The whole path beside a bare COPY: signals over loopback HTTP, durable, acknowledged and correlated, against a binary COPY of the same rows.
// usage: CATENARY_PROGRAM=build/bench/catenary end_to_end_bench [signals a round] [rounds] [connections]

#include "server/pg/private_cluster.hpp"
#include "tests/bench/bare_copy.hpp"
#include "tests/bench/load_client.hpp"
#include "tests/bench/signal_generator.hpp"
#include "tests/support/server_process.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

using namespace catenary;
using Steady = std::chrono::steady_clock;

namespace {

constexpr std::size_t request_signals = 1'000;

double seconds_since(Steady::time_point begin) { return std::chrono::duration<double>(Steady::now() - begin).count(); }

std::shared_ptr<api::ingest::PreparedBatch> prepared(const std::string& body) {
    api::http::Request request;
    request.method = api::http::Method::post;
    request.content_type = "application/x-ndjson";
    request.body = body;
    const auto now = std::chrono::floor<engine::Duration>(std::chrono::system_clock::now());
    auto preparation = api::ingest::prepare(request, api::Caller{}, now, api::ingest::IngestLimits{});
    if (preparation.batch == nullptr || preparation.batch->signals.size() != request_signals) throw std::runtime_error("the generator makes bad signals");
    return preparation.batch;
}

struct Rates {
    double acknowledged;  ///< seconds until the last reply
    double correlated;    ///< seconds until the engine had caught up as well
};

Rates through_server(const bench::LoadOptions& load, const std::vector<std::string>& bodies) {
    const auto begin = Steady::now();
    const auto report = bench::send_load(load, bodies);
    server::ApiClient client{load.url, load.key};
    tests::wait_until_correlated(client);
    if (report.refused > 0) throw std::runtime_error(fmt::format("{} requests were refused", report.refused));
    return {report.seconds, seconds_since(begin)};
}

/// Seconds that a transaction takes which writes nothing but its commit record: the floor under every acknowledgement.
double empty_commit(server::PqConnection& connection) {
    std::vector<double> times;
    for (int i = 0; i < 201; ++i) {
        const auto begin = Steady::now();
        connection.run("BEGIN; SELECT pg_current_xact_id(); COMMIT");
        times.push_back(seconds_since(begin));
    }
    return bench::median(times);
}

/// How long acknowledgements take while the server has half as much to do as it can.
void at_half_rate(const bench::LoadOptions& load, double requests_per_second, bench::SignalGenerator& generator, server::PqConnection& connection) {
    constexpr double span = 10;  // seconds
    auto half = load;
    half.requests_per_second = requests_per_second / 2;
    std::vector<std::string> bodies(static_cast<std::size_t>(span * half.requests_per_second) + 1);
    for (auto& body : bodies) body = generator.body(request_signals);
    const auto commit = empty_commit(connection);
    const auto report = bench::send_load(half, bodies);
    const auto p99 = bench::percentile(report.latencies, 0.99);
    fmt::print("acknowledged at half of that, {:.0f} signals/s for {:.0f} s: p50 {:.1f} ms, p90 {:.1f}, p99 {:.1f}, most {:.1f}\n",
               half.requests_per_second * request_signals, span, bench::percentile(report.latencies, 0.5) * 1e3, bench::percentile(report.latencies, 0.9) * 1e3,
               p99 * 1e3, report.latencies.back() * 1e3);
    fmt::print("an empty durable commit: {:.2f} ms, median; the p99 is {:.1f} of them\n", commit * 1e3, p99 / commit);
}

/// The socket folder of the server's private PostgreSQL, as its pid file says.
std::string superuser_dsn(const std::filesystem::path& data_folder) {
    std::ifstream pid_file{data_folder / "postgres" / "postmaster.pid"};
    std::string line;
    for (int i = 0; i < 5; ++i) std::getline(pid_file, line);
    return fmt::format("host={} dbname=catenary user={}", line, server::pg::PrivateCluster::superuser);
}

int run(std::size_t signals, std::size_t rounds, std::size_t connections) {
    tests::ServerProcess server;
    server.start();
    auto admin = server.admin();
    const auto key = nlohmann::json::parse(admin.post("/api/v1/tenants", R"({"name":"bench"})").body)["key"].get<std::string>();
    server::PqConnection connection{superuser_dsn(server.data_folder())};
    const bench::LoadOptions load{server.url(), key, connections};
    bench::SignalGenerator generator{42};
    std::vector<double> ratios;
    std::vector<double> rates;
    for (std::size_t round = 0; round <= rounds; ++round) {
        std::vector<std::string> bodies;
        std::vector<std::shared_ptr<api::ingest::PreparedBatch>> requests;
        for (std::size_t made = 0; made < signals; made += request_signals) {
            bodies.push_back(generator.body(request_signals));
            requests.push_back(prepared(bodies.back()));
        }
        const auto bare = bench::bare_copy(connection, requests);
        requests.clear();
        const auto ours = through_server(load, bodies);
        const auto count = static_cast<double>(bodies.size() * request_signals);
        fmt::print("{}bare COPY {:.0f} rows/s; end to end {:.0f} signals/s acknowledged, {:.0f} correlated; {:.3f} of bare COPY\n",
                   round == 0 ? "warm-up: " : "", count / bare, count / ours.acknowledged, count / ours.correlated, bare / ours.correlated);
        if (round == 0) continue;
        ratios.push_back(bare / ours.correlated);
        rates.push_back(static_cast<double>(bodies.size()) / ours.correlated);
    }
    fmt::print("end to end, median of {} rounds of {} signals over {} connections: {:.3f} of bare COPY\n", rounds, signals, connections, bench::median(ratios));
    at_half_rate(load, bench::median(rates), generator, connection);
    server.stop();
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const auto number = [&](int i, std::size_t otherwise) { return count > i ? std::strtoul(words[i], nullptr, 10) : otherwise; };
    return run(number(1, 200'000), number(2, 5), number(3, 16));
}
