#include "engine/snapshot/lane_snapshot.hpp"
#include "tests/property/lane_log.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <random>

// A lane that was saved and loaded goes on as if nothing had happened, wherever in the log that was; bytes that are no snapshot are refused.

using namespace catenary::engine;
using namespace catenary::test;
using catenary::property::LaneLog;
using catenary::property::random_lane_log;

namespace {

Lane loaded(const LaneLog& log, const std::string& bytes) {
    auto lane = Lane::load(log.shipped, log.posted(), bytes);
    if (!lane) FAIL("refused: ", lane.error().detail);
    return std::move(lane).value();
}

std::string sealed_again(std::string bytes) {
    bytes.resize(bytes.size() - seal_of({}).size());
    return bytes + seal_of(bytes);
}

std::vector<std::string> snapshots_along(const LaneLog& log, std::size_t each) {
    LaneStory story{log.shipped};
    std::vector<std::string> snapshots;
    for (const LogEntry& entry : log.entries) {
        story.entry(entry);
        story.take();
        if (story.log().size() % each == 0) snapshots.push_back(story.lane().save());
    }
    return snapshots;
}

}  // namespace

TEST_CASE("property: a snapshot and the tail of the log are the whole log, at every position") {
    std::size_t with_incidents = 0;
    std::size_t with_near_misses = 0;
    const auto tried = catenary::tests::seeds(0, 150);
    for (const auto seed : tried) {
        CAPTURE(seed);
        const LaneLog log = random_lane_log(seed, 60);
        LaneStory whole{log.shipped};
        std::vector<LaneStory> resumed;
        for (const LogEntry& entry : log.entries) {
            const std::int64_t position = entry.position.value();
            CAPTURE(position);
            whole.entry(entry);
            const std::string text = as_text(whole.taken());
            for (LaneStory& story : resumed) {
                const std::size_t resumed_after = static_cast<std::size_t>(&story - resumed.data()) + 1;
                CAPTURE(resumed_after);
                story.entry(entry);
                REQUIRE(as_text(story.taken()) == text);
            }
            const std::string bytes = whole.lane().save();
            if (!resumed.empty()) REQUIRE(resumed.back().lane().save() == bytes);
            resumed.push_back(whole.resumed_with(loaded(log, bytes)));
            REQUIRE(resumed.back().lane().save() == bytes);
            with_incidents += !whole.stored().incidents.empty() ? 1 : 0;
        }
        with_near_misses += !whole.stored().near_misses.empty() ? 1 : 0;
        const std::string hash = whole.lane().state_hash();
        for (LaneStory& story : resumed) {
            REQUIRE(story.lane().state_hash() == hash);
            for (const int tenant : {1, 2}) REQUIRE(story.lane().digest(TenantId{tenant}) == whole.lane().digest(TenantId{tenant}));
        }
    }
    CHECK(with_incidents > static_cast<int>(tried.size()) * 13);  // the logs are about something
    CHECK(with_near_misses > tried.size() / 4);
}

