#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

#include <boost/system/result.hpp>

namespace catenary::api::handlers {

http::Response list_incidents(const http::Request& request, const Caller& caller, ports::Services& services);
/// A redirected number answers 200 with `merged_into`.
http::Response get_incident(const http::Request& request, const Caller& caller, ports::Services& services);
/// Status, classification with reason, owner, severity, title, labels; If-Match is honoured, every fault is said at once.
http::Response edit_incident(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response incident_timeline(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response incident_evidence(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response incident_explanation(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response incident_activity(const http::Request& request, const Caller& caller, ports::Services& services);
/// Nodes and edges of entities and evidence signals, and how each signal is linked to the one before it in time.
http::Response incident_graph(const http::Request& request, const Caller& caller, ports::Services& services);
/// Other incidents that share principals, entities, patterns or techniques, most alike first, each with its reasons.
http::Response similar_incidents(const http::Request& request, const Caller& caller, ports::Services& services);
// Merges, splits and comments: Idempotency-Key is honoured; redirected numbers are refused, and closed ones where findings would move.
http::Response merge_incident(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response split_incident(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response comment_incident(const http::Request& request, const Caller& caller, ports::Services& services);

/// An incident in full with its entity tag: findings, stages, comments.
http::Response incident_reply(const http::Request& request, const Caller& caller, ports::Services& services, const engine::IncidentRecord& incident,
                              int status);

/// The path's {number}, whether or not there is such an incident.
ports::Outcome<engine::IncidentNumber> number_in_path(const http::Request& request);
/// The incident that it names.
ports::Outcome<engine::IncidentRecord> incident_in_path(const http::Request& request, const Caller& caller, ports::Services& services);
/// The same, but of a redirected number the incident it leads to: the story of what was merged is told there.
ports::Outcome<engine::IncidentRecord> story_in_path(const http::Request& request, const Caller& caller, ports::Services& services);

}  // namespace catenary::api::handlers
