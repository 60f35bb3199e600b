#include "api/catalogue/shipped_patterns.hpp"
#include "api/ingest/prepared.hpp"
#include "engine/lane/lane.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>

using namespace catenary;

namespace {

/// A story of a document as the engine would read it after ingest has checked it.
std::vector<engine::Signal> signals_in(const nlohmann::json& story) {
    auto posted = story;
    for (auto& signal : posted) signal["confidence"] = 0.4;  // examples say what happens, not how sure a sender is
    api::http::Request request;
    request.content_type = "application/json";
    request.body = posted.dump();
    const auto prepared = api::ingest::prepare(request, {}, engine::from_micros(4'000'000'000'000'000), {});
    REQUIRE_FALSE(prepared.refusal.has_value());
    for (const auto& refused : prepared.batch->refused) FAIL_CHECK(refused.errors.front().pointer << ": " << refused.errors.front().detail);
    std::vector<engine::Signal> signals;
    for (const auto& p : prepared.batch->signals) {
        engine::Signal signal;
        signal.source = p.source;
        signal.id = p.id;
        signal.time = p.time;
        signal.domain = p.domain;
        signal.name = p.name;
        signal.confidence = p.confidence;
        signal.count = p.count;
        for (const auto& entity : p.entities) {
            signal.entities.push_back({std::string{entity.kind}, std::string{entity.value}, std::string{entity.role}, entity.identifies});
        }
        signals.push_back(std::move(signal));
    }
    return signals;
}

/// Ids of the patterns that find something in a story, each open finding once.
std::vector<std::string> matched_by(const nlohmann::json& story) {
    engine::Catalogue catalogue;
    for (const auto& shipped : api::catalogue::shipped_patterns()) catalogue.push_back(shipped.pattern);
    engine::Lane lane{catalogue};
    const engine::TenantId tenant{1};
    std::int64_t position = 0;
    for (const auto& signal : signals_in(story)) {
        const engine::BorrowedSignal borrowed{signal};
        lane.apply(engine::Position{++position}, tenant, signal.time, borrowed.view());
    }
    std::vector<std::string> patterns;
    for (const auto& effects : lane.take_effects()) {
        for (const auto& change : effects.findings) {
            if (change.record.state == engine::FindingState::open) patterns.push_back(change.record.pattern);
        }
    }
    return patterns;
}

}  // namespace

TEST_CASE("every shipped pattern matches the stories it says it must, and none that it must not") {
    for (const auto& shipped : api::catalogue::shipped_patterns()) {
        const auto document = nlohmann::json::parse(shipped.document_json);
        CAPTURE(shipped.pattern->id);
        for (const auto& story : document["examples"]["must_match"]) {
            CAPTURE(story.dump());
            CHECK(matched_by(story) == std::vector<std::string>{shipped.pattern->id});
        }
        for (const auto& story : document["examples"]["must_not_match"]) {
            CAPTURE(story.dump());
            CHECK(matched_by(story).empty());
        }
    }
}
