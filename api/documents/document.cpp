#include "api/documents/document.hpp"

#include "api/json/limits.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace catenary::api::documents {

std::optional<Syntax> syntax_of(std::string_view content_type) {
    constexpr std::array<std::string_view, 4> yaml{"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"};
    if (content_type.empty() || content_type == "application/json") return Syntax::json;
    if (std::ranges::find(yaml, content_type) != yaml.end()) return Syntax::yaml;
    return std::nullopt;
}

Parsed<nlohmann::json> read_document(std::string_view body, Syntax syntax, const DocumentLimits& limits) {
    engine::Faults faults;
    if (syntax == Syntax::yaml) {
        auto value = read_yaml(body, limits, faults);
        if (!faults.empty()) return faults;
        return value;
    }
    json::JsonLimits json_limits;
    json_limits.bytes = limits.bytes;
    json_limits.depth = limits.depth;
    json_limits.values = limits.values;
    json_limits.key_bytes = limits.key_bytes;
    auto parsed = json::parse_document(body, json_limits);
    if (auto* found = std::get_if<engine::Faults>(&parsed)) return std::move(*found);
    return std::get<nlohmann::json>(std::move(parsed));
}

}  // namespace catenary::api::documents
