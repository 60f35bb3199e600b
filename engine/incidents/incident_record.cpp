#include "engine/incidents/gathered.hpp"
#include "engine/incidents/wording.hpp"

#include <algorithm>

namespace catenary::engine {

namespace {

constexpr std::size_t most_entities = 500;

}  // namespace

void Gathered::describe(IncidentRecord& record, const FindingRecord& leading_record) const {
    std::set<std::string> tactics;
    std::set<std::string> techniques;
    std::set<std::string> domains;
    std::set<std::string> patterns;
    for (const auto& [key, use] : patterns_) {
        patterns.insert(key.first);
        tactics.insert(use.pattern->tactics.begin(), use.pattern->tactics.end());
        techniques.insert(use.pattern->techniques.begin(), use.pattern->techniques.end());
    }
    for (const auto& [id, count] : definitions_) {
        const Definition& definition = dictionary_.definitions[id];
        domains.insert(dictionary_.strings[definition.domain]);
        for (const Symbol tactic : definition.tactics) tactics.insert(dictionary_.strings[tactic]);
        for (const Symbol technique : definition.techniques) techniques.insert(dictionary_.strings[technique]);
    }
    record.tactics.assign(tactics.begin(), tactics.end());
    record.techniques.assign(techniques.begin(), techniques.end());
    record.domains.assign(domains.begin(), domains.end());
    record.patterns.assign(patterns.begin(), patterns.end());

    record.principals.clear();
    record.entities.clear();
    for (const EntityId principal : principals_listed_) {
        if (record.principals.size() == most_entities) break;
        record.principals.push_back(entity_key(principal, dictionary_));
    }
    record.entities = record.principals;
    for (const EntityId entity : listed_) {
        if (record.entities.size() == most_entities) break;
        if (!principals_.contains(entity)) record.entities.push_back(entity_key(entity, dictionary_));
    }
    record.entity_total = static_cast<std::int64_t>(entities_.size());

    record.title = leading_record.title;
    record.severity = severity();
    record.score = leading_record.score.probability;
    record.first_activity = first_activity();
    record.last_activity = last_activity();
    record.signal_count = static_cast<std::int64_t>(signals_.size());
    record.finding_count = static_cast<std::int64_t>(members_.size());
    record.summary = summary(record, leading_record);
}

std::string Gathered::summary(const IncidentRecord& record, const FindingRecord& leading_record) const {
    if (record.finding_count == 1) return leading_record.summary;
    std::string text = leading_record.summary;
    text += " This is the strongest of " + said_count(record.finding_count, "finding") + " that share evidence, from ";
    text += said_count(static_cast<std::int64_t>(record.patterns.size()), "pattern") + " (" + said_list(record.patterns, 5) + "): ";
    text += said_count(record.signal_count, "signal") + " in " + said_list(record.domains, 8) + ", naming ";
    text += std::to_string(record.entity_total) + (record.entity_total == 1 ? " entity" : " entities");
    text += ", from " + said_time(record.first_activity) + " to " + said_time(record.last_activity) + ".";
    return text;
}

}  // namespace catenary::engine
