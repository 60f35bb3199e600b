#include "tests/e2e/load.hpp"

#include "tests/e2e/load_signal.hpp"
#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace catenary::tests {
namespace {

using server::ApiClient;
using server::ApiReply;
using server::ApiUnreachable;
using Json = nlohmann::json;

/// What one sender sends at once.
struct Batch {
    std::vector<std::string> ids;
    std::string body;
};

Batch batch(int sender, int number) {
    Batch made;
    for (int index = 0; index < LoadSignal::batch_size; ++index) {
        const LoadSignal signal{.batch = number, .sender = sender, .index = index};
        made.ids.push_back(signal.id());
        made.body += signal.json() + "\n";
    }
    return made;
}

/// Whether it was acknowledged.
bool send(ApiClient& client, const Batch& batch, Ledger& ledger) {
    const auto begun = Ledger::Clock::now();
    ApiReply reply;
    try {
        reply = client.post("/api/v1/signals", batch.body, "application/x-ndjson");
    } catch (const ApiUnreachable&) {  // the server is down: nobody knows
    }
    const auto now = Ledger::Clock::now();
    const std::lock_guard hold{ledger.lock};
    if (reply.status == 200) {
        ledger.acknowledged.insert(batch.ids.begin(), batch.ids.end());
        ledger.longest_gap = std::max(ledger.longest_gap, std::chrono::ceil<std::chrono::milliseconds>(now - ledger.last_acknowledged));
        ledger.last_acknowledged = now;
        return true;
    }
    ledger.slowest_no = std::max(ledger.slowest_no, std::chrono::ceil<std::chrono::milliseconds>(now - begun));
    if (reply.status == 503) ++ledger.refused;
    const bool expected = reply.status == 0 || (reply.status == 503 && reply.retry_after);
    if (!expected && ledger.surprises.size() < 20) ledger.surprises.push_back(fmt::format("{}: {}", reply.status, reply.body));
    return false;
}

void send_until(const std::atomic<bool>& stop, ApiClient client, Ledger& ledger, int sender) {
    for (int number = 0; !stop; ++number) {
        const auto next = batch(sender, number);
        {
            const std::lock_guard hold{ledger.lock};
            ledger.sent.insert(next.ids.begin(), next.ids.end());
        }
        const bool is_given_up = number % 3 == 0;
        while (!send(client, next, ledger)) {
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
            if (is_given_up || stop) break;
        }
    }
}

/// Makes patterns and comments by turns, until `stop` and then to the end of the one that is under way.
void make_until(const std::atomic<bool>& stop, ApiClient client, Keyed& keyed) {
    constexpr int most = 400;  // a tenant has at most 512 patterns
    for (int number = 0; !stop && number < most; ++number) {
        const bool is_pattern = number % 2 == 0;
        const auto name = fmt::format("kill-{}", number);
        const auto body =
            is_pattern ? Json{{"id", name}, {"title", name}, {"within", "1h"}, {"stages", {{{"id", "a"}, {"match", {{"name", name}}}}}}} : Json{{"text", name}};
        const auto* path = is_pattern ? "/api/v1/patterns" : "/api/v1/incidents/1/comments";
        const auto give_up = Ledger::Clock::now() + std::chrono::minutes{5};  // longer than any server takes to start
        for (int status = 503; status == 503 || status == 202;) {
            if (Ledger::Clock::now() > give_up) return keyed.surprises.push_back(fmt::format("no reply to {} {} within five minutes", path, name));
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

}  // namespace

Load::Load(const std::string& url, const std::string& other_url, const std::string& key, Ledger& ledger, Keyed& keyed) {
    static_assert(LoadSignal::senders == 2);
    senders_.emplace_back(make_until, std::cref(stop_), ApiClient{other_url, key}, std::ref(keyed));
    senders_.emplace_back(send_until, std::cref(stop_), ApiClient{url, key}, std::ref(ledger), 0);
    senders_.emplace_back(send_until, std::cref(stop_), ApiClient{other_url, key}, std::ref(ledger), 1);
}

Load::~Load() {
    stop_ = true;
    for (auto& sender : senders_) sender.join();
}

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

Tally& Tally::operator+=(const Tally& other) {
    acknowledged += other.acknowledged;
    stored += other.stored;
    sent += other.sent;
    return *this;
}

Kept check_kept(ApiClient& client, Ledger& ledger, const Keyed& keyed) {
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
    CHECK(keyed.patterns.size() + keyed.comments.size() > 3);
    for (const auto& id : keyed.patterns) CHECK(client.get("/api/v1/patterns/" + id).status == 200);
    std::vector<std::string> comments;
    const auto history = Json::parse(client.get("/api/v1/incidents/1/activity?what=commented&limit=500").body);
    for (const auto& line : history["items"]) comments.push_back(line["detail"].get<std::string>());
    CHECK(Json(comments) == Json(keyed.comments));  // each once, in order
    CHECK(Json(ledger.surprises) == Json::array());
    Kept kept{.tally = {ledger.acknowledged.size(), stored.size(), ledger.sent.size()}, .stored = {}};
    for (const auto& [id, times] : stored) kept.stored.push_back(id);
    return kept;
}

}  // namespace catenary::tests
