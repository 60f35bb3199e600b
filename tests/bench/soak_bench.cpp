// A server under steady load for a long time, people and machines coming and going: does memory stay flat, does correlation keep up, are descriptors given back?
// usage: CATENARY_PROGRAM=build/bench/catenary soak_bench [minutes] [percent of the maximum rate] [days of retention, 0: for ever]

#include "tests/bench/bare_copy.hpp"
#include "tests/bench/churning_signals.hpp"
#include "tests/bench/load_client.hpp"
#include "tests/support/server_process.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace catenary;
using Steady = std::chrono::steady_clock;
using nlohmann::json;

namespace {

constexpr std::size_t request_signals = 1'000;
constexpr double slice_seconds = 10;

std::vector<std::string> bodies_of(bench::ChurningSignals& signals, std::size_t count) {
    std::vector<std::string> bodies(count);
    for (auto& body : bodies) body = signals.body(request_signals);
    return bodies;
}

struct Sample {
    double minute;
    double resident;  ///< MiB of the server, not of PostgreSQL
    std::size_t descriptors;
    std::int64_t lag;  ///< signals behind, the moment the slice's last answer came
    double p99;        ///< seconds to acknowledge
    std::int64_t held, state_bytes;
};

double resident_mebibytes(pid_t process) {
    std::ifstream statm{fmt::format("/proc/{}/statm", process)};
    double total = 0, resident = 0;
    statm >> total >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1048576.0;
}

std::size_t open_descriptors(pid_t process) {
    const std::filesystem::directory_iterator all{fmt::format("/proc/{}/fd", process)};
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

Sample sample(const tests::ServerProcess& server, server::ApiClient& client, double minute, const bench::LoadReport& report) {
    const auto diagnostics = json::parse(client.get("/api/v1/diagnostics").body);
    return {minute,
            resident_mebibytes(server.pid()),
            open_descriptors(server.pid()),
            diagnostics["lag"]["signals"].get<std::int64_t>(),
            bench::percentile(report.latencies, 0.99),
            diagnostics["counts"]["window_signals"].get<std::int64_t>(),
            diagnostics["counts"]["state_bytes"].get<std::int64_t>()};
}

/// MiB a minute, by least squares.
double slope(const std::vector<Sample>& samples) {
    const auto n = static_cast<double>(samples.size());
    double x = 0, y = 0, xx = 0, xy = 0;
    for (const auto& one : samples) {
        x += one.minute;
        y += one.resident;
        xx += one.minute * one.minute;
        xy += one.minute * one.resident;
    }
    return (n * xy - x * y) / (n * xx - x * x);
}

void print(const Sample& one) {
    fmt::print("minute {:5.1f}: {:.0f} MiB resident, {} descriptors, lag {}, p99 {:.1f} ms, {} signals held, {:.1f} MiB of engine state\n", one.minute,
               one.resident, one.descriptors, one.lag, one.p99 * 1e3, one.held, static_cast<double>(one.state_bytes) / 1048576.0);
    std::fflush(stdout);
}

/// Requests a second, correlated as well, once the engine holds as much as it ever will and forgets what it learns: a young one does much less for a signal.
double most_once_full(const bench::LoadOptions& load, server::ApiClient& client, bench::ChurningSignals& signals) {
    constexpr std::size_t round = 500;
    constexpr std::size_t most_rounds = 60;
    std::vector<double> rates;
    std::int64_t held = 0;
    for (std::size_t done = 0, full = 0; done < most_rounds && full < 6; ++done) {
        const auto bodies = bodies_of(signals, round);
        const auto begin = Steady::now();
        bench::send_load(load, bodies);
        tests::wait_until_correlated(client);
        rates.push_back(static_cast<double>(round) / std::chrono::duration<double>(Steady::now() - begin).count());
        const auto now = json::parse(client.get("/api/v1/diagnostics").body)["counts"]["window_signals"].get<std::int64_t>();
        if (now <= std::exchange(held, std::max(held, now)) * 101 / 100) ++full;
    }
    const std::vector<double> last{rates.end() - 5, rates.end()};
    fmt::print("after {} rounds {} signals are held; {:.0f} signals/s at most, {:.0f} in the first round\n", rates.size(), held,
               bench::median(last) * request_signals, rates.front() * request_signals);
    std::fflush(stdout);
    return bench::median(last);
}

int run(double minutes, double percent, std::size_t retention_days) {
    std::vector<std::string> flags{"--dedup-memory", "64"};  // its bound is reached within minutes
    if (retention_days > 0) flags.insert(flags.end(), {"--retention-days", std::to_string(retention_days)});
    tests::ServerProcess server{flags};
    server.start();
    const auto key = server.tenant_key("soak");
    bench::LoadOptions load{server.url(), key};
    server::ApiClient client{server.url(), key};
    bench::ChurningSignals signals{std::random_device{}()};
    load.requests_per_second = most_once_full(load, client, signals) * percent / 100;
    fmt::print("{:.0f} % of it, {:.0f} signals/s, for {:.0f} minutes\n", percent, load.requests_per_second * request_signals, minutes);

    const auto slice = static_cast<std::size_t>(slice_seconds * load.requests_per_second);
    auto next = bodies_of(signals, slice);
    std::vector<Sample> samples;
    const auto begin = Steady::now();
    double reported = -1;
    std::size_t sent = 0, refused = 0, repeated = 0;
    for (double minute = 0; minute < minutes;) {
        const auto bodies = std::move(next);
        auto making = std::async(std::launch::async, [&] { return bodies_of(signals, slice); });
        const auto report = bench::send_load(load, bodies);
        minute = std::chrono::duration<double, std::ratio<60>>(Steady::now() - begin).count();
        samples.push_back(sample(server, client, minute, report));
        sent += bodies.size();
        refused += report.refused;
        repeated += report.repeated;
        if (minute - reported >= 1 || minute >= minutes) print(samples.back());
        if (minute - reported >= 1) reported = minute;
        next = making.get();
    }
    const auto caught_up = Steady::now();
    tests::wait_until_correlated(client);
    const auto settled = std::chrono::duration<double>(Steady::now() - caught_up).count();
    const std::vector<Sample> later{samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 3), samples.end()};
    const auto most_lag = std::max_element(later.begin(), later.end(), [](const auto& a, const auto& b) { return a.lag < b.lag; })->lag;
    const auto [fewest, most] = std::minmax_element(later.begin(), later.end(), [](const auto& a, const auto& b) { return a.descriptors < b.descriptors; });
    std::vector<double> slices;
    for (const auto& one : later) slices.push_back(one.p99);
    std::sort(slices.begin(), slices.end());
    fmt::print(
        "soak: {} signals in {:.1f} minutes, {} requests refused, {} repeated; in the last two thirds resident memory {:.0f} to {:.0f} MiB, {:+.2f} MiB a "
        "minute ({:+.2f} % of it), "
        "descriptors {} to {}, lag at most {} signals, zero {:.1f} s after the end; acknowledged p99 of a slice {:.0f} ms, {:.0f} in nine of ten, {:.0f} at "
        "most\n",
        sent * request_signals, samples.back().minute, refused, repeated, later.front().resident, later.back().resident, slope(later),
        100 * slope(later) / later.back().resident, fewest->descriptors, most->descriptors, most_lag, settled, bench::percentile(slices, 0.5) * 1e3,
        bench::percentile(slices, 0.9) * 1e3, bench::percentile(slices, 1) * 1e3);
    server.stop();
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const auto number = [&](int i, double otherwise) { return count > i ? std::strtod(words[i], nullptr) : otherwise; };
    return run(number(1, 30), number(2, 70), static_cast<std::size_t>(number(3, 0)));
}
