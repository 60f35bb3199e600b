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

/// What was asked for under idempotency keys, each again and again until there was a reply.
struct Keyed {
    std::vector<std::string> patterns, comments;  ///< that were answered
    std::vector<std::string> surprises;           ///< replies that are none of 201, 202, 503
};

/// Makes patterns and comments by turns, until `stop` and then to the end of the one that is under way.
void make_until(const std::atomic<bool>& stop, ApiClient client, Keyed& keyed) {
    constexpr int most = 400;  // a tenant has at most 512 patterns
    for (int number = 0; !stop && number < most; ++number) {
        const bool is_pattern = number % 2 == 0;
        const auto name = fmt::format("kill-{}", number);
        const auto body =
            is_pattern ? Json{{"id", name}, {"title", name}, {"within", "1h"}, {"stages", {{{"id", "a"}, {"match", {{"name", name}}}}}}} : Json{{"text", name}};
        const auto* path = is_pattern ? "/api/v1/patterns" : "/api/v1/incidents/1/comments";
        for (int status = 503; status == 503 || status == 202;) {
            try {
                const auto reply = client.send({.method = "POST", .path = path, .body = body.dump(), .headers = {"Idempotency-Key: " + name}});
                status = reply.status;
                if (status == 201) (is_pattern ? keyed.patterns : keyed.comments).push_back(name);
                else if (status != 202 && status != 503) keyed.surprises.push_back(fmt::format("{} {}: {}", path, status, reply.body));
            } catch (const ApiUnreachable&) {  // nobody knows: the same again
            }
            if (status == 503 || status == 202) std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
    }
}

/// Sends from two connections until it goes out of scope.
class Load {
public:
    Load(const std::string& url, const std::string& key, Ledger& ledger, Keyed& keyed) {
        senders_.emplace_back(make_until, std::cref(stop_), ApiClient{url, key}, std::ref(keyed));
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

/// Two signals that one of the shipped patterns makes an incident of.
void make_incident(ApiClient& client) {
    const auto signal = [](const char* id, const char* time, const char* name, const char* domain) {
        return Json{{"id", id},
                    {"source", "kill_story"},
                    {"time", time},
                    {"domain", domain},
                    {"name", name},
                    {"confidence", 0.35},
                    {"entities", {{{"kind", "account"}, {"value", "a@b.example"}}}}};
    };
    const Json story{signal("1", "2026-03-05T07:00:00Z", "impossible_travel", "identity"),
                     signal("2", "2026-03-05T07:10:00Z", "suspicious_inbox_rule", "email")};
    REQUIRE(client.post("/api/v1/signals", story.dump()).status == 200);
    wait_until_correlated(client);
    REQUIRE(client.get("/api/v1/incidents/1").status == 200);
}

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

/// Kills one server `rounds` times under load, and then looks for every signal that was sent and everything that was asked for under a key.
Tally kill_and_count(int rounds, std::mt19937& random) {
    ServerProcess server;
    server.start();
    const auto key = [&] {
        auto admin = server.admin();
        return Json::parse(admin.post("/api/v1/tenants", R"({"name":"kill-loop"})").body)["key"].get<std::string>();
    }();
    ApiClient client{server.url(), key};
    make_incident(client);
    Ledger ledger;
    Keyed keyed;
    {
        const Load load{server.url(), key, ledger, keyed};
        for (int round = 0; round < rounds; ++round) {
            std::this_thread::sleep_for(std::chrono::milliseconds{300 + random() % 700});
            server.crash();
            server.start();
        }
    }

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

    MESSAGE(fmt::format("{} patterns and {} comments under keys", keyed.patterns.size(), keyed.comments.size()));
    CHECK(Json(keyed.surprises) == Json::array());
    CHECK(keyed.patterns.size() + keyed.comments.size() > 10);
    for (const auto& id : keyed.patterns) CHECK(client.get("/api/v1/patterns/" + id).status == 200);
    std::vector<std::string> comments;
    const auto history = Json::parse(client.get("/api/v1/incidents/1/activity?what=commented&limit=500").body);
    for (const auto& line : history["items"]) comments.push_back(line["detail"].get<std::string>());
    CHECK(Json(comments) == Json(keyed.comments));  // each once, in order
    CHECK(server.stop() == 0);
    return {ledger.acknowledged.size(), stored.size(), ledger.sent.size()};
}

}  // namespace

TEST_CASE("kill -9 of the server under load loses nothing acknowledged and doubles nothing, and what has a key happens once") {
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
