#include "api/tickets/condition.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace catenary::api::tickets {
namespace {

using engine::Field;
using Kind = engine::Field::Kind;

constexpr std::string_view entity_prefix = "entities.";
constexpr std::array<std::string_view, 17> words{"severity",      "score",           "status", "title",  "owner",     "classification",
                                                 "pattern",       "label",           "domain", "tactic", "technique", "signal_count",
                                                 "finding_count", "entities.<kind>", "all_of", "any_of", "none_of"};
// Those without a field of their own among a signal's are read as attributes of these names.
constexpr std::array<std::string_view, 10> as_attributes{"score",   "status", "title",  "owner",        "classification",
                                                         "pattern", "label",  "domain", "signal_count", "finding_count"};

engine::Result<Field> incident_field(std::string_view written) {
    if (written == "severity" || written == "tactic" || written == "technique" || written.starts_with(entity_prefix)) return Field::parse(written);
    if (std::ranges::find(as_attributes, written) != as_attributes.end()) return Field{Kind::attribute, std::string{written}};
    return engine::Fault{engine::FaultCode::unknown_field, "", "no incident has such a field"};
}

}  // namespace

std::optional<documents::PredicateDocument> condition_from_json(const documents::Place& place, const nlohmann::json& document) {
    return documents::predicate_from_json(place, document, {words, &incident_field});
}

bool meets(const engine::Predicate& condition, const engine::IncidentRecord& incident) {
    engine::Signal seen;
    seen.severity = incident.severity;
    seen.tactics = incident.tactics;
    seen.techniques = incident.techniques;
    for (const auto& entity : incident.entities) seen.entities.push_back({entity.kind, entity.value, "", true});
    const auto add = [&](const char* name, engine::AttributeValue value) { seen.attributes.push_back({name, std::move(value)}); };
    add("score", incident.score);
    add("status", std::string{engine::to_string(incident.status)});
    add("title", incident.title);
    if (!incident.owner.empty()) add("owner", incident.owner);
    if (incident.classification) add("classification", std::string{engine::to_string(*incident.classification)});
    for (const auto& pattern : incident.patterns) add("pattern", pattern);
    for (const auto& label : incident.labels) add("label", label);
    for (const auto& domain : incident.domains) add("domain", domain);
    add("signal_count", static_cast<double>(incident.signal_count));
    add("finding_count", static_cast<double>(incident.finding_count));
    return condition.matches(engine::BorrowedSignal{seen}.view());
}

}  // namespace catenary::api::tickets
