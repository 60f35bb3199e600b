#include "api/json/time_json.hpp"
#include "tests/api/catalogue/reference_scenarios.hpp"
#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

using namespace catenary;
using Json = nlohmann::json;

namespace {

/// Signals posted in batches, each pair of them about entities of its own.
class Stories {
public:
    explicit Stories(server::ApiClient& client) : client_{client} {}

    void add(const tests::Permutation& permutation, std::chrono::minutes second_after, bool same_entities) {
        const auto begin = *api::json::parse_time("2026-03-05T08:00:00Z");
        const auto one = fmt::format("{:x}", ++number_);
        const auto other = same_entities ? one : fmt::format("{:x}", ++number_);
        waiting_.push_back(tests::reference_signal(permutation, true, api::json::format_time(begin), one, "a" + one));
        waiting_.push_back(tests::reference_signal(permutation, false, api::json::format_time(begin + second_after), other, "b" + one));
        if (waiting_.size() >= 500) send();
    }
    void send() {
        const auto reply = client_.post("/api/v1/signals", waiting_.dump());
        CAPTURE(reply.body);
        REQUIRE(reply.status == 200);
        CHECK(Json::parse(reply.body)["accepted"] == waiting_.size());
        waiting_ = Json::array();
    }

private:
    server::ApiClient& client_;
    Json waiting_ = Json::array();
    int number_ = 0;
};

std::map<std::string, std::size_t> findings_by_pattern(server::ApiClient& client) {
    std::map<std::string, std::size_t> found;
    std::string cursor;
    do {
        const auto reply = client.get("/api/v1/findings?limit=500" + cursor);
        REQUIRE(reply.status == 200);
        const auto page = Json::parse(reply.body);
        for (const auto& finding : page["items"]) ++found[finding["pattern"].get<std::string>()];
        cursor = page["next_cursor"].is_null() ? "" : "&cursor=" + page["next_cursor"].get<std::string>();
    } while (!cursor.empty());
    return found;
}

}  // namespace

TEST_CASE("a server finds each permutation of the reference scenarios by the pattern meant for it, and nothing in their negative twins" *
          doctest::skip(tests::no_reference_scenarios())) {
    tests::ServerProcess server;
    server.start();
    auto client = server.tenant("reference");
    Stories stories{client};
    std::map<std::string, std::size_t> expected;
    const auto permutations = tests::reference_permutations();
    for (const auto& permutation : permutations) {
        stories.add(permutation, std::chrono::minutes{40}, true);
        ++expected[permutation.pattern];
    }
    stories.send();
    tests::wait_until_correlated(client);
    CHECK(findings_by_pattern(client) == expected);

    auto twins = server.tenant("twins");
    Stories others{twins};
    for (const auto& permutation : permutations) {
        others.add(permutation, std::chrono::minutes{40}, false);
        others.add(permutation, std::chrono::hours{8 * 24}, true);
        if (permutation.ordered) others.add(permutation, -std::chrono::minutes{40}, true);
    }
    others.send();
    tests::wait_until_correlated(twins);
    CHECK(findings_by_pattern(twins).empty());
    CHECK(server.stop() == 0);
}
