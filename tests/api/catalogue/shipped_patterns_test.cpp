#include "api/catalogue/shipped_patterns.hpp"
#include "api/catalogue/examples.hpp"
#include "api/documents/document.hpp"
#include "api/embedded.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <set>
#include <string>
#include <vector>

using namespace catenary;

namespace {

/// Every shipped file as a document that parsed.
std::vector<std::pair<std::string, api::documents::PatternDocument>> shipped_documents() {
    std::vector<std::pair<std::string, api::documents::PatternDocument>> documents;
    for (const auto& file : api::embedded_files()) {
        if (!file.path.starts_with("catalogue/patterns/")) continue;
        CAPTURE(file.path);
        const auto document = api::documents::read_document(file.text, api::documents::Syntax::yaml);
        for (const auto& fault : document.faults) FAIL_CHECK(fault.pointer << ": " << fault.detail);
        REQUIRE(document.value.has_value());
        auto read = api::documents::pattern_from_json(*document);
        for (const auto& fault : read.faults) FAIL_CHECK(fault.pointer << ": " << fault.detail);
        REQUIRE(read.value.has_value());
        documents.emplace_back(file.path, std::move(*read));
    }
    return documents;
}

}  // namespace

TEST_CASE("every shipped pattern parses, is named as its file, and is complete enough to explain itself") {
    std::set<std::string> ids;
    for (const auto& [path, document] : shipped_documents()) {
        CAPTURE(path);
        const auto& pattern = document.pattern;
        CHECK("catalogue/patterns/" + pattern.id + ".yaml" == path);
        CHECK(pattern.mode == engine::Mode::production);
        CHECK_FALSE(pattern.description.empty());
        CHECK_FALSE(pattern.tactics.empty());
        CHECK_FALSE(pattern.techniques.empty());
        const bool counts = pattern.stages.front().repeat.has_value();  // one stage alone is a pattern when it is a threshold
        CHECK((pattern.stages.size() >= 2 || counts));
        for (const auto& stage : pattern.stages) CHECK(stage.match.required_names().has_value());  // else every signal would be kept for it
        ids.insert(pattern.id);
    }
    CHECK(ids.size() >= 14);
    REQUIRE(api::catalogue::shipped_patterns().size() == ids.size());
    for (const auto& shipped : api::catalogue::shipped_patterns()) {
        CHECK(ids.contains(shipped.pattern->id));
        CHECK(api::documents::stored_pattern(shipped.document_json, 1, engine::Mode::production).id == shipped.pattern->id);
    }
}

TEST_CASE("every shipped pattern matches the stories it says it must, and none that it must not") {
    for (const auto& [path, document] : shipped_documents()) {
        CAPTURE(path);
        std::size_t must = 0, must_not = 0;
        for (const auto& outcome : api::catalogue::run_examples(document)) {
            CAPTURE(outcome.must_match);
            CAPTURE(outcome.index);
            for (const auto& fault : outcome.faults) FAIL_CHECK(fault.pointer << ": " << fault.detail);
            CHECK_MESSAGE(outcome.passed, outcome.detail);
            ++(outcome.must_match ? must : must_not);
        }
        CHECK(must >= 1);
        CHECK(must_not >= 1);
    }
}
