#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

namespace {

/// The story of the API's own example: an unfamiliar sign-in, 22 min 49 s later an inbox rule.
Pattern inbox_rule_pattern() {
    Pattern pattern = pattern_of("risky-sign-in-then-inbox-rule", {{"unfamiliar_location_signin"}, {"suspicious_inbox_rule"}});
    pattern.title = "Risky sign-in, then a suspicious inbox rule";
    pattern.severity = Severity::high;
    pattern.stages[0].id = "access";
    pattern.stages[1].id = "persistence";
    return pattern;
}
Signal sign_in() {
    Signal signal = signal_of("unfamiliar_location_signin", 22h + 47min + 11s, "j.morrison@ne.example");
    signal.source = "entra_id";
    signal.domain = "identity";
    signal.tactics = {"TA0001"};
    signal.techniques = {"T1078"};
    signal.entities.push_back({"ip", "203.0.113.7", "source", true});
    signal.entities.push_back({"account", "root", "", false});
    return signal;
}
Signal inbox_rule() {
    Signal signal = signal_of("suspicious_inbox_rule", 23h + 10min, "j.morrison@ne.example");
    signal.source = "exchange";
    signal.domain = "email";
    signal.tactics = {"TA0003"};
    signal.techniques = {"T1564.008"};
    return signal;
}

}  // namespace

TEST_CASE("two stages become a finding and an incident that explain themselves") {
    LaneStory story{{shared(inbox_rule_pattern())}};
    story.signal(sign_in()).signal(inbox_rule());
    Stored& stored = story.stored();

    REQUIRE(stored.live_findings().size() == 1);
    const FindingRecord finding = stored.live_findings().front();
    CHECK(finding.state == FindingState::open);
    CHECK(finding.title == "Risky sign-in, then a suspicious inbox rule — j.morrison@ne.example");
    CHECK(finding.principals == std::vector<EntityKey>{{"account", "j.morrison@ne.example"}});
    CHECK(finding.tactics == std::vector<std::string>{"TA0001", "TA0003"});
    CHECK(finding.techniques == std::vector<std::string>{"T1078", "T1564.008"});
    CHECK(finding.domains == std::vector<std::string>{"email", "identity"});
    // -6.63 prior, twice 5.74 for a confidence of 0.35 from two sources, 1 for the second domain; one rise in phase earns nothing
    CHECK(finding.score.total_bits == doctest::Approx(5.85).epsilon(0.001));
    CHECK(finding.score.probability == doctest::Approx(0.983).epsilon(0.0005));
    CHECK(finding.score.domain_bonus_bits == 1.0);
    CHECK(finding.score.phase_bonus_bits == 0.0);
    CHECK(finding.incident == IncidentNumber{1});
    CHECK(finding.evidence_total == 2);

    REQUIRE(finding.stages.size() == 2);
    CHECK(finding.stages[0].id == "access");
    CHECK(finding.stages[0].count == 1);
    CHECK(finding.stages[0].first->source == "entra_id");
    CHECK_FALSE(finding.stages[0].after);
    CHECK(finding.stages[1].after == Duration{22min + 49s});
    CHECK(finding.stages[1].limit == Duration{24h});
    CHECK(finding.stages[1].linked_by == EntityKey{"account", "j.morrison@ne.example"});
    CHECK_FALSE(finding.stages[1].because.empty());
    CHECK(finding.summary.find("22 min 49 s later") != std::string::npos);
    CHECK(finding.summary.find("account j.morrison@ne.example") != std::string::npos);
    CHECK(finding.summary.find("score 0.983") != std::string::npos);

    const auto& evidence = stored.evidence.at(finding.id);
    REQUIRE(evidence.size() == 2);
    CHECK(evidence.begin()->second == "access");
    CHECK(evidence.rbegin()->second == "persistence");

    REQUIRE(stored.incidents.size() == 1);
    const IncidentRecord incident = stored.incidents.at(IncidentNumber{1});
    CHECK(incident.title == finding.title);
    CHECK(incident.summary == finding.summary);
    CHECK(incident.severity == Severity::high);
    CHECK(incident.status == IncidentStatus::new_);
    CHECK(incident.score == finding.score.probability);
    CHECK(incident.signal_count == 2);
    CHECK(incident.finding_count == 1);
    CHECK(incident.first_activity == sign_in().time);
    CHECK(incident.last_activity == inbox_rule().time);
    CHECK(incident.created == inbox_rule().time);
    CHECK(incident.revision == 1);
    CHECK(incident.patterns == std::vector<std::string>{"risky-sign-in-then-inbox-rule"});
    // principals first; what identifies nobody is shown as well
    CHECK(incident.entities == std::vector<EntityKey>{{"account", "j.morrison@ne.example"}, {"account", "root"}, {"ip", "203.0.113.7"}});
    CHECK(incident.entity_total == 3);
    CHECK(stored.history(IncidentNumber{1}) == std::vector<std::string>{"created"});
}

TEST_CASE("further evidence makes revisions of the same incident, and coalesces between two calls") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}))}};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
    story.stored();
    story.signal(signal_of("b", 20min, "alice")).signal(signal_of("b", 30min, "alice"));
    const Effects effects = story.lane().take_effects();
    REQUIRE(effects.size() == 1);
    REQUIRE(effects[0].incidents.size() == 1);
    CHECK(effects[0].incidents[0].revision == 3);
    CHECK(effects[0].incidents[0].signal_count == 4);
    REQUIRE(effects[0].findings.size() == 1);
    CHECK(effects[0].evidence.size() == 2);
    CHECK(story.lane().take_effects().empty());
}

