#include "tests/oracle/oracle.hpp"

#include <doctest/doctest.h>

// Small stories whose findings can be read off by eye: the oracle is checked by people, the matcher by the oracle.

using namespace catenary;
using namespace std::chrono_literals;
using oracle::Finding;
using oracle::Signal;

namespace {

engine::Timestamp at(std::chrono::seconds second) { return engine::Timestamp{second}; }

Signal signal(std::string id, std::chrono::seconds second, engine::StageMask stages, std::vector<oracle::Entity> entities) {
    Signal made;
    made.ref = {at(second), "edr", std::move(id)};
    made.stages = stages;
    made.entities = std::move(entities);
    made.distinct.resize(3);
    return made;
}

const oracle::Entity alice{"account", 1}, bob{"account", 2}, desk{"host", 3};

engine::Pattern stages(std::size_t count) {
    engine::Pattern pattern;
    pattern.within = 10s;
    pattern.link = engine::LinkMode::same;
    pattern.link_kinds = {"account"};
    for (std::size_t stage = 0; stage < count; ++stage) pattern.stages.push_back({std::string(1, static_cast<char>('a' + stage)), {}, false, {}, {}});
    return pattern;
}

std::vector<std::vector<std::string>> evidence(const engine::Pattern& pattern, const std::vector<Signal>& signals,
                                               engine::Timestamp effective_from = engine::Timestamp::min()) {
    std::vector<std::vector<std::string>> all;
    for (const auto& finding : oracle::findings(pattern, effective_from, signals)) {
        std::vector<std::string> ids;
        for (const auto& [ref, stage] : finding.evidence) ids.push_back(ref.id + std::to_string(stage));
        all.push_back(ids);
    }
    return all;
}

using Evidence = std::vector<std::vector<std::string>>;

}  // namespace

TEST_CASE("oracle: two stages on one account within the limit, inclusive") {
    CHECK(evidence(stages(2), {signal("x", 0s, 1, {alice}), signal("y", 10s, 2, {alice})}) == Evidence{{"x0", "y1"}});
    CHECK(evidence(stages(2), {signal("x", 0s, 1, {alice}), signal("y", 11s, 2, {alice})}).empty());
    CHECK(evidence(stages(2), {signal("x", 0s, 1, {alice}), signal("y", 5s, 2, {bob})}).empty());
    CHECK(evidence(stages(2), {signal("x", 0s, 1, {desk}), signal("y", 5s, 2, {desk})}).empty());
    CHECK(evidence(stages(2), {signal("x", 6s, 1, {alice}), signal("y", 5s, 2, {alice})}).empty());
    CHECK(evidence(stages(2), {signal("x", 5s, 1, {alice}), signal("y", 5s, 2, {alice})}) == Evidence{{"x0", "y1"}});
}

TEST_CASE("oracle: strict times, stage limits and the effective time") {
    auto pattern = stages(2);
    const std::vector<Signal> together{signal("x", 5s, 1, {alice}), signal("y", 5s, 2, {alice})};
    const std::vector<Signal> apart{signal("x", 1s, 1, {alice}), signal("y", 5s, 2, {alice})};
    CHECK(evidence(pattern, apart, at(4s)) == Evidence{{"x0", "y1"}});
    CHECK(evidence(pattern, apart, at(5s)).empty());
    pattern.strict = true;
    CHECK(evidence(pattern, together).empty());
    CHECK(evidence(pattern, apart) == Evidence{{"x0", "y1"}});
    pattern.stages[1].within = 4s;
    CHECK(evidence(pattern, apart) == Evidence{{"x0", "y1"}});
    pattern.stages[1].within = 3s;
    CHECK(evidence(pattern, apart).empty());
}

TEST_CASE("oracle: a signal completes one stage only, and any order means none") {
    auto pattern = stages(2);
    CHECK(evidence(pattern, {signal("x", 5s, 3, {alice})}).empty());
    CHECK(evidence(pattern, {signal("x", 5s, 3, {alice}), signal("y", 5s, 3, {alice})}) == Evidence{{"x0", "y0"}});
    const std::vector<Signal> reversed{signal("x", 6s, 1, {alice}), signal("y", 5s, 2, {alice})};
    pattern.order = engine::Order::any;
    CHECK(evidence(pattern, reversed) == Evidence{{"y1", "x0"}});
}

