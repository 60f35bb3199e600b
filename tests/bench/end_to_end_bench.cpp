// The whole path beside a bare COPY: signals over loopback HTTP, durable, acknowledged and correlated, against a binary COPY of the same rows.
// usage: CATENARY_PROGRAM=build/bench/catenary end_to_end_bench [signals a round] [rounds] [connections]

#include "server/pg/private_cluster.hpp"
#include "tests/bench/bare_copy.hpp"
#include "tests/support/server_process.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace catenary;
using Steady = std::chrono::steady_clock;

namespace {

constexpr std::size_t request_signals = 1'000;

double seconds_since(Steady::time_point begin) { return std::chrono::duration<double>(Steady::now() - begin).count(); }

/// Bodies of 1,000 signals of about 512 bytes: 40 names of 4 sources, 2.8 entities from 20,000 by a Zipf-like law, random ids.
class Generator {
public:
    std::string body() {
        std::string text;
        for (std::size_t i = 0; i < request_signals; ++i) text += line() + "\n";
        return text;
    }

private:
    int zipf() { return static_cast<int>(std::pow(20'000.0, std::uniform_real_distribution<double>{0, 1}(random_))); }

    std::string line() {
        const auto kind = random_() % 40;
        const auto time = std::chrono::sys_days{std::chrono::year{2026} / 3 / 2} + std::chrono::milliseconds{++serial_};
        const auto of_day = std::chrono::hh_mm_ss{time - std::chrono::floor<std::chrono::days>(time)};
        const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
        auto entities = fmt::format(R"({{"kind":"account","value":"user{}@corp.example","role":"actor"}},{{"kind":"host","value":"ws-{}.corp.example","role":"target"}})",
                                    zipf(), zipf());
        if (random_() % 10 < 8) entities += fmt::format(R"(,{{"kind":"ip","value":"10.{}.{}.7","role":"source"}})", zipf() % 200, zipf() % 250);
        return fmt::format(
            R"({{"id":"{:016x}-{:08x}","source":"source-{}","time":"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z","domain":"endpoint","name":"suspicious_activity_{}","title":"Suspicious activity of kind {} was observed","tactics":["TA0002"],"techniques":["T1059"],"severity":"low","confidence":0.2,"entities":[{}],"attributes":{{"country":"RO","risk_level":"medium","process":"C:\\Windows\\System32\\rundll32.exe","bytes":{},"session":"{:016x}"}}}})",
            random_(), serial_, kind % 4, static_cast<int>(day.year()), static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()), of_day.hours().count(),
            of_day.minutes().count(), of_day.seconds().count(), of_day.subseconds().count(), kind, kind, entities, random_() % 100'000, random_());
    }

    std::mt19937_64 random_{42};
    std::uint64_t serial_ = 0;
};

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

Rates through_server(const std::string& url, const std::string& key, const std::vector<std::string>& bodies, std::size_t connections) {
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> failed{0};
    const auto begin = Steady::now();
    std::vector<std::thread> senders;
    for (std::size_t i = 0; i < connections; ++i) {
        senders.emplace_back([&] {
            server::ApiClient client{url, key};
            for (auto mine = next++; mine < bodies.size(); mine = next++) {
                auto reply = client.post("/api/v1/signals", bodies[mine], "application/x-ndjson");
                while (reply.status == 503 || reply.status == 429) {
                    std::this_thread::sleep_for(std::chrono::milliseconds{20});
                    reply = client.post("/api/v1/signals", bodies[mine], "application/x-ndjson");
                }
                if (reply.status != 200) ++failed;
            }
        });
    }
    for (auto& sender : senders) sender.join();
    const auto acknowledged = seconds_since(begin);
    server::ApiClient client{url, key};
    tests::wait_until_correlated(client);
    if (failed > 0) throw std::runtime_error(fmt::format("{} requests were refused", failed.load()));
    return {acknowledged, seconds_since(begin)};
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
    Generator generator;
    std::vector<double> ratios;
    for (std::size_t round = 0; round <= rounds; ++round) {
        std::vector<std::string> bodies;
        std::vector<std::shared_ptr<api::ingest::PreparedBatch>> requests;
        for (std::size_t made = 0; made < signals; made += request_signals) {
            bodies.push_back(generator.body());
            requests.push_back(prepared(bodies.back()));
        }
        const auto bare = bench::bare_copy(connection, requests);
        requests.clear();
        const auto ours = through_server(server.url(), key, bodies, connections);
        const auto count = static_cast<double>(bodies.size() * request_signals);
        fmt::print("{}bare COPY {:.0f} rows/s; end to end {:.0f} signals/s acknowledged, {:.0f} correlated; {:.3f} of bare COPY\n", round == 0 ? "warm-up: " : "", count / bare,
                   count / ours.acknowledged, count / ours.correlated, bare / ours.correlated);
        if (round > 0) ratios.push_back(bare / ours.correlated);
    }
    fmt::print("end to end, median of {} rounds of {} signals over {} connections: {:.3f} of bare COPY\n", rounds, signals, connections, bench::median(ratios));
    server.stop();
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const auto number = [&](int i, std::size_t otherwise) { return count > i ? std::strtoul(words[i], nullptr, 10) : otherwise; };
    return run(number(1, 200'000), number(2, 5), number(3, 16));
}
