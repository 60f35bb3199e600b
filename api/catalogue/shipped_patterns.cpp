#include "api/catalogue/shipped_patterns.hpp"

#include "api/documents/document.hpp"
#include "api/embedded.hpp"
#include "engine/model/assert.hpp"

namespace catenary::api::catalogue {
namespace {

ShippedPattern compile(std::string_view text) {
    const auto value = documents::read_document(text, documents::Syntax::yaml);
    CATENARY_ASSERT(value, "a shipped pattern is no YAML document");
    auto document = documents::pattern_from_json(*value);
    CATENARY_ASSERT(document, "a shipped pattern has faults");
    auto json = documents::pattern_to_json(*document).dump();
    return {std::make_shared<const engine::Pattern>(std::move(document->pattern)), std::move(json)};
}

std::vector<ShippedPattern> compile_all() {
    std::vector<ShippedPattern> patterns;
    for (const auto& file : embedded_files()) {
        if (file.path.starts_with("catalogue/patterns/")) patterns.push_back(compile(file.text));
    }
    return patterns;
}

}  // namespace

const std::vector<ShippedPattern>& shipped_patterns() {
    static const auto patterns = compile_all();
    return patterns;
}

}  // namespace catenary::api::catalogue
