#include "api/catalogue/story_run.hpp"

#include "api/ingest/signal_views.hpp"
#include "api/json/why_not_text.hpp"
#include "engine/lane/deployment.hpp"
#include "engine/lane/lane.hpp"
#include "engine/matching/why_not.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace catenary::api::catalogue {

using engine::Pattern;
using ingest::PreparedBatch;

namespace {

constexpr engine::TenantId tenant{1};
constexpr engine::Duration longest_wait = std::chrono::days{400};  // above every span that a pattern can name
constexpr std::size_t most_asked_about = 50;                       // of a story's entities

/// The story's signals as the why-not wants them: owned, in the order of time.
std::vector<engine::SeenSignal> seen_signals(const PreparedBatch& story, const Pattern& pattern) {
    ingest::SignalViews views;
    const auto paths = engine::attribute_paths(pattern);
    std::vector<engine::SeenSignal> seen;
    for (const auto& prepared : story.signals) {
        const auto& view = views.of(prepared, paths);
        engine::Signal signal;
        signal.source = view.source;
        signal.id = view.id;
        signal.time = view.time;
        signal.domain = view.domain;
        signal.name = view.name;
        signal.tactics.assign(view.tactics.begin(), view.tactics.end());
        signal.techniques.assign(view.techniques.begin(), view.techniques.end());
        signal.severity = view.severity;
        signal.confidence = view.confidence;
        signal.count = view.count;
        for (const auto& entity : view.entities) signal.entities.push_back({std::string{entity.kind}, std::string{entity.value}, "", entity.identifies});
        signal.attributes.assign(view.attributes.begin(), view.attributes.end());
        seen.push_back({std::move(signal)});
    }
    std::ranges::sort(seen, {}, [](const auto& one) { return std::tie(one.signal.time, one.signal.source, one.signal.id); });
    return seen;
}

/// Whom the story may be about: under `same` everybody of a linking kind whom it names, else one question is about all.
std::set<engine::EntityKey> asked_about(const std::vector<engine::SeenSignal>& story, const Pattern& pattern) {
    std::set<engine::EntityKey> entities;
    for (const auto& [signal, behind_horizon, late] : story) {
        for (const auto& mention : signal.entities) {
            const bool links = std::ranges::find(pattern.link_kinds, mention.kind) != pattern.link_kinds.end();
            if (links && (pattern.link == engine::LinkMode::same || entities.empty())) entities.insert({mention.kind, mention.value});
            if (entities.size() == most_asked_about) return entities;
        }
    }
    if (entities.empty()) entities.emplace();
    return entities;
}

}  // namespace

std::vector<engine::FindingRecord> findings_in(const PreparedBatch& story, const Pattern& pattern) {
    auto deployed = std::make_shared<Pattern>(pattern);
    deployed->mode = engine::Mode::production;  // whatever mode the document asks for, its examples are to be found
    return findings_in(story, engine::Catalogue{deployed});
}

std::vector<engine::FindingRecord> findings_in(const PreparedBatch& story, const engine::Catalogue& patterns) {
    engine::Lane lane{patterns};
    ingest::SignalViews views;
    std::map<engine::FindingId, engine::FindingRecord> last;
    const auto take = [&] {
        for (auto& effects : lane.take_effects()) {
            for (auto& change : effects.findings) last.insert_or_assign(change.record.id, std::move(change.record));
        }
    };
    std::int64_t position = 0;
    engine::Timestamp end = engine::Timestamp::min();
    for (const auto& signal : story.signals) {
        lane.apply(engine::Position{++position}, tenant, signal.time, views.of(signal, lane.attribute_paths(tenant)));
        end = std::max(end, signal.time);
    }
    take();
    if (position > 0) lane.apply(engine::Position{++position}, tenant, end, engine::WatermarkCall{end + longest_wait, false}, {});
    take();
    std::vector<engine::FindingRecord> found;
    for (auto& [id, record] : last) {
        if (record.state == engine::FindingState::open) found.push_back(std::move(record));
    }
    std::ranges::stable_sort(found, {}, &engine::FindingRecord::start);
    return found;
}

std::string why_not(const PreparedBatch& story, const Pattern& pattern) {
    const auto seen = seen_signals(story, pattern);
    std::optional<engine::WhyNot> furthest;
    engine::EntityKey entity;
    // Of whom the story gets furthest: as a whole, or by most stages.
    const auto reach = [](const engine::WhyNot& answer) { return std::pair{answer.stage.empty(), answer.reached.size()}; };
    for (const auto& candidate : asked_about(seen, pattern)) {
        auto answer = engine::why_not(pattern, {.entity = candidate, .signals = seen});
        if (furthest && reach(answer) <= reach(*furthest)) continue;
        furthest = std::move(answer);
        entity = candidate;
        if (furthest->stage.empty()) break;
    }
    if (furthest->reason == engine::WhyNot::Reason::matched) return "every stage is satisfied, the pattern as a whole is not";
    return json::why_not_text(*furthest, pattern, entity);
}

}  // namespace catenary::api::catalogue
