#include "tests/property/lane_log.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>

using namespace catenary;
using namespace catenary::engine;
using namespace std::chrono_literals;
using test::LaneStory;
using test::Stored;

namespace {

const std::vector<TenantId> tenants{TenantId{1}, TenantId{2}};

/// While an incident is closed its findings keep what matching takes back, and open again they keep it still: what finds them anew does not know of that.
bool was_opened_again(const Stored& stored, std::optional<IncidentNumber> incident) {
    return incident && std::ranges::any_of(stored.activity, [&](const IncidentActivity& line) {
               return line.number == *incident && line.what == "status_changed" && line.detail.starts_with("closed");
           });
}

/// Everything that is listed: findings with their evidence, incidents.
void check_same(const Stored& before, const Stored& after) {
    const auto findings = before.live_findings();
    const auto others = after.live_findings();
    REQUIRE(findings.size() == others.size());
    for (std::size_t i = 0; i < findings.size(); ++i) {
        CAPTURE(to_string(findings[i].id.value()));
        CHECK(findings[i].id == others[i].id);
        CHECK(findings[i].incident == others[i].incident);
        if (was_opened_again(before, findings[i].incident)) continue;
        CHECK(findings[i].summary == others[i].summary);
        CHECK(before.evidence.at(findings[i].id) == after.evidence.at(findings[i].id));
    }
    REQUIRE(before.incidents.size() == after.incidents.size());
    for (const auto& [number, record] : before.incidents) {
        CAPTURE(number.value());
        const auto& other = after.incidents.at(number);
        CHECK(record.title == other.title);
        CHECK(record.status == other.status);
        CHECK(record.merged_into == other.merged_into);
        if (!was_opened_again(before, number)) CHECK(record.signal_count == other.signal_count);
        CHECK(record.finding_count == other.finding_count);
        CHECK(record.labels == other.labels);
        CHECK(record.severity == other.severity);
        CHECK(before.history(number) == after.history(number));
    }
}

/// Findings are in incidents that exist, and open incidents say what their findings add up to.
void check_sound(const Stored& stored) {
    std::map<IncidentNumber, std::set<SignalRef>> signals;
    std::map<IncidentNumber, std::int64_t> findings;
    for (const auto& finding : stored.live_findings()) {
        const auto& evidence = stored.evidence.at(finding.id);
        CHECK(static_cast<std::int64_t>(evidence.size()) == finding.evidence_total);
        if (finding.mode != Mode::production || finding.state == FindingState::waiting) continue;
        REQUIRE(finding.incident.has_value());
        REQUIRE(stored.incidents.contains(*finding.incident));
        CHECK_FALSE(stored.incidents.at(*finding.incident).merged_into.has_value());
        ++findings[*finding.incident];
        for (const auto& [signal, stage] : evidence) signals[*finding.incident].insert(signal);
    }
    for (const auto& [number, count] : findings) {
        CAPTURE(number.value());
        CHECK(stored.incidents.at(number).finding_count == count);
        CHECK(stored.incidents.at(number).signal_count == static_cast<std::int64_t>(signals.at(number).size()));
    }
}

}  // namespace

TEST_CASE("an engine that begins anew on random logs changes nothing that was reported, and goes on soundly") {
    int carried = 0;
    for (const auto seed : tests::seeds(4'110'000, 1'500)) {
        CAPTURE(seed);
        const auto log = property::random_lane_log(seed, 60);
        LaneStory story{log.shipped};
        const std::size_t cut = 10 + seed % 50;
        for (std::size_t i = 0; i < std::min(cut, log.entries.size()); ++i) story.entry(log.entries[i]);
        LaneStory anew = story.begun_anew(log.shipped, log.entries.back().admitted);
        anew.take();
        for (const auto tenant : tenants) {
            check_same(story.stored(tenant), anew.stored(tenant));
            carried += static_cast<int>(story.stored(tenant).incidents.size());
        }
        for (std::size_t i = cut; i < log.entries.size(); ++i) anew.entry(log.entries[i]);
        for (const auto tenant : tenants) check_sound(anew.stored(tenant));
    }
    CHECK(carried > 0);
}
