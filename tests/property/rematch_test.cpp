#include "tests/property/lane_case.hpp"
#include "tests/property/shrink.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <random>

// Signals that come when their time has been forgotten, against the definitions, which know nothing of forgetting.

using namespace catenary;
using namespace catenary::property;
using engine::Timestamp;

namespace {

// What is forgotten is forgotten by steps of some hours: an instant of a case is more than one of them.
constexpr int hours_an_instant = 3;
constexpr int seconds_to_hours = hours_an_instant * 3600;

Case stretched(Case c) {
    const auto stretch = [](engine::Duration& span) { span *= seconds_to_hours; };
    const auto move = [](Timestamp& time) { time = Timestamp{time.time_since_epoch() * seconds_to_hours}; };
    stretch(c.pattern.within);
    if (c.pattern.max_span != std::chrono::days{14}) stretch(c.pattern.max_span);
    for (auto& stage : c.pattern.stages) {
        if (stage.within) stretch(*stage.within);
        if (stage.repeat) stretch(stage.repeat->within);
    }
    for (auto& absence : c.pattern.absent) stretch(absence.within);
    if (c.effective_from != Timestamp::min()) move(c.effective_from);
    for (auto& signal : c.signals) move(signal.ref.time);
    c.pattern.max_span = std::max(c.pattern.max_span, c.pattern.within);
    return c;
}

/// How far the horizon is moved before the signal comes; by its name, so that a smaller case does the same.
std::optional<engine::Duration> moved_before(const oracle::Signal& signal, std::uint32_t seed) {
    std::mt19937 random{seed + static_cast<std::uint32_t>(std::hash<std::string>{}(signal.ref.id))};
    if (random() % 3 > 0) return std::nullopt;
    return std::chrono::hours{random() % (16 * hours_an_instant)};
}

struct Run {
    test::LaneStory story;
    Timestamp watermark = Timestamp::min();
    std::set<engine::SignalRef> behind_horizon;
};

struct Manner {
    bool rematches_at_once;  ///< or when everything has come
    bool keeps_incidents;    ///< findings stay in memory, though the signals behind them are forgotten
};

/// On trial, with a window so long that no incident ends. The horizon is that of what is in production.
engine::PatternChange long_memory() {
    auto pattern = test::pattern_of("long", {{"never"}}, std::chrono::days{14});
    pattern.mode = engine::Mode::flighting;
    return {test::shared(std::move(pattern)), Timestamp::min()};
}

void run(Run& it, const Case& c, std::uint32_t seed, Manner manner) {
    auto& story = it.story;
    story.rematching(manner.rematches_at_once);
    const auto hold = [&](Timestamp time) {
        it.watermark = std::max(it.watermark, time);
        story.control(engine::WatermarkCall{time, true});
    };
    hold(Timestamp{} - std::chrono::days{100});
    if (manner.keeps_incidents) story.control(long_memory());
    engine::Pattern pattern = c.pattern;
    make_postable(pattern);
    story.control(engine::PatternChange{test::shared(pattern), c.effective_from});
    for (const auto& signal : c.signals) {
        if (const auto horizon = moved_before(signal, seed)) {
            hold(Timestamp{} + *horizon + c.pattern.within + std::chrono::hours{24});
            story.control(engine::SettingChange{});
        }
        const auto before = story.stored().status.behind_horizon;
        story.signal(posted(signal));
        if (story.stored().status.behind_horizon > before) it.behind_horizon.insert(signal.ref);
    }
    story.rematching(true).finish_rematches();
}

std::string text_of(const std::vector<LaneFinding>& findings) {
    std::string text;
    for (const auto& finding : findings) {
        text += "\n  " + std::to_string(engine::to_micros(finding.start) / 3'600'000'000) + "h.." +
                std::to_string(engine::to_micros(finding.end) / 3'600'000'000) + "h:";
        for (const auto& [ref, stage] : finding.evidence) text += " " + ref.id + "@" + std::to_string(stage);
    }
    return text;
}

/// What is stored is what the definitions want; of what `ended_before` that time every piece of evidence is stored, though maybe in findings as they were when
/// their incidents ended.
std::optional<std::string> difference(const std::vector<LaneFinding>& expected, const std::vector<LaneFinding>& got, Timestamp ended_before) {
    std::set<engine::SignalRef> stored;
    for (const auto& one : got) {
        for (const auto& [ref, stage] : one.evidence) stored.insert(ref);
    }
    bool agrees = true;
    for (const auto& one : expected) {
        if (std::find(got.begin(), got.end(), one) != got.end()) continue;
        const bool has_evidence = std::all_of(one.evidence.begin(), one.evidence.end(), [&](const auto& evidence) { return stored.contains(evidence.first); });
        agrees = agrees && one.end < ended_before && has_evidence;
    }
    for (const auto& one : got) {
        agrees = agrees && (one.end < ended_before || std::find(expected.begin(), expected.end(), one) != expected.end());
    }
    if (agrees && (ended_before != Timestamp::min() || expected.size() == got.size())) return std::nullopt;
    return "expected:" + text_of(expected) + "\nfound:" + text_of(got);
}

std::vector<oracle::Finding> defined(const Case& c, Run& it, bool with_behind_horizon) {
    auto signals = c.signals;
    for (auto& signal : signals) signal.late = it.story.stored().late.contains(signal.ref);
    if (!with_behind_horizon) std::erase_if(signals, [&](const auto& signal) { return it.behind_horizon.contains(signal.ref); });
    return oracle::findings(c.pattern, c.effective_from, signals, it.watermark);
}

std::optional<std::string> disagreement(const Case& c, Run& it, Manner manner) {
    const auto ended_before = manner.keeps_incidents ? Timestamp::min() : it.watermark - c.pattern.within - std::chrono::hours{24};
    return difference(as_stored(defined(c, it, true)), stored_findings(it.story, c.pattern), ended_before);
}

std::optional<std::string> disagreement(const Case& c, std::uint32_t seed, Manner manner) {
    Run it;
    run(it, c, seed, manner);
    return disagreement(c, it, manner);
}

std::string told(const Case& c, std::uint32_t seed, Manner manner) {
    Run it;
    run(it, c, seed, manner);
    std::string text = "seed " + std::to_string(seed) + (manner.rematches_at_once ? ", at once" : ", at the end") +
                       (manner.keeps_incidents ? ", incidents kept" : "") + ", shrunk:\n" + readable(c) + disagreement(c, it, manner).value_or("") +
                       "\nhorizon moved";
    for (const auto& signal : c.signals) {
        if (const auto horizon = moved_before(signal, seed)) text += " to " + std::to_string(horizon->count() / 3'600'000'000) + "h before " + signal.ref.id;
    }
    for (const auto& ref : it.behind_horizon) text += "\nbehind it: " + ref.id;
    return text;
}

Case case_of(std::uint32_t seed) {
    switch (seed % 4) {
        case 0: return stretched(varied_case(seed));
        case 1: return stretched(absence_case(seed));
        case 2: return stretched(long_case(seed));
        default: return stretched(random_case(seed));
    }
}

}  // namespace

TEST_CASE("property: what comes behind the horizon is found as the definitions want it") {
    std::map<std::string, std::size_t> decided;
    const auto tried = tests::seeds(0, 8'000);
    for (const auto seed : tried) {
        const Case c = case_of(seed);
        std::set<std::string> digests;
        for (const Manner manner : {Manner{true, true}, {false, true}, {true, false}, {false, false}}) {
            Run it;
            run(it, c, seed, manner);
            if (disagreement(c, it, manner)) {
                const Case smallest = shrunk(c, [&](const Case& candidate) { return disagreement(candidate, seed, manner).has_value(); });
                FAIL(told(smallest, seed, manner));
            }
            CHECK(it.story.stored().status.rematches.cut == 0);
            CHECK(it.story.stored().status.rematches.given_up == 0);
            CHECK(it.story.stored().awaiting.empty());
            const auto expected = as_stored(defined(c, it, true));
            if (manner.keeps_incidents) digests.insert(it.story.digest());
            if (manner.keeps_incidents) decided["by what came behind the horizon"] += as_stored(defined(c, it, false)) != expected ? 1u : 0u;
            else decided["after its incident had ended"] += stored_findings(it.story, c.pattern) != expected ? 1u : 0u;
        }
        CHECK(digests.size() == 1);  // when it was matched again does not show
    }
    for (const auto& [what, count] : decided) {
        CAPTURE(what);
        MESSAGE(what << ": " << count);
        CHECK(count > tried.size() / 20);
    }
}
