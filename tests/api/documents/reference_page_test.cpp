#include "api/catalogue/examples.hpp"
#include "api/documents/document.hpp"
#include "api/documents/pattern_document.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace catenary;
using nlohmann::json;

namespace {

/// A fenced block of YAML in the reference page of the language; `kind` is what follows the word yaml.
struct Block {
    std::string kind;
    json value;
    int line;
};

std::vector<Block> blocks_of_page() {
    std::ifstream page{std::string{CATENARY_SOURCE_DIR} + "/api/documents/PATTERNS.md"};
    REQUIRE(page.good());
    std::vector<Block> blocks;
    std::string line;
    for (int number = 1; std::getline(page, line); ++number) {
        if (!line.starts_with("```yaml")) continue;
        Block block{line.size() > 8 ? line.substr(8) : "", {}, number};
        std::string text;
        for (; std::getline(page, line) && line != "```"; ++number) text += line + "\n";
        ++number;
        const auto read = api::documents::read_document(text, api::documents::Syntax::yaml);
        for (const auto& fault : read.faults) FAIL("line " << block.line << ": " << fault.detail);
        block.value = *read;
        blocks.push_back(std::move(block));
    }
    return blocks;
}

/// A signal of which a block says only what matters.
json completed(const json& said) {
    json signal{{"source", "s"}, {"id", "1"}, {"time", "2026-03-05T10:00:00Z"}, {"domain", "web"}, {"name", "any"}};
    signal.update(said);
    return signal;
}

void run_examples_of(const json& document) {
    const auto pattern = api::documents::pattern_from_json(document);
    for (const auto& fault : pattern.faults) FAIL(fault.pointer << " " << fault.detail);
    const auto outcomes = api::catalogue::run_examples(*pattern);
    CHECK_FALSE(outcomes.empty());
    for (const auto& outcome : outcomes) {
        for (const auto& fault : outcome.faults) FAIL_CHECK(fault.pointer << " " << fault.detail);
        CHECK_MESSAGE(outcome.passed, "example " << outcome.index << ": " << outcome.detail);
    }
}

/// The predicate as a pattern of one stage, its signals as stories of one signal each.
json pattern_of_predicate(const json& block) {
    json examples{{"must_match", json::array()}, {"must_not_match", json::array()}};
    for (const auto& signal : block["satisfied_by"]) examples["must_match"].push_back({completed(signal)});
    for (const auto& signal : block["not_satisfied_by"]) examples["must_not_match"].push_back({completed(signal)});
    return {{"id", "p"}, {"title", "P"}, {"within", "1h"}, {"stages", {{{"id", "s"}, {"match", block["match"]}}}}, {"examples", examples}};
}

/// Every member and string anywhere in a value.
void collect_words(const json& value, std::set<std::string>& words) {
    if (value.is_object()) {
        for (const auto& [name, member] : value.items()) {
            words.insert(name);
            collect_words(member, words);
        }
    } else if (value.is_array()) {
        for (const auto& item : value) collect_words(item, words);
    } else if (value.is_string()) {
        words.insert(value.get<std::string>());
    }
}

/// The words that a place in a document knows: what it says to one that it does not.
std::set<std::string> known_at(const json& document, const std::string& pointer) {
    const auto read = api::documents::pattern_from_json(document);
    std::set<std::string> words;
    for (const auto& fault : read.faults) {
        if (fault.pointer != pointer) continue;
        const auto allowed = fault.detail.find("allowed: ");
        REQUIRE_MESSAGE(allowed != std::string::npos, fault.detail);
        std::istringstream list{fault.detail.substr(allowed)};
        std::string part;
        for (int i = 0; std::getline(list, part, '"'); ++i) {
            if (i % 2 == 1) words.insert(part);
        }
    }
    REQUIRE_FALSE(words.empty());
    return words;
}

}  // namespace

TEST_CASE("every block of the language's reference page does what the page says") {
    std::size_t documents = 0, predicates = 0, refused = 0;
    for (const auto& block : blocks_of_page()) {
        CAPTURE(block.line);
        if (block.kind.empty()) {
            run_examples_of(block.value);
            ++documents;
        } else if (block.kind == "match") {
            run_examples_of(pattern_of_predicate(block.value));
            ++predicates;
        } else {
            REQUIRE(block.kind == "refused");
            const auto read = api::documents::pattern_from_json(block.value["document"]);
            std::set<std::string> said;
            for (const auto& fault : read.faults) {
                const auto expected = block.value["errors"].value(fault.pointer, json{});
                CHECK_MESSAGE(expected.is_string(), fault.pointer << " " << fault.detail);
                if (expected.is_string())
                    CHECK_MESSAGE(fault.detail.find(expected.get<std::string>()) != std::string::npos, fault.pointer << " " << fault.detail);
                said.insert(fault.pointer);
            }
            for (const auto& [pointer, unused] : block.value["errors"].items()) CHECK_MESSAGE(said.contains(pointer), pointer << " is no fault");
            ++refused;
        }
    }
    CHECK(documents >= 7);
    CHECK(predicates >= 11);
    CHECK(refused >= 2);
}

TEST_CASE("the reference page shows every member, field and operator that the language knows") {
    std::set<std::string> shown;
    for (const auto& block : blocks_of_page()) collect_words(block.value, shown);
    const auto odd = "zzzzzzzzzzzzzzzzzzzzz";
    const json stage{{"id", "a"}, {"match", {{"name", "x"}}}};
    const auto with_stage = [&](json changed) { return json{{"id", "x"}, {"title", "X"}, {"within", "1h"}, {"stages", {std::move(changed)}}}; };
    auto with_member = stage;
    with_member[odd] = 1;
    auto with_field = stage;
    with_field["match"][odd] = 1;
    auto with_operator = stage;
    with_operator["match"]["name"] = {{odd, 1}};
    auto with_repeat = stage;
    with_repeat["repeat"] = {{odd, 1}};
    const auto at_top = [&](const char* member) { return json{{member, {{odd, 1}}}}; };
    const std::string z{odd};
    for (const auto& [document, pointer] : std::vector<std::pair<json, std::string>>{{json{{odd, 1}}, "/" + z},
                                                                                     {with_stage(with_member), "/stages/0/" + z},
                                                                                     {with_stage(with_field), "/stages/0/match/" + z},
                                                                                     {with_stage(with_operator), "/stages/0/match/name/" + z},
                                                                                     {with_stage(with_repeat), "/stages/0/repeat/" + z},
                                                                                     {at_top("link"), "/link/" + z},
                                                                                     {at_top("require"), "/require/" + z},
                                                                                     {at_top("examples"), "/examples/" + z},
                                                                                     {json{{"absent", json::array({json{{odd, 1}}})}}, "/absent/0/" + z}}) {
        for (const auto& word : known_at(document, pointer)) {
            const auto stem = word.substr(0, word.find('<'));  // attributes.<path>
            const auto found = stem == word ? shown.contains(word) : std::ranges::any_of(shown, [&](const auto& one) { return one.starts_with(stem); });
            CHECK_MESSAGE(found, word << " of " << pointer << " is not shown");
        }
    }
}