TEST_CASE("a repeated stage weighs its heaviest signal, so volume is not certainty") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}))}};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice", 0.2));
    const double before = story.stored().live_findings().at(0).score.total_bits;
    story.signal(signal_of("b", 11min, "alice", 0.1)).signal(signal_of("b", 12min, "alice", 0.2));
    CHECK(story.stored().live_findings().at(0).score.total_bits == before);
    story.signal(signal_of("b", 13min, "alice", 0.6));
    CHECK(story.stored().live_findings().at(0).score.total_bits > before);
}

TEST_CASE("tenants do not see each other") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}))}};
    story.tenant(1).signal(signal_of("a", 0min, "alice"));
    story.tenant(2).signal(signal_of("b", 10min, "alice"));
    CHECK(story.stored(TenantId{1}).findings.empty());
    CHECK(story.stored(TenantId{2}).findings.empty());
    story.tenant(1).signal(signal_of("b", 10min, "alice"));
    CHECK(story.stored(TenantId{1}).live_incidents().size() == 1);
    CHECK(story.stored(TenantId{2}).incidents.empty());
}

TEST_CASE("a signal that no stage wants is counted and not kept") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}))}};
    story.signal(signal_of("other", 0min, "alice"));
    CHECK(story.stored().status.signals == 1);
    CHECK(story.stored().status.window_signals == 0);
    story.signal(signal_of("a", 1min, "alice"));
    CHECK(story.stored().status.window_signals == 1);
}

TEST_CASE("a name that identifies nobody does not link, and the signal counts as unlinkable") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}))}};
    Signal first = signal_of("a", 0min, "root");
    Signal second = signal_of("b", 1min, "root");
    first.entities[0].identifies = false;
    second.entities[0].identifies = false;
    story.signal(first).signal(second);
    CHECK(story.stored().findings.empty());
    CHECK(story.stored().status.unlinkable == 2);
    CHECK(story.stored().status.window_signals == 0);
}

TEST_CASE("a signal that names more than eight entities of a kind links by none of them") {
    for (const int named : {8, 9}) {
        CAPTURE(named);
        LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}))}};
        Signal first = signal_of("a", 0min, "alice");
        while (static_cast<int>(first.entities.size()) < named)
            first.entities.push_back({"account", "other" + std::to_string(first.entities.size()), "", true});
        story.signal(first).signal(signal_of("b", 1min, "alice"));
        CHECK(story.stored().live_findings().size() == (named == 8 ? 1U : 0U));
        CHECK(story.stored().status.unlinkable == (named == 8 ? 0 : 1));
    }
}

TEST_CASE("the unlinkable limit is a setting") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}))}};
    story.control(SettingChange{.lateness = {}, .base_rate = {}, .unlinkable_limit = 1, .group_within = {}, .window_signals = {}});
    Signal first = signal_of("a", 0min, "alice");
    first.entities.push_back({"account", "bob", "", true});
    story.signal(first).signal(signal_of("b", 1min, "alice"));
    CHECK(story.stored().findings.empty());
    CHECK(story.stored().status.unlinkable == 1);
}

TEST_CASE("a pattern without a link matches signals without entities") {
    LaneStory story{{shared(pattern_of("p", {{"a"}}, 1h, {}))}};
    story.signal(signal_of("a", 0min, ""));
    REQUIRE(story.stored().live_findings().size() == 1);
    CHECK(story.stored().live_findings().at(0).title == "Title of p");
    CHECK(story.stored().live_findings().at(0).principals.empty());
}

TEST_CASE("a changed base rate rescores what is in memory") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}))}};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
    const double before = story.stored().live_findings().at(0).score.prior_bits;
    story.control(SettingChange{.lateness = {}, .base_rate = 0.001, .unlinkable_limit = {}, .group_within = {}, .window_signals = {}});
    CHECK(story.stored().live_findings().at(0).score.prior_bits < before);
    CHECK(story.stored().incidents.at(IncidentNumber{1}).score == story.stored().live_findings().at(0).score.probability);
}

TEST_CASE("the caller is told which attributes any pattern reads") {
    Pattern reads = pattern_of("p", {{"a"}, {"b"}});
    reads.stages[0].match = Predicate::test({Field::parse("attributes.geo.country").value(), FieldTest::Operator::any_of, {std::string{"RO"}}}).value();
    LaneStory story{{shared(reads)}};
    CHECK(story.lane().attribute_paths(TenantId{1}) == std::set<std::string>{"geo.country"});
    Pattern own = pattern_of("own", {{"a"}, {"b"}});
    own.stages[1].match = Predicate::test({Field::parse("attributes.port").value(), FieldTest::Operator::gt, {1024.0}}).value();
    story.control(PatternChange{shared(own), {}});
    CHECK(story.lane().attribute_paths(TenantId{1}) == std::set<std::string>{"geo.country", "port"});
    CHECK(story.lane().attribute_paths(TenantId{2}) == std::set<std::string>{"geo.country"});
}
