// Pattern documents in both syntaxes: what is accepted obeys the definitions and comes back from its normal form, as JSON and as YAML, the same.
#include "api/documents/document.hpp"
#include "api/documents/pattern_document.hpp"
#include "api/documents/yaml_lines.hpp"
#include "api/documents/yaml_text.hpp"
#include "tests/fuzz/invariant.hpp"

#include <nlohmann/json.hpp>

using namespace catenary;
using api::documents::read_document;
using api::documents::Syntax;
using fuzz::require;

namespace {

/// The normal form of a text that must be a pattern.
nlohmann::ordered_json normal_form(std::string_view text, Syntax syntax) {
    const auto value = read_document(text, syntax);
    require(value.value.has_value(), "what was written by us is a document");
    const auto document = api::documents::pattern_from_json(*value);
    require(document.value.has_value(), "a normal form is a pattern");
    return api::documents::pattern_to_json(*document);
}

void check(const api::documents::PatternDocument& document, const api::documents::DocumentLimits& limits) {
    require(engine::Pattern::check(document.pattern).empty(), "an accepted pattern has no fault");
    require(document.matches.size() == document.pattern.stages.size(), "every stage keeps its match");
    const auto normal = api::documents::pattern_to_json(document);
    const auto json = normal.dump();
    const auto yaml = api::documents::to_yaml(normal);
    if (json.size() > limits.bytes || yaml.size() > limits.bytes) return;  // escapes made it longer than it was
    require(normal_form(json, Syntax::json) == normal, "a normal form is stable");
    require(normal_form(yaml, Syntax::yaml) == normal, "YAML says the same");
    const auto stored = api::documents::stored_pattern(json, 7, document.pattern.mode);
    require(stored.version == 7 && stored.mode == document.pattern.mode && stored.id == document.pattern.id, "a stored pattern is the posted one");
    require(document.absent_matches.size() == document.pattern.absent.size() && stored.absent.size() == document.pattern.absent.size(),
            "every absence condition is kept");
    require(stored.within == document.pattern.within && stored.stages.size() == document.pattern.stages.size(), "a stored pattern is the posted one");
}

void read(std::string_view text, Syntax syntax) {
    const api::documents::DocumentLimits limits;
    const auto value = read_document(text, syntax, limits);
    require(value.value.has_value() == value.faults.empty(), "a document is read or has faults");
    if (!value) return;
    require(api::documents::YamlLines{text}.line_of("") > 0, "an accepted document stands on some line");
    const auto document = api::documents::pattern_from_json(*value);
    require(document.value.has_value() == document.faults.empty(), "a pattern is read or has faults");
    for (const auto& fault : document.faults) require(!fault.detail.empty() && (fault.pointer.empty() || fault.pointer[0] == '/'), "a fault says where");
    if (document) check(*document, limits);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    read(text, Syntax::json);
    read(text, Syntax::yaml);
    return 0;
}
