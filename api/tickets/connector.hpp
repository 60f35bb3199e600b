#pragma once

#include "api/tickets/connector_kind.hpp"
#include "api/tickets/text_template.hpp"
#include "engine/incidents/records.hpp"
#include "engine/predicate/predicate.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace catenary::api::tickets {

/// When an incident that meets the condition gets a ticket. One that has a ticket is followed whatever happens to it.
enum class Trigger {
    created,   ///< met when it was made
    crossed,   ///< met after a later change: its score crossed a bound, a label was set
    reopened,  ///< met when it was opened again
};
std::string_view to_string(Trigger trigger);

/// What somebody's closing of the ticket does to the incident.
enum class Closing {
    ignore,
    propose,  ///< a comment on the incident says which classification the ticket suggests
    apply,    ///< closes the incident with that classification, and a ticket that is opened again opens it
};
std::string_view to_string(Closing closing);

struct RedmineTarget {
    std::string project;              ///< identifier
    std::int64_t tracker = 0;         ///< id
    std::int64_t incident_field = 0;  ///< id of the issue field, used as a filter, that holds our name of the incident
};

struct RequestTrackerTarget {
    enum class Notes {
        comment,     ///< for those who work on the ticket
        correspond,  ///< sent to its requestors as well
    };
    std::string queue;           ///< its name
    std::string incident_field;  ///< name of the queue's custom field that holds our name of the incident
    Notes notes = Notes::comment;
};

struct JiraTarget {
    std::string project;     ///< its key
    std::string issue_type;  ///< name
    std::string account;     ///< e-mail address whose API token signs in
};

struct ServiceNowTarget {
    enum class Notes {
        work_notes,  ///< for those who work on the record
        comments,    ///< its caller reads them too
    };
    std::string table;    ///< "incident", or one that is made like it
    std::string account;  ///< user that signs in
    std::string group;    ///< assignment group; "": left to ServiceNow
    Notes notes = Notes::work_notes;
    std::string close_code;  ///< required to resolve; of what `close_codes` does not name
    std::map<engine::Classification, std::string> close_codes;
};

/// A connector as its document says, without secrets. Words of the ticket system (priorities, states) are its own, ids as text.
struct Connector {
    ConnectorKind kind = ConnectorKind::webhook;
    bool enabled = true;
    std::string url;  ///< of a webhook where to post, else the root of the ticket system, without a slash at its end
    engine::Predicate condition;
    std::vector<Trigger> when;
    std::optional<TextTemplate> title, body;  ///< of every connector that was read
    std::map<engine::Severity, std::string> priorities;
    std::map<engine::IncidentStatus, std::string> statuses;
    std::map<std::string, engine::Classification> resolutions;  ///< by the state in which a ticket was closed
    std::vector<std::string> labels;
    std::string assignee;  ///< "": nobody
    std::string console;   ///< what a link back begins with; "": no link
    Closing closing = Closing::propose;
    bool comments = false;    ///< comments on the incident become notes on the ticket, and people's notes comments
    engine::Duration poll{};  ///< between looks at what changed there
    RedmineTarget redmine;
    RequestTrackerTarget request_tracker;
    JiraTarget jira;
    ServiceNowTarget servicenow;
    nlohmann::ordered_json document;  ///< normal form

    /// An incident that changed for this `cause` ("created", "crossed", "reopened") and meets the condition gets a ticket.
    bool opens_on(std::string_view cause) const;
};

/// What a connector shows to the other side as its own: by name one or several values, newest first.
using Secrets = std::map<std::string, std::vector<std::string>>;

}  // namespace catenary::api::tickets
