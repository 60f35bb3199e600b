#include "tests/oracle/tenant_log.hpp"
#include "tests/oracle/incidents.hpp"
#include "tests/oracle/score.hpp"

#include <doctest/doctest.h>

// What the oracle reads of a log, on stories that can be judged by eye.

using namespace catenary;
using namespace std::chrono_literals;
using engine::Timestamp;
using test::LogEntry;

namespace {

Timestamp at(engine::Duration after) { return test::story_day() + after; }

/// Entries of one tenant, each admitted at the time it is given.
class Log {
public:
    Log& signal(const std::string& name, engine::Duration after, const std::string& account) {
        return add(test::signal_of(name, after, account), std::max(admitted_, at(after)));
    }
    Log& control(engine::Duration after, engine::ControlBody body) { return add(std::move(body), at(after)); }
    oracle::TenantLog read(const engine::Catalogue& shipped = {}) const { return {shipped, entries_}; }

private:
    template <class Body>
    Log& add(Body body, Timestamp admitted) {
        admitted_ = admitted;
        entries_.push_back({engine::Position{static_cast<std::int64_t>(entries_.size()) + 1}, engine::TenantId{1}, admitted, std::move(body)});
        return *this;
    }
    std::vector<LogEntry> entries_;
    Timestamp admitted_ = test::story_day();
};

std::vector<std::size_t> sizes(const std::vector<oracle::Finding>& findings) {
    std::vector<std::size_t> all;
    for (const auto& finding : findings) all.push_back(finding.evidence.size());
    return all;
}

engine::Signal weighing(double confidence, const std::string& source, const std::string& domain, const std::string& tactic, engine::Duration after) {
    auto signal = test::signal_of("a", after, "alice", confidence);
    signal.source = source;
    signal.domain = domain;
    signal.tactics = {tactic};
    return signal;
}

}  // namespace

TEST_CASE("oracle: a signal is late when it is older than the watermark, not at it") {
    const auto log = Log{}.signal("a", 3h, "alice").signal("a", 2h, "bob").signal("a", 2h - 1s, "carol").read();
    CHECK(log.clock().watermark == at(2h));
    CHECK(log.late() == 1);
    CHECK(log.behind_horizon() == 0);
}

TEST_CASE("oracle: ticks move the watermark, and nothing does while it is held") {
    CHECK(Log{}.control(5h, engine::Tick{}).read().clock().watermark == std::nullopt);
    CHECK(Log{}.signal("a", 3h, "alice").control(5h, engine::Tick{}).read().clock().watermark == at(4h));
    const auto held = Log{}.signal("a", 3h, "alice").control(3h, engine::WatermarkCall{at(2h + 30min), true}).signal("a", 30h, "bob").read();
    CHECK(held.clock().watermark == at(2h + 30min));
    CHECK(held.clock().held);
}

TEST_CASE("oracle: the horizon is the longest window in production and a day behind the watermark, and never falls") {
    auto flighting = test::pattern_of("f", {{"a"}}, 100h);
    flighting.mode = engine::Mode::flighting;
    const engine::Catalogue shipped{test::shared(test::pattern_of("p", {{"a"}}, 10h)), test::shared(flighting)};
    auto story = Log{}.signal("a", 51h, "alice");
    CHECK(story.read(shipped).clock().horizon == at(16h));
    story.control(51h, engine::PatternChange{test::shared(test::pattern_of("long", {{"a"}}, 40h)), {}, {}});
    CHECK(story.read(shipped).clock().horizon == at(16h));
    CHECK(story.signal("a", 16h - 1s, "bob").read(shipped).behind_horizon() == 1);
}

TEST_CASE("oracle: a version is in force for what ends after its window before the watermark, and takes that back from the one before") {
    auto second = test::pattern_of("p", {{"a"}}, 1h);
    second.version = 2;
    const auto log = Log{}
                         .signal("a", 1h, "alice")
                         .signal("a", 8h, "bob")
                         .signal("a", 10h, "carol")
                         .control(10h, engine::PatternChange{test::shared(second), {}, {}})
                         .signal("a", 11h, "dave")
                         .read({test::shared(test::pattern_of("p", {{"a"}}, 1h))});
    REQUIRE(log.versions().size() == 2);
    CHECK(log.versions()[1].effective_from == at(8h));
    const auto kept = log.findings(log.versions()[0]);
    REQUIRE(kept.size() == 2);  // of alice and bob, who is exactly at the limit
    CHECK(kept[1].end == at(8h));
    CHECK(log.findings(log.versions()[1]).size() == 2);  // of carol and dave
}

