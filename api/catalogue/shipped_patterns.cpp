#include "api/catalogue/shipped_patterns.hpp"

#include "api/documents/document.hpp"
#include "api/embedded.hpp"
#include "engine/model/assert.hpp"

#include <algorithm>

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

const ShippedPattern* find_shipped(std::string_view id) {
    const auto& all = shipped_patterns();
    const auto it = std::ranges::find(all, id, [](const auto& shipped) -> std::string_view { return shipped.pattern->id; });
    return it == all.end() ? nullptr : &*it;
}

}  // namespace catenary::api::catalogue
