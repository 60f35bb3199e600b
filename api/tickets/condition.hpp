#pragma once

#include "api/documents/predicate_document.hpp"
#include "engine/incidents/records.hpp"

namespace catenary::api::tickets {

/// A predicate over an incident, in the language of signals' predicates with other fields: `severity score status title owner classification pattern label
/// domain tactic technique signal_count finding_count` and `entities.<kind>`. Empty after a fault.
std::optional<documents::PredicateDocument> condition_from_json(const documents::Place& place, const nlohmann::json& document);

/// Whether the incident as it is satisfies a predicate that condition_from_json has read.
bool meets(const engine::Predicate& condition, const engine::IncidentRecord& incident);

}  // namespace catenary::api::tickets
