#include "tests/api/catalogue/reference_scenarios.hpp"
#include "api/catalogue/shipped_patterns.hpp"
#include "api/catalogue/story_run.hpp"
#include "api/json/time_json.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

using namespace catenary;
using nlohmann::json;
using tests::Permutation;

namespace {

const engine::Timestamp morning = *api::json::parse_time("2026-03-05T08:00:00Z");

const engine::Catalogue& catalogue() {
    static const auto all = [] {
        engine::Catalogue patterns;
        for (const auto& shipped : api::catalogue::shipped_patterns()) patterns.push_back(shipped.pattern);
        return patterns;
    }();
    return all;
}

struct Story {
    engine::Duration second_after;  ///< the first signal, negative: before it
    const char* second_entities;    ///< those of the first are "1"
};

/// What the whole catalogue finds in the two signals.
std::vector<engine::FindingRecord> found(const Permutation& permutation, const Story& story) {
    json signals;
    signals.push_back(tests::reference_signal(permutation, true, api::json::format_time(morning), "1", "a"));
    signals.push_back(tests::reference_signal(permutation, false, api::json::format_time(morning + story.second_after), story.second_entities, "b"));
    api::http::Request request;
    request.content_type = "application/json";
    request.body = signals.dump();
    const auto batch = api::ingest::prepare(request, api::Caller{}, morning + std::chrono::days{400}, {}).batch;
    REQUIRE(batch);
    REQUIRE(batch->refused.empty());
    return api::catalogue::findings_in(*batch, catalogue());
}

bool is_found(const Permutation& permutation, const Story& story) {
    const auto findings = found(permutation, story);
    return std::ranges::any_of(findings, [&](const auto& finding) { return finding.pattern == permutation.pattern && finding.evidence_total == 2; });
}

/// The longest time between first and second signal.
engine::Duration limit_of(const Permutation& permutation) {
    const auto* shipped = api::catalogue::find_shipped(permutation.pattern);
    REQUIRE_MESSAGE(shipped != nullptr, permutation.pattern);
    return shipped->pattern->within;
}

}  // namespace

TEST_CASE("every permutation of the reference scenarios is found by the pattern meant for it, and none of its negative twins is" *
          doctest::skip(tests::no_reference_scenarios())) {
    const auto permutations = tests::reference_permutations();
    std::size_t found_ones = 0;
    std::map<std::string, std::size_t> by_pattern;
    for (const auto& permutation : permutations) {
        CAPTURE(permutation.first);
        CAPTURE(permutation.second);
        CAPTURE(permutation.pattern);
        const auto limit = limit_of(permutation);
        const bool soon = is_found(permutation, {std::chrono::minutes{40}, "1"});
        CHECK(soon);
        CHECK(is_found(permutation, {limit, "1"}));
        if (soon) ++found_ones;
        ++by_pattern[permutation.pattern];

        CHECK(is_found(permutation, {-std::chrono::minutes{40}, "1"}) == !permutation.ordered);        // in the wrong order
        if (permutation.ordered) CHECK(found(permutation, {-std::chrono::minutes{40}, "1"}).empty());  // by no other pattern either
        CHECK_FALSE(is_found(permutation, {limit + std::chrono::seconds{1}, "1"}));                    // too late
        CHECK(found(permutation, {std::chrono::minutes{40}, "2"}).empty());                            // of somebody else
    }
    MESSAGE(found_ones << " of " << permutations.size() << " permutations found, by " << by_pattern.size() << " patterns");
    CHECK(permutations.size() == 122);
}
