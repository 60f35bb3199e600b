#include "engine/lane/control.hpp"

#include "engine/incidents/records.hpp"

namespace catenary::engine {

const char* to_string(IncidentStatus status) {
    switch (status) {
        case IncidentStatus::new_: return "new";
        case IncidentStatus::active: return "active";
        case IncidentStatus::closed: return "closed";
    }
    return "new";
}

const char* to_string(Classification classification) {
    switch (classification) {
        case Classification::true_positive: return "true_positive";
        case Classification::benign_positive: return "benign_positive";
        case Classification::false_positive: return "false_positive";
        case Classification::undetermined: return "undetermined";
    }
    return "undetermined";
}

const char* to_string(FindingState state) {
    switch (state) {
        case FindingState::open: return "open";
        case FindingState::waiting: return "waiting";
        case FindingState::superseded: return "superseded";
    }
    return "open";
}

const char* to_string(LinkRule rule) {
    switch (rule) {
        case LinkRule::usual: return "usual";
        case LinkRule::deny: return "deny";
        case LinkRule::allow: return "allow";
    }
    return "usual";
}

std::optional<LinkRule> link_rule_from(std::string_view word) {
    for (const auto rule : {LinkRule::usual, LinkRule::deny, LinkRule::allow}) {
        if (to_string(rule) == word) return rule;
    }
    return std::nullopt;
}

std::optional<IncidentStatus> incident_status_from(std::string_view word) {
    for (const auto status : {IncidentStatus::new_, IncidentStatus::active, IncidentStatus::closed}) {
        if (to_string(status) == word) return status;
    }
    return std::nullopt;
}

std::optional<Classification> classification_from(std::string_view word) {
    for (const auto classification :
         {Classification::true_positive, Classification::benign_positive, Classification::false_positive, Classification::undetermined}) {
        if (to_string(classification) == word) return classification;
    }
    return std::nullopt;
}

}  // namespace catenary::engine
