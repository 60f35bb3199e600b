#include "tests/support/environment.hpp"
#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

using catenary::server::ApiClient;
using catenary::server::ApiUnreachable;
using catenary::tests::ServerProcess;
using catenary::tests::wait_until_correlated;
using Json = nlohmann::json;

namespace {

/// What one sender knows: which ids were acknowledged, which were ever sent.
struct Ledger {
    std::mutex lock;
    std::set<std::string> sent;
    std::set<std::string> acknowledged;
};

std::string batch(Ledger& ledger, int sender, int number, std::vector<std::string>& ids) {
    std::string body;
    for (int i = 0; i < 50; ++i) {
        ids.push_back(fmt::format("k-{}-{}-{}", sender, number, i));
        body += Json{{"id", ids.back()},
                     {"source", "kill_loop"},
                     {"time", fmt::format("2026-03-05T{:02}:{:02}:{:02}Z", number / 3600 % 24, number / 60 % 60, number % 60)},
                     {"domain", "endpoint"},
                     {"name", "heartbeat"},
                     {"confidence", 0.05},
                     {"entities", {{{"kind", "host"}, {"value", fmt::format("host-{}", i)}}}}}
                    .dump() +
                "\n";
    }
    const std::lock_guard hold{ledger.lock};
    ledger.sent.insert(ids.begin(), ids.end());
    return body;
}

void send_until(const std::atomic<bool>& stop, ApiClient client, Ledger& ledger, int sender) {
    for (int number = 0; !stop; ++number) {
        std::vector<std::string> ids;
        const auto body = batch(ledger, sender, number, ids);
        try {
            if (client.post("/api/v1/signals", body, "application/x-ndjson").status == 200) {
                const std::lock_guard hold{ledger.lock};
                ledger.acknowledged.insert(ids.begin(), ids.end());
            }
        } catch (const ApiUnreachable&) {
            std::this_thread::sleep_for(std::chrono::milliseconds{20});  // the server is down: these ids stay unknown
        }
    }
}

/// Sends from two connections until it goes out of scope.
class Load {
public:
    Load(const std::string& url, const std::string& key, Ledger& ledger) {
        for (int i = 0; i < 2; ++i) senders_.emplace_back(send_until, std::cref(stop_), ApiClient{url, key}, std::ref(ledger), i);
    }
    ~Load() {  // joins
        stop_ = true;
        for (auto& sender : senders_) sender.join();
    }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

private:
    std::atomic<bool> stop_{false};
    std::vector<std::thread> senders_;
};

/// Every stored id, how often.
std::map<std::string, int> stored_ids(ApiClient& client) {
    std::map<std::string, int> ids;
    std::string cursor;
    do {
        const auto reply = client.get("/api/v1/signals?source=kill_loop&limit=500" + (cursor.empty() ? "" : "&cursor=" + cursor));
        CAPTURE(reply.body);
        REQUIRE(reply.status == 200);
        const auto page = Json::parse(reply.body);
        for (const auto& item : page["items"]) ++ids[item["id"].get<std::string>()];
        cursor = page["next_cursor"].is_null() ? "" : page["next_cursor"].get<std::string>();
    } while (!cursor.empty());
    return ids;
}

struct Tally {
    std::size_t acknowledged = 0;
    std::size_t stored = 0;
    std::size_t sent = 0;
};

/// Kills one server `rounds` times under load, and then looks for every signal that was sent.
Tally kill_and_count(int rounds, std::mt19937& random) {
    ServerProcess server;
    server.start();
    const auto key = [&] {
        auto admin = server.admin();
        return Json::parse(admin.post("/api/v1/tenants", R"({"name":"kill-loop"})").body)["key"].get<std::string>();
    }();
    Ledger ledger;
    {
        const Load load{server.url(), key, ledger};
        for (int round = 0; round < rounds; ++round) {
            std::this_thread::sleep_for(std::chrono::milliseconds{300 + random() % 700});
            server.crash();
            server.start();
        }
    }

    ApiClient client{server.url(), key};
    wait_until_correlated(client);
    const auto stored = stored_ids(client);
    CHECK(ledger.acknowledged.size() > 100);
    for (const auto& id : ledger.acknowledged) {
        CAPTURE(id);
        REQUIRE(stored.contains(id));
    }
    for (const auto& [id, times] : stored) {
        CAPTURE(id);
        REQUIRE(times == 1);
        REQUIRE(ledger.sent.contains(id));
    }
    CHECK(server.stop() == 0);
    return {ledger.acknowledged.size(), stored.size(), ledger.sent.size()};
}

}  // namespace

TEST_CASE("kill -9 of the server under load loses nothing acknowledged and doubles nothing") {
    constexpr int rounds_of_one_server = 20;  // then all of its signals are looked at, and the next one starts empty
    const auto rounds = static_cast<int>(catenary::tests::environment_number("TEST_KILL_ROUNDS", 1, 100'000, 3));
    std::mt19937 random{20260305};
    Tally total;
    for (int done = 0; done < rounds; done += rounds_of_one_server) {
        const auto tally = kill_and_count(std::min(rounds - done, rounds_of_one_server), random);
        total.acknowledged += tally.acknowledged;
        total.stored += tally.stored;
        total.sent += tally.sent;
    }
    MESSAGE(fmt::format("{} acknowledged, {} stored, {} sent", total.acknowledged, total.stored, total.sent));
}