TEST_CASE("oracle: whom a signal names by too many names of a kind it does not link, and yet tells of") {
    auto pattern = test::pattern_of("p", {{"a"}, {"b"}});
    const auto unwanted = engine::Predicate::test({engine::Field::parse("name").value(), engine::FieldTest::Operator::any_of, {"c"}}).value();
    pattern.absent.push_back({unwanted, engine::Absence::Where::between, 0, 1, {}});
    auto crowd = test::signal_of("c", 2h, "alice");
    for (int i = 0; i < 8; ++i) crowd.entities.push_back({"account", "other" + std::to_string(i), "", true});
    std::vector<LogEntry> entries;
    for (const auto& signal : {test::signal_of("a", 1h, "alice"), crowd, test::signal_of("b", 3h, "alice"), test::signal_of("b", 9h, "nobody")})
        entries.push_back({engine::Position{static_cast<std::int64_t>(entries.size()) + 1}, engine::TenantId{1}, signal.time, signal});
    const auto found = [&](const engine::Pattern& wanted) {
        const oracle::TenantLog log{{test::shared(wanted)}, entries};
        return sizes(log.findings(log.versions()[0]));
    };
    CHECK(found(pattern).empty());
    pattern.absent.clear();
    CHECK(found(pattern) == std::vector<std::size_t>{2});
}

TEST_CASE("oracle: a score adds up weights, discounts, domains and rises") {
    // python3 -c 'from math import log2; p=log2(.01/.99); print(1/(1+2**-(p-2*p+1)), 1/(1+2**-(p-1.7*p)), 1/(1+2**-(p-2*p+.5)))'
    const auto near = [](double expected) { return doctest::Approx(expected).epsilon(1e-12); };
    CHECK(oracle::score({{weighing(0.5, "x", "identity", "TA0001", 1h), 0}, {weighing(0.5, "y", "email", "TA0001", 2h), 1}}, 0.01) == near(0.9949748743718594));
    CHECK(oracle::score({{weighing(0.5, "x", "identity", "TA0001", 1h), 0}, {weighing(0.5, "x", "identity", "TA0001", 2h), 1}}, 0.01) ==
          near(0.9614536111031542));
    CHECK(oracle::score({{weighing(0.5, "x", "d", "TA0001", 1h), 0}, {weighing(0.5, "y", "d", "TA0003", 2h), 1}, {weighing(0.4, "y", "d", "TA0010", 3h), 1}},
                        0.01) == near(0.9929081606716527));
}

TEST_CASE("oracle: an incident is what hangs together by evidence and spans thirty days at most") {
    const auto reported = [](std::string id, int day, std::vector<std::string> evidence) {
        oracle::Reported finding{"p", at(day * 24h), std::move(id), at(day * 24h + 1h), {}};
        for (auto& name : evidence) finding.evidence.insert({at(0h), "edr", std::move(name)});
        return finding;
    };
    using Partition = std::set<std::set<std::string>>;
    CHECK(oracle::incidents({reported("c", 3, {"2"}), reported("a", 1, {"1"}), reported("b", 2, {"1", "2"}), reported("d", 2, {"3"})}) ==
          Partition{{"a", "b", "c"}, {"d"}});
    CHECK(oracle::incidents({reported("a", 1, {"1"}), reported("b", 31, {"1"})}) == Partition{{"a"}, {"b"}});  // an hour more than thirty days
    CHECK(oracle::incidents({reported("a", 1, {"1"}), reported("b", 30, {"1"})}) == Partition{{"a", "b"}});
    const std::vector many{reported("a", 1, {"1"}), reported("b", 1, {"2"}), reported("c", 1, {"3"}), reported("d", 1, {"1"}), reported("e", 2, {"3"})};
    CHECK(oracle::incidents(many, 1) == Partition{{"a", "d"}, {"b", "c"}, {"e"}});
}
