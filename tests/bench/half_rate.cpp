#include "tests/bench/half_rate.hpp"

#include "api/json/time_json.hpp"
#include "server/replay/api_client.hpp"
#include "tests/bench/bare_copy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

namespace catenary::bench {
namespace {

using Steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

double seconds_since(Steady::time_point begin) { return std::chrono::duration<double>(Steady::now() - begin).count(); }

/// Seconds that a transaction takes which writes nothing but its commit record: the floor under every acknowledgement.
double empty_commit(server::PqConnection& connection) {
    const auto begin = Steady::now();
    connection.run("BEGIN; SELECT pg_current_xact_id(); COMMIT");
    return seconds_since(begin);
}

struct Probes {
    std::vector<double> to_incident;  ///< seconds from the acknowledgement of a chain's last signal to the answer that shows its incident
    std::vector<double> commits;      ///< of empty transactions, during the load
};

/// Chains of two signals, each on an account of its own, one after the other; and an empty commit after each.
class Prober {
public:
    Prober(const LoadOptions& load, const std::string& dsn) : client_{load.url, load.key}, connection_{dsn} {}

    Probes run(const std::atomic<bool>& ends) {
        Probes probes;
        for (int chain = 0; !ends; ++chain) {
            const auto account = fmt::format("probe-{:08x}-{}@corp.example", run_, chain);
            post(account, "identity", "impossible_travel", chain, 0);
            post(account, "email", "suspicious_inbox_rule", chain, 1);
            const auto acknowledged = Steady::now();
            await_incident(account);
            probes.to_incident.push_back(seconds_since(acknowledged));
            probes.commits.push_back(empty_commit(connection_));
            std::this_thread::sleep_for(20ms);
        }
        return probes;
    }

private:
    void post(const std::string& account, const char* domain, const char* name, int chain, int second) {
        const engine::Timestamp time = std::chrono::sys_days{std::chrono::year{2026} / 3 / 2} + std::chrono::seconds{chain + second};  // as fast as the load's
        const auto signal = fmt::format(
            R"({{"id":"{}-{}","source":"probe","time":"{}","domain":"{}","name":"{}","severity":"medium","confidence":0.4,"entities":[{{"kind":"account","value":"{}"}}]}})",
            account, name, api::json::format_time(time), domain, name, account);
        const auto reply = client_.post("/api/v1/signals", signal);
        if (reply.status != 201) throw std::runtime_error("a probe was refused: " + reply.body);
    }
    void await_incident(const std::string& account) {
        const auto give_up = Steady::now() + 30s;
        while (client_.get("/api/v1/incidents?limit=1&entity=account:" + account).body.find("\"number\"") == std::string::npos) {
            if (Steady::now() > give_up) throw std::runtime_error("no incident for " + account);
            std::this_thread::sleep_for(500us);
        }
    }

    const std::uint32_t run_ = std::random_device{}();  // ids that no earlier run has used
    server::ApiClient client_;
    server::PqConnection connection_;
};

/// Seconds of a durable transaction that copies one request's rows into a table without indexes: bare_copy commits one such.
double bare_request(server::PqConnection& connection, SignalGenerator& generator, std::size_t signals) {
    std::vector<double> times;
    for (int i = 0; i < 21; ++i) times.push_back(bare_copy(connection, {prepared_request(generator.body(signals))}));
    return median(times);
}

void print(const char* what, std::vector<double> times, double commit, double bare) {
    std::sort(times.begin(), times.end());
    const auto p99 = percentile(times, 0.99);
    fmt::print(
        "{}: p50 {:.1f} ms, p90 {:.1f}, p99 {:.1f}, most {:.1f}, of {}; p99 = {:.0f} empty commits of an idle machine, {:.1f} bare copies of a request\n", what,
        percentile(times, 0.5) * 1e3, percentile(times, 0.9) * 1e3, p99 * 1e3, times.back() * 1e3, times.size(), p99 / commit, p99 / bare);
}

}  // namespace

void measure_half_rate(const HalfRate& rate, const LoadOptions& load, SignalGenerator& generator, const std::string& superuser_dsn) {
    server::PqConnection connection{superuser_dsn};
    std::vector<double> idle;
    for (int i = 0; i < 201; ++i) idle.push_back(empty_commit(connection));
    const auto commit = median(idle);
    const auto bare = bare_request(connection, generator, rate.request_signals);

    auto half = load;
    half.requests_per_second = rate.signals_per_second / static_cast<double>(rate.request_signals);
    std::vector<std::string> bodies(static_cast<std::size_t>(rate.seconds * half.requests_per_second) + 1);
    for (auto& body : bodies) body = generator.body(rate.request_signals);
    Probes probes;
    std::atomic<bool> ends{false};
    std::thread prober{[&] { probes = Prober{load, superuser_dsn}.run(ends); }};
    const auto report = send_load(half, bodies);
    ends = true;
    prober.join();
    if (report.refused > 0) throw std::runtime_error(fmt::format("{} requests were refused", report.refused));
    std::ranges::sort(probes.commits);
    fmt::print(
        "half rate: {:.0f} signals/s in requests of {} for {:.0f} s; an empty durable commit {:.2f} ms idle (median), {:.2f} under this load, p99 {:.2f}; a "
        "bare copy of a request {:.2f} ms\n",
        rate.signals_per_second, rate.request_signals, report.seconds, commit * 1e3, percentile(probes.commits, 0.5) * 1e3,
        percentile(probes.commits, 0.99) * 1e3, bare * 1e3);
    print("  acknowledged", report.latencies, commit, bare);
    print("  acknowledged to incident readable", probes.to_incident, commit, bare);
}

}  // namespace catenary::bench
