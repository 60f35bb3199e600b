#include "api/catalogue/shipped_patterns.hpp"
#include "api/documents/document.hpp"
#include "api/embedded.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <set>
#include <string>

using namespace catenary;

TEST_CASE("every shipped pattern parses, is named as its file, and is complete enough to explain itself") {
    std::set<std::string> ids;
    for (const auto& file : api::embedded_files()) {
        if (!file.path.starts_with("catalogue/patterns/")) continue;
        CAPTURE(file.path);
        const auto document = api::documents::read_document(file.text, api::documents::Syntax::yaml);
        for (const auto& fault : document.faults) FAIL_CHECK(fault.pointer << ": " << fault.detail);
        REQUIRE(document.value.has_value());
        const auto read = api::documents::pattern_from_json(*document);
        for (const auto& fault : read.faults) FAIL_CHECK(fault.pointer << ": " << fault.detail);
        REQUIRE(read.value.has_value());
        const auto& pattern = read->pattern;
        CHECK("catalogue/patterns/" + pattern.id + ".yaml" == file.path);
        CHECK(pattern.stages.size() >= 2);
        CHECK(pattern.mode == engine::Mode::production);
        CHECK_FALSE(pattern.description.empty());
        CHECK_FALSE(pattern.tactics.empty());
        CHECK_FALSE(pattern.techniques.empty());
        CHECK_FALSE(read->examples["must_match"].empty());
        CHECK_FALSE(read->examples["must_not_match"].empty());
        for (const auto& stage : pattern.stages) CHECK(stage.match.required_names().has_value());  // else every signal would be kept for it
        ids.insert(pattern.id);
    }
    CHECK(ids.size() == 4);
    REQUIRE(api::catalogue::shipped_patterns().size() == ids.size());
    for (const auto& shipped : api::catalogue::shipped_patterns()) {
        CHECK(ids.contains(shipped.pattern->id));
        CHECK(api::documents::stored_pattern(shipped.document_json, 1, engine::Mode::production).id == shipped.pattern->id);
    }
}
