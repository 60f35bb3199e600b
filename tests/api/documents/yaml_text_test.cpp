#include "api/documents/yaml_text.hpp"

#include "api/catalogue/shipped_patterns.hpp"
#include "api/documents/document.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace catenary;
using api::documents::to_yaml;
using Json = nlohmann::ordered_json;

namespace {

Json read_back(const std::string& text) {
    const auto read = api::documents::read_document(text, api::documents::Syntax::yaml);
    for (const auto& fault : read.faults) FAIL(fault.pointer << " " << fault.detail << "\n" << text);
    return Json(*read.value);
}

}  // namespace

TEST_CASE("short lists and objects stand on one line, long ones in blocks") {
    const auto value = Json::parse(
        R"({"id": "p", "within": "24h", "link": {"same": ["account"]}, "stages": [{"id": "a", "match": {"name": "x"}, "optional": true}], "none": [], "empty": {}})");
    CHECK(to_yaml(value) == "id: p\nwithin: 24h\nlink: {same: [account]}\nstages:\n  - id: a\n    match: {name: x}\n    optional: true\nnone: []\nempty: {}\n");
}

TEST_CASE("a string that a YAML reader could take for something else is quoted") {
    for (const auto* text : {"no",  "Off", "y",  "null", "~",  "12",  "1e5", "0x1f", "-1", "12:30", "2026-03-05", "",  " x",  "x ", "a: b", "a #b", "[a]",
                             "{a}", "- a", "*a", "&a",   "!a", "'a'", "\"",  "a\nb", "%a", "@a",    "`a`",        "é", "a,b", "=",  "?",    "1h30"}) {
        CAPTURE(std::string{text});
        const Json value{{"k", text}, {"l", {text}}};
        CHECK(to_yaml(value) == "k: " + Json(text).dump() + "\nl: [" + Json(text).dump() + "]\n");
        CHECK(read_back(to_yaml(value)) == value);
    }
    CHECK(to_yaml({{"on", "plain words stay"}}) == "\"on\": plain words stay\n");
}

TEST_CASE("every shipped document comes back as it was") {
    for (const auto& shipped : api::catalogue::shipped_patterns()) {
        CAPTURE(shipped.pattern->id);
        const auto document = Json::parse(shipped.document_json);
        CHECK(nlohmann::json(read_back(to_yaml(document))) == nlohmann::json(document));
    }
}