TEST_CASE("oracle: an optional stage may stay empty or be filled") {
    auto pattern = stages(3);
    pattern.stages[1].optional = true;
    const std::vector<Signal> three{signal("x", 1s, 1, {alice}), signal("y", 2s, 2, {alice}), signal("z", 3s, 4, {alice})};
    CHECK(evidence(pattern, three) == Evidence{{"x0", "y1", "z2"}});
    CHECK(evidence(pattern, {three[0], three[2]}) == Evidence{{"x0", "z2"}});
    CHECK(evidence(pattern, {three[0], three[1]}).empty());
}

TEST_CASE("oracle: a repeated stage takes the tightest suffix and exposes the entity it counts by") {
    auto pattern = stages(1);
    pattern.stages[0].repeat = engine::Repeat{3, 5s, "account", {}};
    std::vector<Signal> signals{signal("a", 0s, 1, {alice}), signal("b", 1s, 1, {alice, bob}), signal("c", 4s, 1, {alice}), signal("d", 6s, 1, {alice})};
    const auto all = oracle::occurrences(pattern, 0, signals);
    REQUIRE(all.size() == 2);  // at c: a b c; at d: b c d
    CHECK(all[0].start == at(0s));
    CHECK(all[0].completing == 2);
    CHECK(all[1].evidence == std::set<std::size_t>{1, 2, 3});
    CHECK(all[1].exposed == std::set<std::uint32_t>{1});

    signals[2].count = 2;
    const auto counted = oracle::occurrences(pattern, 0, signals);
    REQUIRE(counted.size() == 2);
    CHECK(counted[0].evidence == std::set<std::size_t>{1, 2});  // b counts one, c two
    CHECK(counted[1].evidence == std::set<std::size_t>{2, 3});

    pattern.stages[0].repeat->distinct = engine::Field::parse("name").value();
    for (auto& each : signals) each.distinct[0] = {"u"};
    CHECK(oracle::occurrences(pattern, 0, signals).empty());
    signals[0].distinct[0] = {"v", "w"};
    REQUIRE(oracle::occurrences(pattern, 0, signals).size() == 2);  // at b and at c; a is too old at d
    CHECK(oracle::occurrences(pattern, 0, signals)[0].evidence == std::set<std::size_t>{0, 1});
}

TEST_CASE("oracle: connected instances are one finding, cut by the longest span") {
    auto pattern = stages(2);
    pattern.within = 4s;
    const std::vector<Signal> row{signal("a", 0s, 3, {alice}), signal("b", 4s, 3, {alice}), signal("c", 8s, 3, {alice}), signal("d", 12s, 3, {alice})};
    CHECK(evidence(pattern, row) == Evidence{{"a0", "b0", "c0", "d1"}});
    pattern.max_span = 8s;
    CHECK(evidence(pattern, row) == Evidence{{"a0", "b0", "c1"}, {"c0", "d1"}});
    const auto found = oracle::findings(pattern, engine::Timestamp::min(), row);
    REQUIRE(found.size() == 2);
    CHECK(found[0].anchor.id == "b");
    CHECK(found[1].anchor.id == "d");
    CHECK(found[1].start == at(8s));
    CHECK(found[1].end == at(12s));
    CHECK(found[1].principals == std::set<std::uint32_t>{1});
}

TEST_CASE("oracle: an instance through another entity is connected by a shared signal") {
    auto pattern = stages(2);
    const std::vector<Signal> both{signal("a", 0s, 1, {alice}), signal("b", 1s, 2, {alice, bob}), signal("c", 1s, 1, {bob})};
    const auto found = oracle::findings(pattern, engine::Timestamp::min(), both);
    REQUIRE(found.size() == 1);
    CHECK(found[0].principals == std::set<std::uint32_t>{1, 2});
    CHECK(found[0].evidence.size() == 3);
}

TEST_CASE("oracle: a late instance joins where it shares a signal and there is room, and does not cut") {
    auto pattern = stages(2);
    pattern.within = 4s;
    pattern.max_span = 8s;
    std::vector<Signal> row{signal("a", 0s, 3, {alice}), signal("b", 4s, 3, {alice}), signal("c", 8s, 3, {alice}), signal("d", 12s, 3, {alice})};
    row[0].late = true;
    CHECK(evidence(pattern, row) == Evidence{{"a0", "b1"}, {"b0", "c0", "d1"}});
    row[0].late = false;
    row[3].late = true;
    CHECK(evidence(pattern, row) == Evidence{{"a0", "b0", "c1"}, {"c0", "d1"}});
    pattern.max_span = 12s;
    CHECK(evidence(pattern, row) == Evidence{{"a0", "b0", "c0", "d1"}});
}
