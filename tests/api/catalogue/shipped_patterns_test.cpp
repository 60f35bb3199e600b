#include "api/catalogue/shipped_patterns.hpp"
#include "api/catalogue/examples.hpp"
#include "api/documents/document.hpp"
#include "api/embedded.hpp"
#include "tests/api/catalogue/released_patterns.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
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

std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 0xCBF2'9CE4'8422'2325;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x0000'0100'0000'01B3;
    return hash;
}

}  // namespace

TEST_CASE("a document that was released is as it was: findings are named by its id and version") {
    for (const auto& released : tests::released_patterns) {
        CAPTURE(released.id);
        const auto* shipped = api::catalogue::find_shipped(released.id);
        REQUIRE(shipped != nullptr);
        auto document = nlohmann::ordered_json::parse(shipped->document_json);
        document.erase("examples");
        CHECK_MESSAGE(hash_of(document.dump()) == released.hash, "now " << std::hex << hash_of(document.dump()));
    }
}

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
    CHECK(ids.size() >= 60);
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