TEST_CASE("property: how often effects are taken does not show in the state") {
    for (const auto seed : catenary::tests::seeds(1'000, 150)) {
        CAPTURE(seed);
        const LaneLog log = random_lane_log(seed, 80);
        std::vector<std::string> hashes;
        for (const std::size_t batch : {1U, 7U, 1'000U}) {
            LaneStory story{log.shipped};
            for (const LogEntry& entry : log.entries) {
                story.entry(entry);
                if (story.log().size() % batch == 0) story.take();
            }
            story.take();
            hashes.push_back(story.lane().state_hash());
        }
        REQUIRE(hashes[0] == hashes[1]);
        REQUIRE(hashes[0] == hashes[2]);
    }
}

TEST_CASE("a snapshot that was cut short or changed is refused as damaged") {
    const LaneLog log = random_lane_log(7, 60);
    const std::string bytes = snapshots_along(log, 60).at(0);
    for (std::size_t size = 0; size < bytes.size(); size += 1 + size / 64) {
        const auto lane = Lane::load(log.shipped, log.posted(), std::string_view{bytes}.substr(0, size));
        REQUIRE_FALSE(lane.has_value());
        CHECK(lane.error().reason == SnapshotRefusal::Reason::damaged);
    }
    std::mt19937 random{1};
    for (int round = 0; round < 300; ++round) {
        std::string changed = bytes;
        changed[random() % changed.size()] ^= static_cast<char>(1U << random() % 8);
        const auto lane = Lane::load(log.shipped, log.posted(), changed);
        REQUIRE_FALSE(lane.has_value());
        CHECK(lane.error().reason == SnapshotRefusal::Reason::damaged);
    }
    CHECK(Lane::load(log.shipped, log.posted(), bytes).has_value());
}

TEST_CASE("property: a snapshot that was tampered with, its checksum made right again, is refused or loaded, and nothing else happens") {
    std::size_t refused = 0;
    std::size_t rounds = 0;
    for (const auto seed : catenary::tests::seeds(0, 40)) {
        const LaneLog log = random_lane_log(seed, 60);
        for (const std::string& bytes : snapshots_along(log, 20)) {
            std::mt19937 random{seed};
            for (int round = 0; round < 150; ++round) {
                CAPTURE(seed);
                CAPTURE(round);
                std::string changed = bytes;
                for (auto count = 1 + random() % 3; count > 0; --count) {
                    const std::size_t place = random() % (changed.size() - 20);
                    switch (random() % 4) {
                        case 0: changed[place] = static_cast<char>(random()); break;
                        case 1: changed[place] ^= static_cast<char>(1U << random() % 8); break;
                        case 2: changed.erase(place, 1 + random() % 4); break;
                        default: changed.insert(place, 1 + random() % 9, static_cast<char>(random() % 2 == 0 ? 0xFF : random())); break;
                    }
                    if (changed.size() < 40) break;
                }
                const auto lane = Lane::load(log.shipped, log.posted(), sealed_again(changed));
                ++rounds;
                if (!lane) {
                    ++refused;
                    CHECK_FALSE(lane.error().detail.empty());
                } else {
                    CHECK_FALSE(lane->save().empty());
                }
            }
        }
    }
    CHECK(refused > rounds / 2);
    CHECK(refused < rounds);  // a changed digit of a score is as good as any other
}

TEST_CASE("a snapshot of another version, another catalogue or with unknown patterns is refused with that reason") {
    using Reason = SnapshotRefusal::Reason;
    LaneLog log;
    for (std::uint32_t seed = 7; log.posted().empty(); ++seed) log = random_lane_log(seed, 60);
    const std::string bytes = snapshots_along(log, 60).at(0);
    const auto refused = [](const auto& lane, Reason reason) {
        REQUIRE_FALSE(lane.has_value());
        CAPTURE(lane.error().detail);
        CHECK(lane.error().reason == reason);
    };

    std::string other = bytes;
    const auto version = other.find(Lane::version());
    REQUIRE(version != std::string::npos);
    other[version + Lane::version().size() - 1] = '~';
    refused(Lane::load(log.shipped, log.posted(), sealed_again(other)), Reason::other_engine);
    other = bytes;
    other[0] = 'C';
    refused(Lane::load(log.shipped, log.posted(), sealed_again(other)), Reason::other_engine);

    Catalogue shipped = log.shipped;
    shipped.pop_back();
    refused(Lane::load(shipped, log.posted(), bytes), Reason::other_catalogue);
    Pattern changed = *log.shipped.back();
    changed.stages.back().match = Predicate::test({Field::parse("name").value(), FieldTest::Operator::any_of, {std::string{"z"}}}).value();
    shipped.push_back(shared(changed));
    CHECK(catalogue_hash(shipped) != catalogue_hash(log.shipped));
    refused(Lane::load(shipped, log.posted(), bytes), Reason::other_catalogue);
    refused(Lane::load(log.shipped, {}, bytes), Reason::unknown_pattern);
    CHECK(Lane::load(log.shipped, log.posted(), bytes).has_value());
}

TEST_CASE("a held signal and a live attempt take few bytes of a snapshot") {
    const Catalogue shipped{shared(pattern_of("p", {{"a"}, {"b"}}))};
    const auto size_with = [&](int accounts, const std::vector<std::string>& names) {
        LaneStory story{shipped};
        for (int i = 0; i < accounts; ++i) {
            for (const std::string& name : names) {
                story.signal(signal_of(name, std::chrono::seconds{i}, "user" + std::to_string(i) + "@corp.example"));
            }
        }
        story.take();
        return story.lane().save().size();
    };
    const std::size_t attempts = size_with(11'000, {"a"}) - size_with(1'000, {"a"});
    const std::size_t further = size_with(2'000, {"a", "a2", "b"}) - size_with(1'000, {"a", "a2", "b"});
    MESSAGE("bytes a live attempt (its signal and entity included): ", attempts / 10'000, ", a finding and incident of two signals: ", further / 1'000);
    CHECK(attempts / 10'000 < 150);
    CHECK(further / 1'000 < 1'500);
}
