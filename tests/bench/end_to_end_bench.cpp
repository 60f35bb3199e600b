// The whole path beside a bare COPY: signals over loopback HTTP, durable, acknowledged and correlated, against a binary COPY of the same rows.
// usage: CATENARY_PROGRAM=build/bench/catenary end_to_end_bench [signals a round] [rounds] [connections]

#include "tests/bench/bare_copy.hpp"
#include "tests/bench/half_rate.hpp"
#include "tests/bench/load_client.hpp"
#include "tests/bench/signal_generator.hpp"
#include "tests/support/server_process.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

using namespace catenary;
using Steady = std::chrono::steady_clock;

namespace {

constexpr std::size_t request_signals = 1'000;
constexpr std::size_t small_request = 100;

double seconds_since(Steady::time_point begin) { return std::chrono::duration<double>(Steady::now() - begin).count(); }

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

/// Signals a second that are acknowledged and correlated when they come in small requests: the median of three rounds.
double most_of_small(const bench::LoadOptions& load, bench::SignalGenerator& generator, std::size_t signals) {
    std::vector<double> rates;
    for (int round = 0; round < 3; ++round) {
        std::vector<std::string> bodies(signals / small_request);
        for (auto& body : bodies) body = generator.body(small_request);
        rates.push_back(static_cast<double>(bodies.size() * small_request) / through_server(load, bodies).correlated);
    }
    return bench::median(rates);
}

int run(std::size_t signals, std::size_t rounds, std::size_t connections) {
    tests::ServerProcess server;
    server.start();
    auto admin = server.admin();
    const auto key = nlohmann::json::parse(admin.post("/api/v1/tenants", R"({"name":"bench"})").body)["key"].get<std::string>();
    const auto dsn = server.superuser_url();
    server::PqConnection connection{dsn};
    bench::LoadOptions load{server.url(), key, connections};
    bench::SignalGenerator generator{42};
    std::vector<double> ratios;
    std::vector<double> rates;
    for (std::size_t round = 0; round <= rounds; ++round) {
        std::vector<std::string> bodies;
        std::vector<std::shared_ptr<api::ingest::PreparedBatch>> requests;
        for (std::size_t made = 0; made < signals; made += request_signals) {
            bodies.push_back(generator.body(request_signals));
            requests.push_back(bench::prepared_request(bodies.back()));
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
    bench::measure_half_rate({bench::median(rates) * request_signals / 2, request_signals}, load, generator, dsn);
    load.connections = 64;  // so many small ones have to wait side by side
    const auto most = most_of_small(load, generator, signals);
    fmt::print("{:.0f} signals/s at most in requests of {}\n", most, small_request);
    bench::measure_half_rate({most / 2, small_request}, load, generator, dsn);
    server.stop();
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const auto number = [&](int i, std::size_t otherwise) { return count > i ? std::strtoul(words[i], nullptr, 10) : otherwise; };
    return run(number(1, 200'000), number(2, 5), number(3, 16));
}
