#include "engine/incidents/gathered.hpp"
#include "engine/incidents/wording.hpp"

#include <algorithm>

namespace catenary::engine {

namespace {

constexpr std::size_t most_entities = ListedEntities::most;

}  // namespace

void Gathered::describe(IncidentRecord& record, const FindingRecord& leading_record) {
    const bool starts = std::exchange(lists_again_, false);
    if (std::exchange(claims_changed_, false) || starts) list_claims(record);
    const bool principals_changed = principals_.take_changed();
    const bool entities_changed = entities_.take_changed();
    if (starts || principals_changed || entities_changed) list_entities(record);
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

void Gathered::list_claims(IncidentRecord& record) const {
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
}

void Gathered::list_entities(IncidentRecord& record) {
    // Into the strings that are there, which have room already.
    std::size_t listed = 0;
    const auto list = [&](std::vector<EntityKey>& to, EntityId id) {
        if (listed == to.size()) to.emplace_back();
        const auto& [kind, value] = dictionary_.entities[id];
        to[listed].kind = dictionary_.strings[kind];
        to[listed++].value = value;
    };
    for (const EntityId principal : principals_.first()) list(record.principals, principal);
    record.principals.resize(listed);
    listed = 0;
    for (const EntityId principal : principals_.first()) list(record.entities, principal);
    for (const EntityId entity : entities_.first()) {
        if (listed == most_entities) break;
        if (!principals_.contains(entity)) list(record.entities, entity);
    }
    record.entities.resize(listed);
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
