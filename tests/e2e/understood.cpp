#include "tests/e2e/understood.hpp"

#include "tests/e2e/load.hpp"
#include "tests/e2e/load_signal.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <map>

namespace catenary::tests {
namespace {

using server::ApiClient;
using Json = nlohmann::json;

/// Every item of a list.
std::vector<Json> every_item(ApiClient& client, const std::string& path) {
    std::vector<Json> items;
    std::string cursor;
    do {
        const auto* joint = path.find('?') == std::string::npos ? "?" : "&";
        const auto reply = client.get(path + joint + "limit=500" + (cursor.empty() ? "" : "&cursor=" + cursor));
        CAPTURE(path);
        CAPTURE(reply.body);
        REQUIRE(reply.status == 200);
        auto page = Json::parse(reply.body);
        std::ranges::move(page["items"], std::back_inserter(items));
        cursor = page["next_cursor"].is_null() ? "" : page["next_cursor"].get<std::string>();
    } while (!cursor.empty());
    return items;
}

void leave_out(Json& item, std::initializer_list<const char*> members) {
    for (const auto* member : members) {
        CAPTURE(member);
        REQUIRE(item.erase(member) == 1);  // a member that is renamed would be compared again
    }
}

std::string only_in(const std::vector<std::string>& some, const std::vector<std::string>& others, const char* where) {
    std::vector<std::string> only;
    std::ranges::set_difference(some, others, std::back_inserter(only));
    if (only.empty()) return "";
    constexpr std::size_t most_characters = 3'000;
    return fmt::format("{} only {}, the first of them {}\n", only.size(), where, only.front().substr(0, most_characters));
}

}  // namespace

Understood understood(ApiClient& client) {
    wait_until_correlated(client);
    Understood result;
    std::map<std::int64_t, std::vector<std::string>> findings_of;
    for (auto& finding : every_item(client, "/api/v1/findings")) {
        REQUIRE(finding["evidence"].size() == finding["evidence_total"].get<std::size_t>());
        const auto incident = finding["incident"];
        leave_out(finding, {"id", "incident"});
        ++result.findings;
        if (incident.is_null()) result.items.push_back(finding.dump());
        else findings_of[incident.get<std::int64_t>()].push_back(finding.dump());
    }
    for (auto& incident : every_item(client, "/api/v1/incidents?include=entities&sort=number")) {
        const auto number = incident["number"].get<std::int64_t>();
        CAPTURE(number);
        leave_out(incident, {"number", "created", "updated", "revision"});
        auto& findings = findings_of[number];
        std::ranges::sort(findings);
        incident["findings"] = findings;
        auto& evidence = incident["evidence"] = Json::array();
        for (auto& signal : every_item(client, fmt::format("/api/v1/incidents/{}/evidence", number))) {
            leave_out(signal, {"received", "finding", "stage", "contribution_bits"});
            evidence.push_back(std::move(signal));
        }
        ++result.incidents;
        result.evidence += evidence.size();
        result.items.push_back(incident.dump());
        findings_of.erase(number);
    }
    CHECK(findings_of.empty());  // each is in an incident that is listed
    std::ranges::sort(result.items);
    return result;
}

std::string difference(const Understood& actual, const Understood& expected) {
    return only_in(expected.items, actual.items, "where nothing was disturbed") + only_in(actual.items, expected.items, "where something was");
}

Agreement& Agreement::operator+=(const Agreement& other) {
    incidents += other.incidents;
    findings += other.findings;
    evidence += other.evidence;
    is_equal = is_equal && other.is_equal;
    return *this;
}

std::string Agreement::text() const {
    return fmt::format("{} incidents of {} findings and {} signals, digests {}", incidents, findings, evidence, is_equal ? "equal" : "differ");
}

Agreement Undisturbed::compare(ApiClient& disturbed, const std::vector<std::string>& stored) {
    auto client = server_.tenant(fmt::format("undisturbed-{}", ++tenants_));
    make_incident(client);
    std::vector<LoadSignal> signals;
    std::ranges::transform(stored, std::back_inserter(signals), LoadSignal::of);
    std::ranges::sort(signals);
    constexpr std::size_t most_at_once = 1'000;
    for (std::size_t done = 0; done < signals.size(); done += most_at_once) {
        std::string body;
        for (auto at = done; at < std::min(signals.size(), done + most_at_once); ++at) body += signals[at].json() + "\n";
        const auto reply = client.post("/api/v1/signals", body, "application/x-ndjson");
        CAPTURE(reply.body);
        REQUIRE(reply.status == 200);
    }
    const auto expected = understood(client);
    CHECK(expected.incidents > 3);  // the load was such that there is something to compare
    const auto found = difference(understood(disturbed), expected);
    CHECK(found == "");
    return {expected.incidents, expected.findings, expected.evidence, found.empty()};
}

}  // namespace catenary::tests
