#include "tests/property/lane_case.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <random>

// By what a signal may link, in a lane as in the definitions: signals that name too many entities of a kind, names that identify nobody, and decisions
// that administrators make between signals.

using namespace catenary;
using namespace catenary::property;
using engine::Timestamp;
using oracle::Decision;
using oracle::Mention;

namespace {

struct LinkCase {
    Case base;                                  ///< its signals' entities are made of `named`
    std::vector<std::vector<Mention>> named;    ///< by signal
    std::vector<std::vector<Decision>> before;  ///< by signal: decided just before it arrives; `after` is left to the log
    std::size_t pattern_at = 0;                 ///< signals that arrive before the pattern is posted
};

int drawn(std::mt19937& random, int least, int most) { return least + static_cast<int>(random() % static_cast<unsigned>(most - least + 1)); }

/// Three entities of one kind are too many once a limit below that is decided; the default limit is passed by ten fillers of a kind.
LinkCase link_case(std::uint32_t seed) {
    std::mt19937 random{seed};
    LinkCase c{seed % 2 == 0 ? random_case(seed) : varied_case(seed), {}, {}, 0};
    for (auto& signal : c.base.signals) {
        signal.late = false;
        auto& named = c.named.emplace_back();
        for (const auto& entity : signal.entities) named.push_back({entity.kind, entity.number, drawn(random, 1, 16) > 1});
        if (drawn(random, 1, 4) == 1) {
            const int kind = drawn(random, 0, 2);
            for (int i = 0; i < 10; ++i)
                named.push_back({kind == 0 ? "account" : kind == 1 ? "host" : "ip", static_cast<std::uint32_t>(100 + 20 * kind + i), true});
        }
        auto& decided = c.before.emplace_back();
        if (drawn(random, 1, 5) == 1) decided.push_back({{}, static_cast<std::size_t>(drawn(random, 1, 12)), {}, false});
        if (drawn(random, 1, 3) == 1)
            decided.push_back({{}, {}, static_cast<std::uint32_t>(1 + 10 * drawn(random, 0, 1) + drawn(random, 0, 1)), drawn(random, 1, 3) > 1});
    }
    if (drawn(random, 1, 3) == 1) c.pattern_at = static_cast<std::size_t>(drawn(random, 1, static_cast<int>(c.base.signals.size())));
    make_postable(c.base.pattern);
    return c;
}

/// How a reading of the definitions may leave something out, to see what it decides.
enum class Reading { literal, without_limit, without_denials, without_grouping, by_position };

std::vector<oracle::Finding> defined(const LinkCase& c, Reading reading) {
    std::vector<Decision> decisions;
    std::vector<oracle::Signal> signals;
    std::optional<Timestamp> newest;
    for (std::size_t i = 0; i < c.base.signals.size(); ++i) {
        for (Decision decision : c.before[i]) {
            decision.after = newest.value_or(Timestamp::min());
            if (reading == Reading::without_denials && decision.entity) continue;
            decisions.push_back(decision);
        }
        const auto time = c.base.signals[i].ref.time;
        newest = newest ? std::max(*newest, time) : time;
        if (reading != Reading::by_position) continue;
        auto so_far = decisions;
        for (auto& decision : so_far) decision.after = Timestamp::min();
        signals.push_back(c.base.signals[i]);
        signals.back().entities = oracle::linking(c.named[i], time, so_far);
    }
    if (reading == Reading::without_limit) decisions.push_back({Timestamp::min(), std::size_t{32}, {}, false});
    if (reading != Reading::by_position) {
        for (std::size_t i = 0; i < c.base.signals.size(); ++i) {
            signals.push_back(c.base.signals[i]);
            signals.back().entities = oracle::linking(c.named[i], c.base.signals[i].ref.time, decisions);
            if (reading == Reading::without_grouping) std::erase_if(signals.back().entities, [](const oracle::Entity& entity) { return entity.denied; });
        }
    }
    return oracle::findings(c.base.pattern, c.base.effective_from, signals);
}

std::vector<LaneFinding> found(const LinkCase& c, test::LaneStory& story) {
    story.control(engine::SettingChange{.lateness = std::chrono::days{7}, .base_rate = {}, .unlinkable_limit = {}, .group_within = {}, .window_signals = {}});
    const engine::PatternChange pattern{test::shared(c.base.pattern), c.base.effective_from};
    const auto kind_of = [](std::uint32_t number) { return number < 10 ? "account" : "host"; };
    if (c.pattern_at == 0) story.control(pattern);
    for (std::size_t i = 0; i < c.base.signals.size(); ++i) {
        for (const Decision& decision : c.before[i]) {
            if (decision.limit) {
                story.control(engine::SettingChange{
                    .lateness = {}, .base_rate = {}, .unlinkable_limit = static_cast<int>(*decision.limit), .group_within = {}, .window_signals = {}});
            } else {
                story.control(engine::EntityChange{{kind_of(*decision.entity), std::to_string(*decision.entity)},
                                                   decision.denied ? engine::LinkRule::deny : engine::LinkRule::usual});
            }
        }
        story.signal(posted(c.base.signals[i], c.named[i]));
        if (c.pattern_at == i + 1) story.control(pattern);
    }
    return stored_findings(story, c.base.pattern);
}

std::string told(const LinkCase& c) {
    std::string text = readable(c.base);
    for (std::size_t i = 0; i < c.named.size(); ++i) {
        text += "  " + c.base.signals[i].ref.id + " names";
        for (const auto& mention : c.named[i]) text += " " + mention.kind + ":" + std::to_string(mention.number) + (mention.identifies ? "" : "!");
        for (const auto& decision : c.before[i]) {
            text += decision.limit ? "; before it the limit is " + std::to_string(*decision.limit)
                                   : "; before it " + std::to_string(*decision.entity) + (decision.denied ? " is denied" : " is as usual");
        }
        text += "\n";
    }
    return text + "pattern after " + std::to_string(c.pattern_at) + " signals\n";
}

}  // namespace

TEST_CASE("property: a lane links by what the definitions let a signal link by") {
    std::map<std::string, int> decided;
    for (std::uint32_t seed = 0; seed < 12'000; ++seed) {
        const LinkCase c = link_case(seed);
        const auto expected = defined(c, Reading::literal);
        test::LaneStory story;
        const auto got = found(c, story);
        if (got != as_stored(expected)) {
            const std::string text = "seed " + std::to_string(seed) + "\n" + told(c) + std::to_string(expected.size()) + " findings expected, " +
                                     std::to_string(got.size()) + " found";
            FAIL(text);
        }
        const auto& pattern = c.base.pattern;
        const bool repeats = std::any_of(pattern.stages.begin(), pattern.stages.end(), [](const engine::Stage& stage) { return stage.repeat.has_value(); });
        const std::string link = pattern.link == engine::LinkMode::chain ? "chain" : "same";
        if (defined(c, Reading::without_limit) != expected) {
            ++decided["limit, " + link];
            decided["limit, repeat"] += repeats ? 1 : 0;
        }
        if (defined(c, Reading::without_denials) != expected) {
            ++decided["denial, " + link];
            decided["denial, repeat"] += repeats ? 1 : 0;
        }
        decided["grouping by a denied entity"] += defined(c, Reading::without_grouping) != expected ? 1 : 0;
        decided["by event time, not by position"] += defined(c, Reading::by_position) != expected ? 1 : 0;
    }
    CHECK(decided.size() == 8);
    for (const auto& [what, count] : decided) {
        CAPTURE(what);
        MESSAGE(what << ": " << count);
        CHECK(count >= 20);
    }
}
