#include "api/catalogue/examples.hpp"

#include "api/catalogue/story_run.hpp"

#include <fmt/format.h>

namespace catenary::api::catalogue {
namespace {

using nlohmann::json;

/// A story's signals as ingest checks them. The clock stands far ahead: stories may be set in the future.
std::shared_ptr<ingest::PreparedBatch> prepared(const json& story) {
    constexpr engine::Timestamp never_future{std::chrono::sys_days{std::chrono::year{9999} / 1 / 1}};
    http::Request request;
    request.content_type = "application/json";
    request.body = story.dump();
    ingest::IngestLimits limits;
    limits.signal_bytes = request.body.size();  // a document's own limits are narrower
    return ingest::prepare(request, Caller{}, never_future, limits).batch;
}

std::string what_matched(const engine::FindingRecord& finding) {
    std::string text = "found all the same:";
    for (const auto& stage : finding.stages) {
        if (stage.first) text += fmt::format(" {} at {}/{}", stage.id, stage.first->source, stage.first->id);
    }
    return text;
}

ExampleOutcome run(const json& story, const std::string& pointer, const engine::Pattern& pattern, bool must_match, std::size_t index) {
    ExampleOutcome outcome{must_match, index, false, "", {}};
    const auto batch = prepared(story);
    if (!batch) {
        outcome.faults.push_back({engine::FaultCode::malformed, pointer, "is no list of signals"});
        return outcome;
    }
    for (const auto& refused : batch->refused) {
        for (const auto& fault : refused.errors)
            outcome.faults.push_back({fault.code, fmt::format("{}/{}{}", pointer, refused.index, fault.pointer), fault.detail});
    }
    if (!outcome.faults.empty()) return outcome;
    const auto findings = findings_in(*batch, pattern);
    outcome.passed = findings.empty() != must_match;
    if (!outcome.passed) outcome.detail = must_match ? why_not(*batch, pattern) : what_matched(findings.front());
    return outcome;
}

}  // namespace

std::vector<ExampleOutcome> run_examples(const documents::PatternDocument& document) {
    std::vector<ExampleOutcome> outcomes;
    if (!document.examples.is_object()) return outcomes;
    for (const bool must_match : {true, false}) {
        const std::string list = must_match ? "must_match" : "must_not_match";
        const auto stories = document.examples.find(list);
        if (stories == document.examples.end()) continue;
        for (std::size_t i = 0; i < stories->size(); ++i) {
            outcomes.push_back(run((*stories)[i], fmt::format("/examples/{}/{}", list, i), document.pattern, must_match, i));
        }
    }
    return outcomes;
}

}  // namespace catenary::api::catalogue
