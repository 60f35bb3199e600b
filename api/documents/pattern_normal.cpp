#include "api/documents/absence_document.hpp"
#include "api/documents/pattern_document.hpp"
#include "api/documents/stage_document.hpp"
#include "api/json/time_json.hpp"

namespace catenary::api::documents {

nlohmann::ordered_json pattern_to_json(const PatternDocument& document) {
    const auto& pattern = document.pattern;
    nlohmann::ordered_json written{{"id", pattern.id}, {"title", pattern.title}};
    if (!pattern.description.empty()) written["description"] = pattern.description;
    written["severity"] = engine::to_string(pattern.severity);
    if (!pattern.tactics.empty()) written["tactics"] = pattern.tactics;
    if (!pattern.techniques.empty()) written["techniques"] = pattern.techniques;
    written["order"] = pattern.order == engine::Order::sequence ? "sequence" : "any";
    written["within"] = json::format_span(pattern.within);
    if (pattern.max_span != engine::Pattern{}.max_span) written["max_span"] = json::format_span(pattern.max_span);
    if (pattern.link != engine::LinkMode::none) written["link"] = {{pattern.link == engine::LinkMode::same ? "same" : "chain", pattern.link_kinds}};
    if (pattern.strict) written["strict"] = true;
    if (pattern.overlap) written["overlap"] = true;
    if (pattern.required_domains) written["require"] = {{"domains", *pattern.required_domains}};
    auto& stages = written["stages"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < pattern.stages.size(); ++i) stages.push_back(stage_to_json(pattern.stages[i], document.matches[i]));
    for (std::size_t i = 0; i < pattern.absent.size(); ++i) {
        written["absent"].push_back(absence_to_json(pattern.absent[i], document.absent_matches[i], pattern.stages));
    }
    if (!document.examples.is_null()) written["examples"] = document.examples;
    return written;
}

}  // namespace catenary::api::documents
